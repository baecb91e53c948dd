"""The statements that this router knows: those of a residential broadband network gateway, out of Junos' thousands.

Interfaces and their units, policers, traffic control profiles, DHCP relay for IPv4 and IPv6, pools for prefix delegation, router
advertisements, static and access routes. Names and places as in Juniper's junos-conf YANG modules of 24.4R1.
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
_COUNT = number(0, 4294967295)
_RATE = rate(1_000, 6_400_000_000_000)
_POLICED = rate(8_000, 100_000_000_000_000)
_BURST = rate(1_500, 100_000_000_000)
_PRIORITIES = one_of("low", "medium-low", "medium-high", "high", "strict-high")


def _flags(*names: str) -> tuple[Statement, ...]:
    return tuple(flag(one) for one in names)


def _named(statement: str, value: str, *more: Statement) -> Statement:
    """A statement that names another in one word, and may say more on the same line: `output-traffic-control-profile GOLD`."""
    return container(statement, leaf(value, name, implied=True), *more, inline=True)


def _rated(statement: str) -> Statement:
    return container(statement, leaf("rate", _RATE, implied=True), leaf("burst-size", _BURST), inline=True)


# --- interfaces

_UNNUMBERED = container(
    "unnumbered-address", leaf("source", logical_interface, implied=True), leaf("preferred-source-address", address), inline=True
)


def _family(family: str, *more: Statement) -> Statement:
    precedence = leaf("precedence", number(0, 255))
    return container(
        family,
        container("policer", leaf("input", name), leaf("output", name)),
        container("filter", _named("input", "filter-name", precedence), _named("output", "filter-name", precedence)),
        container("rpf-check", leaf("fail-filter", name), container("mode", flag("loose")), presence=True),
        leaf("mtu", number(256, 9192)),
        _UNNUMBERED,
        entry("address", prefix, *_flags("primary", "preferred", "eui-64")),
        *more,
        presence=True,
    )


_FAMILIES = container(
    "family",
    _family("inet", flag("no-redirects")),
    _family("inet6", flag("dad-disable")),
    container("mpls", leaf("mtu", number(256, 9192)), presence=True),
    container("pppoe", leaf("dynamic-profile", name), leaf("access-concentrator", name), flag("duplicate-protection"), presence=True),
    joined=True,
)

_INTERFACE_UNIT = entry(
    "unit",
    _UNIT,
    leaf("description", text),
    *_flags("disable", "no-traps", "targeted-distribution"),
    leaf("encapsulation", one_of("vlan-bridge", "vlan-vpls", "vlan-ccc", "ppp-over-ether")),
    leaf("vlan-id", number(1, 4094)),
    container("vlan-tags", leaf("outer", text), leaf("inner", text), inline=True),
    container("demux-options", leaf("underlying-interface", logical_interface)),
    container("proxy-arp", *_flags("restricted", "unrestricted"), presence=True, inline=True),
    _FAMILIES,
)

_INTERFACES = container(
    "interfaces",
    entry(
        "interface",
        interface,
        leaf("description", text),
        *_flags("disable", "vlan-tagging", "flexible-vlan-tagging", "stacked-vlan-tagging"),
        leaf("native-vlan-id", number(0, 4094)),
        container("hierarchical-scheduler", leaf("maximum-hierarchy-levels", number(2, 4)), flag("implicit-hierarchy"), presence=True),
        leaf("encapsulation", one_of("flexible-ethernet-services", "ethernet-bridge", "extended-vlan-bridge", "vlan-vpls", "vlan-ccc")),
        leaf("mtu", number(256, 16000)),
        leaf("speed", one_of("10m", "100m", "1g", "10g", "25g", "40g", "100g", "auto")),
        container("gigether-options", *_flags("auto-negotiation", "no-auto-negotiation")),
        _INTERFACE_UNIT,
        implied=True,
    ),
)

# --- policing and shaping

_FIREWALL = container(
    "firewall",
    entry(
        "policer",
        name,
        *_flags("filter-specific", "logical-interface-policer", "shared-bandwidth-policer"),
        container(
            "if-exceeding",
            leaf("bandwidth-limit", _POLICED),
            leaf("bandwidth-percent", number(1, 100)),
            leaf("burst-size-limit", _BURST),
        ),
        container("then", flag("discard"), leaf("loss-priority", _PRIORITIES), leaf("forwarding-class", name), joined=True),
    ),
)


def _marking(statement: str) -> Statement:
    return container(statement, *(leaf(kind, name) for kind in ("dscp", "dscp-ipv6", "ieee-802.1", "inet-precedence")))


_OUTPUT_PROFILES = (
    _named("output-traffic-control-profile", "profile-name"),
    _named("output-traffic-control-profile-remaining", "profile-name"),
)

_CLASS_OF_SERVICE = container(
    "class-of-service",
    entry(
        "traffic-control-profiles",
        name,
        leaf("scheduler-map", name),
        _rated("shaping-rate"),
        _rated("guaranteed-rate"),
        container("excess-rate", leaf("percent", number(1, 100)), leaf("proportion", number(1, 1000)), inline=True),
        container("delay-buffer-rate", leaf("rate", _RATE, implied=True), inline=True),
        container(
            "overhead-accounting",
            leaf("mode", one_of("frame-mode", "cell-mode", "frame-mode-bytes"), implied=True),
            leaf("bytes", text),
            inline=True,
        ),
    ),
    container(
        "interfaces",
        entry(
            "interface",
            interface,
            *_OUTPUT_PROFILES,
            entry(
                "unit",
                _UNIT,
                *_OUTPUT_PROFILES,
                _named("input-traffic-control-profile", "profile-name"),
                leaf("scheduler-map", name),
                _rated("shaping-rate"),
                _marking("classifiers"),
                _marking("rewrite-rules"),
            ),
            implied=True,
        ),
    ),
    entry("scheduler-maps", name, entry("forwarding-class", name, leaf("scheduler", name))),
    entry(
        "schedulers",
        name,
        container("transmit-rate", leaf("rate", _RATE, implied=True), flag("exact"), inline=True),
        container("buffer-size", leaf("percent", number(0, 100)), leaf("temporal", _COUNT), flag("remainder"), inline=True),
        leaf("priority", _PRIORITIES),
    ),
)

# --- DHCP relay and pools

_SERVER_GROUPS = container("server-group", entry("server-group", name, entry("address", address, implied=True), implied=True))
_ACTIVE = _named("active-server-group", "active-server-group")
_OVERRIDES = container(
    "overrides",
    *_flags("allow-no-end-option", "allow-snooped-clients", "no-allow-snooped-clients", "always-write-giaddr", "no-arp", "proxy-mode"),
    *_flags("trust-option-82", "always-process-option-request-option", "rapid-commit"),
    leaf("interface-client-limit", number(1, 500000)),
    leaf("delegated-pool", name),
)


def _agent(statement: str) -> Statement:
    described = leaf("use-interface-description", one_of("device", "logical"))
    return container(statement, described, flag("include-irb-and-l2"), container("prefix", flag("host-name")), presence=True)


_OPTION_82 = container("relay-option-82", _agent("circuit-id"), _agent("remote-id"), presence=True)
_OPTIONS_V6 = (_agent("relay-agent-interface-id"), _agent("relay-agent-remote-id"))


def _relay(*more: Statement) -> tuple[Statement, ...]:
    clients = entry("interface", logical_interface, leaf("upto", logical_interface), *_flags("exclude", "trace"), _OVERRIDES)
    common = (_ACTIVE, flag("forward-only"), _OVERRIDES, *more)
    return _SERVER_GROUPS, *common, entry("group", name, leaf("dynamic-profile", name), *common, clients)


_DHCP_RELAY = container("dhcp-relay", container("dhcpv6", *_relay(*_OPTIONS_V6)), *_relay(_OPTION_82))

_HOST = entry("host", name, leaf("hardware-address", text), leaf("user-name", text), leaf("ip-address", address), leaf("prefix", prefix))
_RANGE = entry("range", name, leaf("low", text), leaf("high", text), leaf("prefix-length", number(1, 128)))
_ATTRIBUTES = container(
    "dhcp-attributes",
    leaf("domain-name", name),
    leaf("maximum-lease-time", _COUNT),
    entry("name-server", address),
    entry("router", address),
    entry("dns-server", ipv6),
)
_POOL = entry(
    "pool",
    name,
    container(
        "family",
        container("inet", leaf("network", prefix), _RANGE, _HOST, _ATTRIBUTES, presence=True),
        container("inet6", leaf("prefix", prefix), _RANGE, _HOST, _ATTRIBUTES, presence=True),
        joined=True,
    ),
)

# --- routes and router advertisements

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
            *_flags("managed-configuration", "no-managed-configuration", "other-stateful-configuration", "no-other-stateful-configuration"),
            entry("dns-server-address", ipv6, leaf("lifetime", _COUNT)),
            entry(
                "prefix",
                prefix,
                *_flags("autonomous", "no-autonomous", "on-link", "no-on-link"),
                leaf("valid-lifetime", _COUNT),
                leaf("preferred-lifetime", _COUNT),
            ),
        ),
    ),
)

_METRICS = (leaf("metric", _COUNT), leaf("preference", _COUNT), leaf("tag", _COUNT))
_ACCESS = container("access", entry("route", prefix, leaf("next-hop", text), *_METRICS))
_STATIC = container(
    "static",
    entry(
        "route",
        prefix,
        entry("next-hop", text),
        entry("qualified-next-hop", text, leaf("metric", _COUNT), leaf("preference", _COUNT)),
        *_flags("discard", "reject", "readvertise", "no-readvertise"),
        *_METRICS,
    ),
)
_ROUTING_OPTIONS = container("routing-options", entry("rib", name, _STATIC, _ACCESS), _STATIC, _ACCESS, leaf("router-id", ipv4))

_ROUTING_INSTANCES = container(
    "routing-instances",
    entry(
        "instance",
        name,
        leaf("description", text),
        leaf("instance-type", one_of("vrf", "virtual-router", "forwarding", "no-forwarding")),
        entry("interface", logical_interface),
        leaf("route-distinguisher", text),
        leaf("vrf-target", text),
        flag("vrf-table-label"),
        _ROUTING_OPTIONS,
        container("forwarding-options", _DHCP_RELAY),
        implied=True,
    ),
)

TOP = container(
    "configuration",
    container(
        "system",
        leaf("host-name", name),
        leaf("domain-name", name),
        entry("name-server", address),
        container("services", container("netconf", container("ssh", presence=True)), container("ssh", presence=True)),
        container("ntp", entry("server", address, leaf("key", _COUNT), flag("prefer"), leaf("version", number(1, 4)))),
    ),
    _INTERFACES,
    container("forwarding-options", _DHCP_RELAY),
    container("policy-options", entry("prefix-list", name, entry("prefix-list-item", prefix, implied=True))),
    _ROUTING_INSTANCES,
    _ROUTING_OPTIONS,
    _PROTOCOLS,
    _CLASS_OF_SERVICE,
    _FIREWALL,
    container("access", container("address-assignment", _POOL)),
)
"""The root: what stands at [edit]."""
