"""How targets are reached, from the settings and from the embedded lab, as `tasks.access.Access` by name of the target."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from typing import TYPE_CHECKING

from tasks.access import Access
from turnup.settings import TargetSettings

if TYPE_CHECKING:  # not loaded when there is no embedded lab
    from lab.control import Lab
    from lab.credentials import Credentials, Login
    from lab.standin import Endpoint


def of_settings(targets: Mapping[str, TargetSettings], names: Iterable[str]) -> dict[str, Access]:
    """Access by name or platform of `names`, or `*`.

    Names are compared without case and with `_` for `-`: environment variables cannot be called otherwise.
    """
    known = {_folded(name): name for name in names}
    return {known.get(_folded(name), name): _access(settings) for name, settings in targets.items()}


def _folded(name: str) -> str:
    return name.lower().replace("-", "_")


def _access(settings: TargetSettings) -> Access:
    urls = {name: url.get_secret_value() for name, url in settings.urls.items()}
    if settings.url is not None:
        urls[""] = settings.url.get_secret_value()
    return Access(
        username=settings.username,
        password=settings.password.get_secret_value() if settings.password else None,
        hostname=settings.hostname,
        port=settings.port,
        urls=urls,
        api_key=settings.api_key.get_secret_value() if settings.api_key else None,
        known_hosts=settings.known_hosts,
        ca_file=settings.ca_file,
        insecure=settings.insecure,
        timeout=settings.timeout,
    )


def of_lab(lab: Lab) -> dict[str, Access]:
    """Access to every stand-in of the lab but its NetBox."""
    return {name: _KINDS[endpoint.kind](lab, endpoint) for name, endpoint in lab.endpoints.items() if endpoint.kind in _KINDS}


def _device(lab: Lab, endpoint: Endpoint) -> Access:
    login = lab.credentials.devices[endpoint.name]
    return Access(login.user, login.password, endpoint.host, endpoint.port, known_hosts=lab.known_hosts)


def _system(login: Callable[[Credentials], Login] | None = None, api_key: Callable[[Credentials], str] | None = None) -> _Maker:
    def access(lab: Lab, endpoint: Endpoint) -> Access:
        found = login(lab.credentials) if login else None
        return Access(
            username=found.user if found else None,
            password=found.password if found else None,
            hostname=endpoint.host,
            port=endpoint.port,
            urls={"": endpoint.url or "", **endpoint.urls},
            api_key=api_key(lab.credentials) if api_key else None,
        )

    return access


_Maker = Callable[["Lab", "Endpoint"], Access]
_KINDS: Mapping[str, _Maker] = {
    "olt": _device,
    "switch": _device,
    "junos": _device,
    "kea": _system(login=lambda known: known.kea),
    "radius": _system(),
    "acs": _system(login=lambda known: known.acs),
    "cloudwifi": _system(api_key=lambda known: known.cloudwifi_api_key),
    "logistics": _system(api_key=lambda known: known.logistics_api_key),
}
"""Kind of stand-in -> its access."""
