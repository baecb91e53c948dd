"""How the tests of the Junos contract reach a router."""

from dataclasses import dataclass
from typing import Any

from napalm import get_network_driver


@dataclass(frozen=True)
class Router:
    """How the router is reached, and the interface to work on."""

    host: str
    port: int
    user: str
    password: str
    interface: str

    def driver(self, **optional: Any) -> Any:
        """A stock NAPALM driver, not opened."""
        arguments = {"port": self.port, "ignore_warning": ["statement not found"], **optional}
        return get_network_driver("junos")(self.host, self.user, self.password, timeout=30, optional_args=arguments)
