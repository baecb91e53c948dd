"""What the contract tests of NetBox work with: one NetBox, and objects of their own in it, which they take away again."""

import itertools
import secrets
import ssl
import threading
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any, TypeVar

import httpx
import pynetbox

Json = dict[str, Any]
T = TypeVar("T")

PON = "gpon"
_TLS = ssl.create_default_context()  # made once: it costs more than a request


@dataclass
class World:
    """One NetBox, reached with one token. Names of what is made begin with `mark`, so that nothing else is touched."""

    url: str
    token: str
    stand_in: bool
    mark: str = field(default_factory=lambda: f"ct-{secrets.token_hex(4)}")
    _made: list[tuple[str, int]] = field(default_factory=list)
    _numbers: "itertools.count[int]" = field(default_factory=lambda: itertools.count(1))

    @property
    def authorization(self) -> str:
        return f"{'Bearer' if self.token.startswith('nbt_') else 'Token'} {self.token}"

    def client(self, **headers: str) -> httpx.Client:
        """Return a client; the caller closes it."""
        authorized = {"Authorization": self.authorization, **headers}
        return httpx.Client(base_url=self.url, headers=authorized, timeout=60, verify=_TLS, trust_env=False)

    @cached_property
    def http(self) -> httpx.Client:
        return self.client()

    @cached_property
    def nb(self) -> Any:
        """Return pynetbox as users have it; its calls are not typed."""
        return pynetbox.api(self.url, token=self.token)

    @cached_property
    def version(self) -> tuple[int, int]:
        major, minor = self.http.get("/api/").headers["API-Version"].split(".")
        return int(major), int(minor)

    def name(self, word: str = "x") -> str:
        """Return a name that nobody has."""
        return f"{self.mark}-{word}-{next(self._numbers)}"

    def get(self, path: str, **parameters: Any) -> Any:
        """GET and return the body."""
        answer = self.http.get(f"/api/{path}", params=parameters)
        assert answer.status_code == 200, answer.text
        return answer.json()

    def post(self, path: str, body: Any) -> httpx.Response:
        """POST; what it makes is taken away at the end."""
        answer = self.http.post(f"/api/{path}", json=body)
        self.note(answer)
        return answer

    def make(self, path: str, **body: Any) -> Json:
        """Create one object, which is taken away at the end."""
        answer = self.post(path, body)
        assert answer.status_code == 201, answer.text
        made: Json = answer.json()
        return made

    def note(self, answer: httpx.Response) -> None:
        """Remember what an answer to a POST says was made."""
        if answer.status_code == 201:
            bodies = answer.json()
            for body in bodies if isinstance(bodies, list) else [bodies]:
                self._made.append((httpx.URL(body["url"]).path, body["id"]))

    def clean(self) -> None:
        """Delete what was made, the last first; what went with something else is gone already. Says what could not be deleted."""
        left = []
        for path, _ in reversed(self._made):
            answer = self.http.delete(path)
            if answer.status_code not in (204, 404):
                left.append(f"{path}: {answer.text}")
        self._made.clear()
        self.http.close()
        self.nb.http_session.close()
        assert not left, "\n".join(left)

    # -- objects of our own, made when a test first asks for them -------------------------------------------------------------------------

    @cached_property
    def site(self) -> Json:
        name = self.name("site")
        return self.make("dcim/sites/", name=name, slug=name, status="active")

    @cached_property
    def manufacturer(self) -> Json:
        name = self.name("maker")
        return self.make("dcim/manufacturers/", name=name, slug=name)

    @cached_property
    def device_type(self) -> Json:
        name = self.name("type")
        return self.make("dcim/device-types/", manufacturer=self.manufacturer["id"], model=name, slug=name)

    @cached_property
    def role(self) -> Json:
        name = self.name("role")
        return self.make("dcim/device-roles/", name=name, slug=name, color="2196f3")

    def device(self, **more: Any) -> Json:
        """Return a new device."""
        needed = {"device_type": self.device_type["id"], "role": self.role["id"], "site": self.site["id"]}
        return self.make("dcim/devices/", **{"name": self.name("device"), **needed, **more})

    def port(self, device: Json, name: str = "LC1/P1") -> Json:
        """Return a new PON port of a device."""
        return self.make("dcim/interfaces/", device=device["id"], name=name, type=PON)

    @cached_property
    def vrf(self) -> Json:
        """A VRF of our own: prefixes and addresses in it meet nobody else's."""
        return self.make("ipam/vrfs/", name=self.name("vrf"))

    def prefix(self, network: str, **more: Any) -> Json:
        """Return a new prefix in our VRF."""
        return self.make("ipam/prefixes/", prefix=network, vrf=self.vrf["id"], **more)

    def vlan_group(self, first: int, last: int) -> Json:
        """Return a new VLAN group with one range of ids."""
        name = self.name("group")
        return self.make(
            "ipam/vlan-groups/", name=name, slug=name, scope_type="dcim.site", scope_id=self.site["id"], vid_ranges=[[first, last]]
        )

    def custom_field(self, kind: str = "text", object_types: Sequence[str] = ("dcim.interface",), **more: Any) -> str:
        """Return the name of a new custom field."""
        name = self.name("cf").replace("-", "_")
        self.make("extras/custom-fields/", name=name, type=kind, object_types=list(object_types), filter_logic="exact", **more)
        return name


def at_once(count: int, call: Callable[[int], T]) -> list[T]:
    """Call `call(0)` to `call(count - 1)` in threads that start together; return the results in that order."""
    barrier = threading.Barrier(count)

    def run(number: int) -> T:
        barrier.wait(timeout=30)
        return call(number)

    with ThreadPoolExecutor(count) as pool:
        return list(pool.map(run, range(count)))
