"""The statements that this router knows: those of a residential broadband network gateway, out of Junos' thousands.

Interfaces and their units, policers, traffic control profiles, DHCP relay for IPv4 and IPv6, pools for prefix delegation, router
advertisements, static routes. Names and places as in Juniper's junos-conf YANG modules of 24.4R1.
"""

from lab.junos.grammar import (
    Statement,
    address,
    container,
    entry,
    flag,
    interface,
    ipv4,
    ipv6,
    leaf,
    logical_interface,
    name,
    number,
    one_of,
    prefix,
    rate,
    text,
)

_UNIT = number(0, 1073741823)
_RATE = rate(1_000, 6_400_000_000_000)
_POLICED = rate(8_000, 100_000_000_000_000)
_BURST = rate(1_500, 100_000_000_000)


def _policing() -> tuple[Statement, ...]:
    return (
        container("policer", leaf("input", name), leaf("output", name)),
        container("filter", leaf("input", name), leaf("output", name)),
        container("rpf-check", leaf("fail-filter", name), container("mode", flag("loose")), presence=True),
        leaf("mtu", number(256, 9192)),
    )


_UNNUMBERED = container(
    "unnumbered-address", leaf("source", logical_interface, implied=True), leaf("preferred-source-address", address), inline=True
)

_FAMILY = container(
    "family",
    container(
        "inet", *_policing(), _UNNUMBERED, entry("address", prefix, flag("primary"), flag("preferred")), flag("no-redirects"), presence=True
    ),
    container(
        "inet6", *_policing(), _UNNUMBERED, entry("address", prefix, flag("primary"), flag("eui-64")), flag("dad-disable"), presence=True
    ),
    container("iso", presence=True),
    container("mpls", presence=True),
    joined=True,
)

_INTERFACES = container(
    "interfaces",
    entry(
        "interface",
        interface,
        leaf("description", text),
        flag("disable"),
        flag("vlan-tagging"),
        flag("flexible-vlan-tagging"),
        container("hierarchical-scheduler", leaf("maximum-hierarchy-levels", number(2, 4)), flag("implicit-hierarchy"), presence=True),
        leaf("encapsulation", one_of("flexible-ethernet-services", "ethernet-bridge", "extended-vlan-bridge", "vlan-vpls", "vlan-ccc")),
        leaf("mtu", number(256, 16000)),
        entry(
            "unit",
            _UNIT,
            leaf("description", text),
            flag("disable"),
            leaf("encapsulation", one_of("vlan-bridge", "vlan-vpls", "vlan-ccc")),
            leaf("vlan-id", number(1, 4094)),
            container("vlan-tags", leaf("outer", text), leaf("inner", text), inline=True),
            container("proxy-arp", flag("restricted"), flag("unrestricted"), presence=True, inline=True),
            leaf("demux-source", one_of("inet", "inet6")),
            _FAMILY,
        ),
        implied=True,
    ),
)

_FIREWALL = container(
    "firewall",
    entry(
        "policer",
        name,
        flag("logical-interface-policer"),
        flag("shared-bandwidth-policer"),
        container(
            "if-exceeding", leaf("bandwidth-limit", _POLICED), leaf("bandwidth-percent", number(1, 100)), leaf("burst-size-limit", _BURST)
        ),
        container(
            "then",
            flag("discard"),
            leaf("loss-priority", one_of("low", "medium-low", "medium-high", "high")),
            leaf("forwarding-class", name),
            joined=True,
        ),
    ),
)


def _shaping(statement: str) -> Statement:
    return container(statement, leaf("rate", _RATE, implied=True), leaf("burst-size", _BURST), inline=True)


def _profile(statement: str) -> Statement:
    return container(statement, leaf("profile-name", name, implied=True), inline=True)


_CLASS_OF_SERVICE = container(
    "class-of-service",
    entry(
        "traffic-control-profiles",
        name,
        leaf("scheduler-map", name),
        _shaping("shaping-rate"),
        _shaping("guaranteed-rate"),
        container("delay-buffer-rate", leaf("rate", _RATE, implied=True), inline=True),
        leaf("overhead-accounting", one_of("frame-mode", "cell-mode")),
    ),
    container(
        "interfaces",
        entry(
            "interface",
            interface,
            _profile("output-traffic-control-profile"),
            _profile("output-traffic-control-profile-remaining"),
            entry("unit", _UNIT, _profile("output-traffic-control-profile"), _profile("input-traffic-control-profile")),
            implied=True,
        ),
    ),
)

