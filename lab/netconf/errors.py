"""What a NETCONF server answers when it says no: rpc-error (RFC 6241 section 4.3 and appendix A, RFC 7950 section 15)."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field

from lxml import etree

from lab.netconf.names import make, nc


@dataclass(frozen=True)
class ErrorPath:
    """An error-path: an XPath expression and the prefixes used in it."""

    text: str
    prefixes: Mapping[str, str]


@dataclass(frozen=True)
class RpcError:
    """One rpc-error. `info` are the children of error-info, as name and text, in the NETCONF namespace."""

    tag: str
    message: str
    type: str = "application"
    path: ErrorPath | None = None
    app_tag: str | None = None
    info: tuple[tuple[str, str], ...] = ()
    severity: str = "error"

    def xml(self) -> str:
        """Return the rpc-error element as XML, children in the order of the schema in RFC 6241 appendix B."""
        element = make(nc("rpc-error"))
        _add(element, "error-type", self.type)
        _add(element, "error-tag", self.tag)
        _add(element, "error-severity", self.severity)
        if self.app_tag:
            _add(element, "error-app-tag", self.app_tag)
        if self.path:
            make(nc("error-path"), element, self.path.prefixes).text = self.path.text
        message = etree.SubElement(element, nc("error-message"))
        message.set("{http://www.w3.org/XML/1998/namespace}lang", "en")
        message.text = self.message
        if self.info:
            info = etree.SubElement(element, nc("error-info"))
            for name, text in self.info:
                _add(info, name, text)
        return etree.tostring(element, encoding="unicode")


def _add(parent: etree._Element, name: str, text: str) -> None:
    etree.SubElement(parent, nc(name)).text = text


@dataclass(eq=False)
class RpcFailed(Exception):
    """Ends an operation with one or more errors."""

    errors: tuple[RpcError, ...] = field(default_factory=tuple)

    def __str__(self) -> str:
        """Say what went wrong, one error after the other."""
        return "; ".join(f"{error.tag}: {error.message}" for error in self.errors)


def failed(
    tag: str,
    message: str,
    *,
    type_: str = "application",
    path: ErrorPath | None = None,
    app_tag: str | None = None,
    info: Iterable[tuple[str, str]] = (),
) -> RpcFailed:
    """Return the exception for a single error."""
    return RpcFailed((RpcError(tag, message, type_, path, app_tag, tuple(info)),))
