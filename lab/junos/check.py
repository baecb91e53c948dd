"""What a commit looks at: do the statements of a configuration go together? (Their syntax was checked when they were loaded.)"""

from collections.abc import Iterator, Mapping

from lab.junos.statements import TOP
from lab.junos.tree import EMPTY, Key, Path, Tree, edit, lookup
from lab.netconf.errors import ErrorPath, RpcError


def commit_check(tree: Tree) -> list[RpcError]:
    """Return what is wrong, as Junos words it, ending with its summary; nothing when the configuration can be committed."""
    errors = [*_interfaces(tree), *_class_of_service(tree), *_relays(tree)]
    return [*errors, RpcError("operation-failed", "configuration check-out failed", "protocol")] if errors else []


def _wrong(path: Path, statement: str, message: str) -> RpcError:
    return RpcError("operation-failed", message, "protocol", ErrorPath(edit(path, TOP), {}), info=(("bad-element", statement),))


def _below(tree: Tree, *path: Key) -> Tree:
    found = lookup(tree, path)
    return found if isinstance(found, Mapping) else EMPTY


def _entries(tree: Tree, name: str) -> Iterator[tuple[Key, Tree]]:
    for key, value in tree.items():
        if key.name == name and isinstance(value, Mapping):
            yield key, value


def _interfaces(tree: Tree) -> Iterator[RpcError]:
    policers = _below(tree, Key("firewall"))
    interfaces = _below(tree, Key("interfaces"))
    for key, interface in _entries(interfaces, "interface"):
        tagged = Key("vlan-tagging") in interface or Key("flexible-vlan-tagging") in interface
        seen: dict[str, str] = {}
        for unit_key, unit in _entries(interface, "unit"):
            path = (Key("interfaces"), key, unit_key)
            vlan = unit.get(Key("vlan-id"))
            if isinstance(vlan, str):
                if not tagged:
                    yield _wrong(path, "vlan-id", "VLAN-ID can only be specified on tagged ethernet interfaces")
                if vlan in seen:
                    yield _wrong(path, "vlan-id", f"duplicate VLAN-ID on interface: {vlan} is that of unit {seen[vlan]}")
                seen[vlan] = unit_key.identifier
            yield from _families(unit, path, policers, interfaces)


def _families(unit: Tree, path: Path, firewall: Tree, interfaces: Tree) -> Iterator[RpcError]:
    for family, content in _below(unit, Key("family")).items():
        if not isinstance(content, Mapping):
            continue
        here = (*path, Key("family"), family)
        for direction, policer in _below(content, Key("policer")).items():
            if isinstance(policer, str) and Key("policer", policer) not in firewall:
                yield _wrong((*here, Key("policer")), direction.name, f"Referenced policer '{policer}' is not defined")
        source = lookup(content, (Key("unnumbered-address"), Key("source")))
        if isinstance(source, str):
            physical, _, number = source.partition(".")
            if lookup(interfaces, (Key("interface", physical), Key("unit", number or "0"))) is None:
                yield _wrong(here, "unnumbered-address", f"Unnumbered-address source interface '{source}' is not configured")


def _class_of_service(tree: Tree) -> Iterator[RpcError]:
    service = _below(tree, Key("class-of-service"))
    for key, interface in _entries(_below(service, Key("interfaces")), "interface"):
        levels = [((), interface), *(((unit_key,), unit) for unit_key, unit in _entries(interface, "unit"))]
        for level, content in levels:
            for statement in content:
                profile = lookup(content, (statement, Key("profile-name")))
                if isinstance(profile, str) and Key("traffic-control-profiles", profile) not in service:
                    path = (Key("class-of-service"), Key("interfaces"), key, *level)
                    yield _wrong(path, statement.name, f"Referenced traffic-control-profile '{profile}' is not defined")


def _relays(tree: Tree) -> Iterator[RpcError]:
    for place in ((Key("forwarding-options"), Key("dhcp-relay")), (Key("forwarding-options"), Key("dhcp-relay"), Key("dhcpv6"))):
        relay = _below(tree, *place)
        servers = _below(relay, Key("server-group"))
        holders: list[tuple[Path, Tree]] = [(place, relay), *(((*place, key), group) for key, group in _entries(relay, "group"))]
        for path, holder in holders:
            active = lookup(holder, (Key("active-server-group"), Key("active-server-group")))
            if isinstance(active, str) and Key("server-group", active) not in servers:
                yield _wrong(path, "active-server-group", f"Active server group '{active}' is not defined")
