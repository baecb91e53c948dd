"""libyang: are these values of their types, and is this a valid configuration?"""

import re
from collections.abc import Sequence
from pathlib import Path

import oopt_gnpy_libyang as libyang

from lab.netconf.errors import ErrorPath, RpcError, RpcFailed
from lab.netconf.schema import FOLDER, Schema

_STEP = re.compile(r"/(?:([\w.-]+):)?([\w.-]+)((?:\[(?:'[^']*'|\"[^\"]*\"|[^'\"\]])*\])*)")
_KEY = re.compile(r"\[(?:([\w.-]+):)?([\w-][\w.-]*)=")
_BELONGS_TO = re.compile(r"^\s*belongs-to\s+\"?([\w.-]+)", re.MULTILINE)
_ELEMENT = re.compile(r'(?:Node|Duplicate instance of) "([^"]+)"')


class Yang:
    """The modules of lab/yang in a libyang context. Not for several threads at once."""

    def __init__(self, schema: Schema, folder: Path = FOLDER) -> None:
        """Load the modules with all their features (0.1 s). Raises libyang.Error when one does not load."""
        self._schema = schema
        closure = [line.split() for line in (folder / "closure.txt").read_text().splitlines()]
        self.modules = tuple((name, revision) for name, revision, kind in closure if kind == "mod")
        self._revisions = {name: revision for name, revision, _ in closure}
        self.folder = folder / "modules"
        libyang.set_log_level(libyang.LogLevel.Error)
        libyang.set_log_options(libyang.LogOptions.Store)  # or it prints to stderr
        options = libyang.ContextOptions.NoYangLibrary | libyang.ContextOptions.DisableSearchCwd | libyang.ContextOptions.LeafrefLinking
        self._context = libyang.Context(str(self.folder), options)
        for name, revision in sorted(self.modules, key=_load_order):
            self._context.load_module(name, revision, ["*"])
        self._module_prefix = {name: self._prefix(name) for name, _ in self.modules}
        self._namespaces = schema.namespaces

    def check_values(self, document: str) -> None:
        """Raise RpcFailed unless elements and values are what their types allow; references and mandatory nodes are not looked at."""
        self._parse(document, libyang.ParseOptions.Strict | libyang.ParseOptions.ParseOnly, None)

    def validate(self, document: str) -> None:
        """Raise RpcFailed, with all errors found, unless the top-level elements in `document` together are a valid configuration."""
        # asked for all errors of a document whose values or keys are wrong, libyang 4.5.5 crashes: those are looked at before
        self.check_values(document)
        # the binding keeps the interpreter lock while it works, so a thread would not let the event loop go on:
        # the server keeps documents small instead (lab.netconf.slice)
        everything = libyang.ValidationOptions.NoState | libyang.ValidationOptions.MultiError
        self._parse(document, libyang.ParseOptions.Strict | libyang.ParseOptions.NoState, everything)

    @property
    def capabilities(self) -> Sequence[str]:
        """The modules as a hello announces them (RFC 6020 section 5.6.4)."""
        return [f"{self._namespace(name)}?module={name}&revision={revision}" for name, revision in self.modules]

    @property
    def schemas(self) -> Sequence[tuple[str, str, str]]:
        """Name, revision and namespace of each module and submodule; a submodule is in the namespace of the module it belongs to."""
        owners = ((name, revision, _BELONGS_TO.search(self.source(name))) for name, revision in self._revisions.items())
        return [(name, revision, self._namespace(owner[1] if owner else name)) for name, revision, owner in owners]

    def _namespace(self, module: str) -> str:
        return self._namespaces[self._module_prefix[module]]

    def source(self, name: str, revision: str | None = None) -> str:
        """Return the text of a module or submodule, there is one revision of each. Raises KeyError when there is none."""
        if revision and name in self._revisions and self._revisions[name] != revision:
            raise KeyError(f"{name}@{revision}")
        return (self.folder / f"{name}@{self._revisions[name]}.yang").read_text()

    def _parse(self, document: str, options: libyang.ParseOptions, validation: libyang.ValidationOptions | None) -> None:
        if not document:
            return
        self._context.clean_all_errors()
        try:
            self._context.parse_data(document, libyang.DataFormat.XML, options, validation)
        except libyang.Error as error:
            found = tuple(self._rpc_error(info) for info in self._context.errors())
            raise RpcFailed(found or (RpcError("operation-failed", str(error)),)) from error

    def _rpc_error(self, info: libyang.ErrorInfo) -> RpcError:
        tag, app_tag = _classify(info.message, info.app_tag)
        bad = _ELEMENT.match(info.message)
        element = (("bad-element", bad[1]),) if bad else ()
        return RpcError(tag, info.message, app_tag=app_tag, path=self._path(info.data_path), info=element)

    def _path(self, data_path: str | None) -> ErrorPath | None:
        """Write libyang's path, which has module names where they change, with the modules' prefixes on each name."""
        if not data_path:
            return None
        text, used, module = "", {}, ""
        for step in _STEP.finditer(data_path):
            module = step[1] or module
            prefix = self._module_prefix.get(module, module)
            used[prefix] = self._namespaces.get(prefix, "")
            keys = _KEY.sub(lambda key, prefix=prefix: f"[{prefix}:{key[2]}=", step[3])
            text += f"/{prefix}:{step[2]}{keys}"
        return ErrorPath(text, used)

    def _prefix(self, name: str) -> str:
        namespace = re.search(r"^\s*namespace\s+\"?([^\s\";]+)", self.source(name), re.MULTILINE)
        return self._schema.prefixes[namespace[1]] if namespace else name


def _load_order(module: tuple[str, str]) -> tuple[int, str]:
    """Identities that are used as defaults, and modules that others augment out of sight of their imports, come first.

    libyang loads what a module imports, but fails on bbf-xpon when bbf-xpon-types is not implemented yet, and on
    bbf-qos-enhanced-scheduling and bbf-qos-shaping when bbf-qos-traffic-mngt is not.
    """
    name, _ = module
    if name.startswith(("ietf", "iana")):
        return 0, name
    return (1, name) if name.endswith(("types", "-type", "traffic-mngt")) else (2, name)


_TAGS = (
    # what libyang's message starts with -> error-tag and error-app-tag (RFC 7950 sections 8.3.1 and 15)
    ("Mandatory choice", "data-missing", "missing-choice"),
    ("Mandatory node", "data-missing", None),
    ("Too many", "operation-failed", "too-many-elements"),
    ("Too few", "operation-failed", "too-few-elements"),
    ("Unique data", "operation-failed", "data-not-unique"),
    ("List instance is missing its key", "missing-element", None),
    ("Node ", "unknown-element", None),  # Node "x" not found as a child of "y" node.
    ("When condition", "unknown-element", None),
    ("Duplicate instance", "bad-element", None),
    ("Must condition", "operation-failed", "must-violation"),
)


def _classify(message: str, app_tag: str | None) -> tuple[str, str | None]:
    if app_tag == "instance-required":
        return "data-missing", app_tag
    if app_tag == "must-violation":  # with an error-message of its own the text says nothing of a must
        return "operation-failed", app_tag
    return next(((tag, given or app_tag) for start, tag, given in _TAGS if message.startswith(start)), ("invalid-value", app_tag))
