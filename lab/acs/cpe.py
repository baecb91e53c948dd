"""A simulated router: its parameters (TR-098), and how it answers an ACS in a session (TR-069)."""

import itertools
import ssl
from collections.abc import Collection, Mapping
from dataclasses import dataclass, field
from typing import Any

import httpx

from lab.acs import soap
from lab.acs.devices import Identity, Parameter
from lab.credentials import Login

_INFO = "InternetGatewayDevice.DeviceInfo."
_SERVER = "InternetGatewayDevice.ManagementServer."
_WLAN = "InternetGatewayDevice.LANDevice.1.WLANConfiguration.1."
_INFORMED = (f"{_INFO}HardwareVersion", f"{_INFO}SoftwareVersion", f"{_INFO}ProvisioningCode", f"{_SERVER}ParameterKey")
"""What every Inform carries (TR-098, forced inform parameters)."""
_WRITE_ONLY = (f"{_WLAN}KeyPassphrase",)
"""Read as empty, whatever it is (TR-098)."""
_TARGET = f"{_INFO}X_TargetSoftwareVersion"

_TLS = ssl.create_default_context()  # made once: it takes longer than a whole session

FACTORY_FIRMWARE = "v3.1"


def factory_settings(identity: Identity, mac: str, *, ssid: str = "", security: str = "WPA2", passphrase: str = "") -> dict[str, Parameter]:
    """Return the parameters of a router that comes out of its box, with what the warehouse set up in it."""
    label = identity.serial[-4:]
    fixed = {
        f"{_INFO}Manufacturer": identity.manufacturer,
        f"{_INFO}ManufacturerOUI": identity.oui,
        f"{_INFO}ModelName": identity.product_class,
        f"{_INFO}ProductClass": identity.product_class,
        f"{_INFO}SerialNumber": identity.serial,
        f"{_INFO}HardwareVersion": f"{identity.product_class}-A",
        f"{_INFO}SoftwareVersion": FACTORY_FIRMWARE,
        f"{_SERVER}ParameterKey": "",
        f"{_WLAN}BSSID": mac,
    }
    writable = {
        f"{_INFO}ProvisioningCode": "",
        _TARGET: FACTORY_FIRMWARE,
        f"{_SERVER}PeriodicInformInterval": "43200",
        f"{_WLAN}Enable": "true",
        f"{_WLAN}SSID": ssid or f"{identity.manufacturer}-{label}",
        f"{_WLAN}BeaconType": security,
        f"{_WLAN}KeyPassphrase": passphrase,
    }
    types = {f"{_SERVER}PeriodicInformInterval": "xsd:unsignedInt", f"{_WLAN}Enable": "xsd:boolean"}
    return {
        **{path: Parameter(value) for path, value in fixed.items()},
        **{path: Parameter(value, types.get(path, "xsd:string"), writable=True) for path, value in writable.items()},
    }


@dataclass
class Cpe:
    """One router."""

    identity: Identity
    parameters: dict[str, Parameter]
    _numbers: "itertools.count[int]" = field(default_factory=lambda: itertools.count(1), repr=False)

    @property
    def periodic_interval(self) -> int:
        """Seconds between its Informs."""
        return int(self.parameters[f"{_SERVER}PeriodicInformInterval"].value)

    async def session(self, url: str, login: Login, events: Collection[str], time: str) -> None:
        """Call the ACS and do what it asks until it has nothing more. Raises httpx.HTTPError, or soap.BadMessage."""
        informed = {path: self.parameters[path] for path in _INFORMED}
        message = soap.inform(str(next(self._numbers)), self.identity, events, informed, time)
        headers = {"Content-Type": 'text/xml; charset="utf-8"', "SOAPAction": ""}
        auth = httpx.BasicAuth(login.user, login.password)
        # one client is one session: it keeps the ACS' cookie and the connection (TR-069, 3.4.2)
        async with httpx.AsyncClient(auth=auth, headers=headers, trust_env=False, timeout=10, verify=_TLS) as client:
            answer = (await client.post(url, content=message)).raise_for_status()
            soap.parse(answer.content)
            reply = b""
            while (answer := (await client.post(url, content=reply)).raise_for_status()).content:
                reply = self.answer(soap.parse(answer.content))

    def answer(self, message: soap.Message) -> bytes:
        """Return the answer to an RPC of the ACS."""
        if message.name == "GetParameterValues":
            return self._get(message)
        if message.name == "SetParameterValues":
            return self._set(message)
        return soap.fault(message.id, 9000, "Method not supported")

    def upgrade(self) -> bool:
        """Install the firmware that it was told to have; False when it has it. It boots after that."""
        target = self.parameters[_TARGET].value
        if target == self.parameters[f"{_INFO}SoftwareVersion"].value:
            return False
        self.parameters[f"{_INFO}SoftwareVersion"] = Parameter(target)
        return True

    def _get(self, message: soap.Message) -> bytes:
        found: dict[str, Parameter] = {}
        for name in soap.names_of(message):
            below = {path: one for path, one in self.parameters.items() if path == name or (name.endswith(".") and path.startswith(name))}
            if not below:
                return soap.fault(message.id, 9005, f"Invalid parameter name {name}")
            found |= below
        shown = {path: Parameter("", one.type) if path in _WRITE_ONLY else one for path, one in found.items()}
        return soap.get_parameter_values_response(message.id, shown)

    def _set(self, message: soap.Message) -> bytes:
        """All or none (TR-069, A.3.2.1)."""
        values = soap.parameters_of(message)
        refused = {path: reason for path, value in values.items() if (reason := self._refusal(path, value))}
        if refused:
            return soap.fault(message.id, 9003, "Invalid arguments", refused)
        for path, value in values.items():
            self.parameters[path] = Parameter(value.value, self.parameters[path].type, writable=True)
        self.parameters[f"{_SERVER}ParameterKey"] = Parameter(message.text("ParameterKey"))
        return soap.set_parameter_values_response(message.id)

    def _refusal(self, path: str, value: Parameter) -> tuple[int, str] | None:
        known = self.parameters.get(path)
        if known is None:
            return 9005, "Invalid parameter name"
        if not known.writable:
            return 9008, "Attempt to set a non-writable parameter"
        if known.type == "xsd:unsignedInt" and not value.value.isdigit():
            return 9007, "Invalid parameter value"
        return None


def to_document(cpe: Cpe) -> dict[str, Any]:
    """Return a router's memory as JSON."""
    identity = {name: getattr(cpe.identity, name) for name in ("manufacturer", "oui", "product_class", "serial")}
    return {"identity": identity, "parameters": {path: [one.value, one.type, one.writable] for path, one in cpe.parameters.items()}}


def from_document(document: Mapping[str, Any]) -> Cpe:
    """Return the router of this memory."""
    return Cpe(Identity(**document["identity"]), {path: Parameter(*one) for path, one in document["parameters"].items()})
