"""How targets are reached, from the settings and from the embedded lab, as `tasks.access.Access` by name of the target."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import replace
from functools import reduce
from typing import TYPE_CHECKING, Any

from nornir.core.inventory import Host
from pydantic import SecretStr

from tasks.access import Access
from turnup.settings import TargetSettings

if TYPE_CHECKING:  # not loaded when there is no embedded lab
    from lab.control import Lab
    from lab.credentials import Credentials, Login
    from lab.standin import Endpoint


def of_settings(settings: Mapping[str, TargetSettings], hosts: Iterable[Host], lab: Mapping[str, Access]) -> dict[str, Access]:
    """Access of each of these hosts, by its name: what the settings say for all (`*`), for its platform and for itself, in this order,
    over what the lab says.

    Names are compared without case and with `_` for `-`: environment variables cannot be called otherwise.
    """
    said = {_folded(name): fields for name, fields in settings.items()}
    found: dict[str, Access] = {}
    for host in hosts:
        layers = [said[name] for name in ("*", _folded(host.platform or ""), _folded(host.name)) if name in said]
        if layers or host.name in lab:
            found[host.name] = reduce(_laid_over, layers, lab.get(host.name, Access()))
    return found


def _folded(name: str) -> str:
    return name.lower().replace("-", "_")


def _laid_over(access: Access, settings: TargetSettings) -> Access:
    """What the settings say takes the place of what was known; the rest stays."""
    said = {name: _opened(getattr(settings, name)) for name in settings.model_fields_set - {"url", "urls"}}
    urls = {name: url.get_secret_value() for name, url in settings.urls.items()}
    if settings.url is not None:
        urls[""] = settings.url.get_secret_value()
    return replace(access, **said, urls={**access.urls, **urls})


def _opened(value: Any) -> Any:
    return value.get_secret_value() if isinstance(value, SecretStr) else value


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