_SERVER_GROUPS = container("server-group", entry("server-group", name, entry("address", address, implied=True), implied=True))
_ACTIVE = container("active-server-group", leaf("active-server-group", name, implied=True), inline=True)
_OVERRIDES = container(
    "overrides",
    flag("allow-snooped-clients"),
    flag("always-write-giaddr"),
    flag("trust-option-82"),
    flag("no-allow-snooped-clients"),
    flag("allow-no-end-option"),
    leaf("interface-client-limit", number(1, 500000)),
    leaf("delegated-pool", name),
)
_RELAY_AGENT = container("circuit-id", flag("use-interface-description"), container("prefix", flag("host-name")), presence=True)


def _relay_group(*more: Statement) -> Statement:
    clients = entry("interface", logical_interface, leaf("upto", logical_interface), flag("exclude"), _OVERRIDES)
    return entry("group", name, _ACTIVE, _OVERRIDES, clients, *more)


_FORWARDING_OPTIONS = container(
    "forwarding-options",
    container(
        "dhcp-relay",
        container(
            "dhcpv6",
            _SERVER_GROUPS,
            _ACTIVE,
            _OVERRIDES,
            _relay_group(container("relay-agent-interface-id", flag("use-interface-description"), presence=True)),
        ),
        _SERVER_GROUPS,
        _ACTIVE,
        _OVERRIDES,
        _relay_group(container("relay-option-82", _RELAY_AGENT, container("remote-id", flag("use-interface-description"), presence=True))),
    ),
)

_HOST = entry("host", name, leaf("hardware-address", text), leaf("user-name", text), leaf("ip-address", address), leaf("prefix", prefix))
_RANGE = entry("range", name, leaf("low", text), leaf("high", text), leaf("prefix-length", number(1, 128)))
_POOL = entry(
    "pool",
    name,
    container(
        "family",
        container("inet", leaf("network", prefix), _RANGE, _HOST, presence=True),
        container("inet6", leaf("prefix", prefix), _RANGE, _HOST, container("dhcp-attributes", entry("dns-server", ipv6)), presence=True),
        joined=True,
    ),
)

_ADVERTISED = entry(
    "prefix",
    prefix,
    flag("no-autonomous"),
    flag("no-on-link"),
    leaf("valid-lifetime", number(0, 4294967295)),
    leaf("preferred-lifetime", number(0, 4294967295)),
)

_PROTOCOLS = container(
    "protocols",
    container(
        "router-advertisement",
        entry(
            "interface",
            logical_interface,
            leaf("max-advertisement-interval", number(4, 1800)),
            leaf("min-advertisement-interval", number(3, 1350)),
            leaf("default-lifetime", number(0, 9000)),
            flag("managed-configuration"),
            flag("no-managed-configuration"),
            flag("other-stateful-configuration"),
            flag("no-other-stateful-configuration"),
            entry("dns-server-address", ipv6),
            _ADVERTISED,
        ),
    ),
)

_ROUTE = entry(
    "route",
    prefix,
    entry("next-hop", text),
    flag("discard"),
    flag("reject"),
    entry("qualified-next-hop", text),
    leaf("tag", number(0, 4294967295)),
)

TOP = container(
    "configuration",
    container(
        "system",
        leaf("host-name", name),
        leaf("domain-name", name),
        entry("name-server", address),
        container("services", container("netconf", container("ssh", presence=True)), container("ssh", presence=True)),
    ),
    _INTERFACES,
    _FORWARDING_OPTIONS,
    container("routing-options", leaf("router-id", ipv4), container("static", _ROUTE), entry("rib", name, container("static", _ROUTE))),
    _PROTOCOLS,
    _CLASS_OF_SERVICE,
    _FIREWALL,
    container("access", container("address-assignment", _POOL)),
)
"""The root: what stands at [edit]."""
