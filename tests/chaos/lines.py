"""What each line must be after all that was ordered, and whether inventory, services and targets say the same of it."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from tests.chaos.findings import Finding, Kind
from tests.chaos.observed import Observed, Row

SPEEDS = {"PO-SF200H": (200, 50), "PO-SF500": (500, 100)}


@dataclass(frozen=True)
class Line:
    """What a customer has."""

    offering: str = "PO-SF200H"
    ssid: str = "SmithHome"
    static: bool = False
    wifi: bool = True
    suspended: bool = False

    @property
    def policy(self) -> str:
        """Name of the bandwidth policy that it must have."""
        down, up = SPEEDS[self.offering]
        return "WALLED-GARDEN" if self.suspended else f"BW-{down}-{up}-RES"

    @property
    def services(self) -> frozenset[str]:
        """The services that it must have."""
        chosen = {"CFS:WiFi-Management": self.wifi, "CFS:Static-IP": self.static}
        return frozenset({"CFS:Internet-Access", "CFS:CPE-Management", *(name for name, there in chosen.items() if there)})


RESOURCES = ("ipv4", "ipv6", "ont", "port", "vlan")
"""Names of the allocations of a line."""
GIVEN = ("reserved", "active")
KEEPS = "logistics"
"""What was delivered stays on its books."""


def check_lines(lines: Mapping[str, Line | None], seen: Observed) -> Iterator[Finding]:
    """Each product is what it must be, with its services, one resource of each kind and its configuration; what has ended has nothing."""
    of_product: dict[str, list[Row]] = defaultdict(list)
    for row in seen.tables["instances"]:
        of_product[row["subscription"]].append(row)
    for product in sorted(of_product.keys() | lines.keys()):
        line = lines.get(product)
        yield from _instances(product, line, of_product[product])
        yield from _resources(product, line, seen)
    yield from _keys(seen)


def _instances(product: str, line: Line | None, rows: list[Row]) -> Iterator[Finding]:
    living = [row for row in rows if row["ended"] is None]
    if line is None:
        yield from (Finding(Kind.ORPHAN, f"{row['id']} is {row['state']}, {product} is no more") for row in living)
        return
    found = [row for row in living if row["level"] == "product"]
    if not found:
        yield Finding(Kind.LOST, f"there is no {product}")
        return
    has = found[0]["characteristics"]
    said = Line(
        found[0]["offering"], has["ssid"], static=bool(has["staticIp"]), wifi=bool(has["wifiApp"]), suspended=bool(has.get("suspended"))
    )
    if said != line:
        yield Finding(Kind.DIFFERENCE, f"{product} is {said}, ordered was {line}")
    states = {row["specification"]: row["state"] for row in living if row["level"] == "service"}
    wanted = {name: "inactive" if line.suspended and name == "CFS:Internet-Access" else "active" for name in line.services}
    if states != wanted:
        yield Finding(Kind.DIFFERENCE, f"{product} has services {states}, they should be {wanted}")
    if found[0]["state"] != ("suspended" if line.suspended else "active"):
        yield Finding(Kind.DIFFERENCE, f"{product} is {found[0]['state']}, ordered was {line}")
    odd = [row for row in living if row["level"] == "resource" and row["state"] != "active"]
    yield from (Finding(Kind.DIFFERENCE, f"{row['id']} is {row['state']}") for row in odd)


def _resources(product: str, line: Line | None, seen: Observed) -> Iterator[Finding]:
    mine = [row for row in seen.tables["allocations"] if row["subscription"] == product and row["state"] in GIVEN]
    names = Counter(row["name"] for row in mine)
    wanted = Counter(RESOURCES if line else ())
    for name in sorted(names | wanted):
        if names[name] > wanted[name]:
            yield Finding(Kind.ORPHAN, f"{product} holds {names[name]} times {name}, it should be {wanted[name]}")
        elif names[name] < wanted[name]:
            yield Finding(Kind.LOST, f"{product} has no {name}")
    idle = [row["name"] for row in mine if line and row["state"] != "active"]
    yield from (Finding(Kind.DIFFERENCE, f"{name} of {product} is not in use") for name in idle)


def _keys(seen: Observed) -> Iterator[Finding]:
    """What stands on targets is of what lives, and all that lives stands somewhere."""
    living = {row["id"] for row in seen.tables["instances"] if row["level"] == "resource" and row["ended"] is None}
    stands = set()
    for target, keys in seen.keys.items():
        of = {"/".join(key.split("/")[:2]) for key in keys if "/RFS:" in key}
        stands |= of
        if target != KEEPS:
            yield from (Finding(Kind.ORPHAN, f"{target} holds something of {name}, which is no more") for name in sorted(of - living))
    yield from (Finding(Kind.LOST, f"no target holds anything of {name}") for name in sorted(living - stands))
