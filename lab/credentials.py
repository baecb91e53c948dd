"""The lab's credentials: made once, by chance, kept in `<lab>/credentials.json` (0600). Nothing in the lab has a default password."""

import json
import secrets
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field, replace
from pathlib import Path

from lab.files import locked, write_atomically


@dataclass(frozen=True)
class Login:
    """A user and a password; the password is not shown when it is printed."""

    user: str
    password: str = field(repr=False)


@dataclass(frozen=True)
class Credentials:
    """Who may do what in this lab."""

    netbox_token: str = field(repr=False)
    """API token version 1: 40 hex digits."""
    netbox_token_v2: str = field(repr=False)
    """API token version 2 (NetBox 4.5 and later): `nbt_<key of 12>.<token of 40>`."""
    kea: Login
    acs: Login
    """Of the northbound interface."""
    cwmp: Login
    """With which a CPE calls the ACS."""
    cloudwifi_api_key: str = field(repr=False)
    logistics_api_key: str = field(repr=False)
    logistics_webhook_secret: str = field(repr=False)
    radius_secret: str = field(repr=False)
    """Shared by the RADIUS server and its clients (RFC 2865)."""
    devices: Mapping[str, Login]
    """SSH login by name of the device."""


def credentials(lab: Path, *devices: str) -> Credentials:
    """Return the credentials of the lab in the folder `lab`, making what is missing: all of it, or the login of a device named here.

    Safe to call from several processes at once: the first makes them, the others read the same.
    """
    path = lab / "credentials.json"
    with locked(path):
        known = _read(path) if path.exists() else _make()
        missing = {name: _login("turnup") for name in devices if name not in known.devices}
        if missing or not path.exists():
            known = replace(known, devices={**known.devices, **missing})
            write_atomically(path, json.dumps(asdict(known), indent=1), mode=0o600)
    return known


def _login(user: str) -> Login:
    return Login(user, secrets.token_urlsafe(18))


def _make() -> Credentials:
    return Credentials(
        netbox_token=secrets.token_hex(20),
        netbox_token_v2=f"nbt_{secrets.token_hex(6)}.{secrets.token_hex(20)}",
        kea=_login("kea-api"),
        acs=_login("northbound"),
        cwmp=_login("cpe"),
        cloudwifi_api_key=secrets.token_hex(20),
        logistics_api_key=secrets.token_hex(20),
        logistics_webhook_secret=secrets.token_urlsafe(24),
        radius_secret=secrets.token_urlsafe(18),
        devices={},
    )


def _read(path: Path) -> Credentials:
    content = json.loads(path.read_text())
    for name in ("kea", "acs", "cwmp"):
        content[name] = Login(**content[name])
    content["devices"] = {name: Login(**login) for name, login in content["devices"].items()}
    return Credentials(**content)
