"""What the devices hold before the first order, as an engineer left it when they were installed.

OLT-EAST-07: chassis, three line cards with 16 GPON ports each, the uplink, and what all services share and no order brings along.
The policing profiles and policies of the products are not here: they come with the orders.
"""

from collections.abc import Iterable, Iterator
from string import Template

from lxml import etree

from lab.netconf.names import BASE, parse

LINE_CARDS = 3
PORTS = 16
ONUS_PER_PORT = 64

_NAMESPACES = " ".join(
    f'xmlns:{prefix}="{namespace}"'
    for prefix, namespace in {
        "ianahw": "urn:ietf:params:xml:ns:yang:iana-hardware",
        "bbf-hwt": "urn:bbf:yang:bbf-hardware-types",
        "bbf-xponift": "urn:bbf:yang:bbf-xpon-if-type",
        "bbf-xpon-types": "urn:bbf:yang:bbf-xpon-types",
        "bbfift": "urn:bbf:yang:bbf-if-type",
        "ianaift": "urn:ietf:params:xml:ns:yang:iana-if-type",
        "bbf-qos-cls": "urn:bbf:yang:bbf-qos-classifiers",
        "bbf-dot1qt": "urn:bbf:yang:bbf-dot1q-types",
    }.items()
)

_SHARED = """
<classifiers xmlns="urn:bbf:yang:bbf-qos-classifiers">
  <classifier-entry>
    <name>CL-RES-TC0</name>
    <filter-operation>bbf-qos-cls:match-all-filter</filter-operation>
    <match-criteria><match-all/></match-criteria>
    <classifier-action-entry-cfg>
      <action-type>bbf-qos-cls:scheduling-traffic-class</action-type>
      <scheduling-traffic-class>0</scheduling-traffic-class>
    </classifier-action-entry-cfg>
  </classifier-entry>
</classifiers>
<xpongemtcont xmlns="urn:bbf:yang:bbf-xpongemtcont">
  <traffic-descriptor-profiles>
    <traffic-descriptor-profile>
      <name>TDP-RES-50M</name>
      <fixed-bandwidth>0</fixed-bandwidth>
      <assured-bandwidth>5000000</assured-bandwidth>
      <maximum-bandwidth>50000000</maximum-bandwidth>
      <additional-bw-eligibility-indicator>non-assured-sharing</additional-bw-eligibility-indicator>
    </traffic-descriptor-profile>
  </traffic-descriptor-profiles>
</xpongemtcont>
<l2-dhcpv4-relay-profiles xmlns="urn:bbf:yang:bbf-l2-dhcpv4-relay">
  <l2-dhcpv4-relay-profile>
    <name>DHCP-RES</name>
    <max-packet-size>1500</max-packet-size>
    <option82-format>
      <suboptions>circuit-id</suboptions>
      <suboptions>remote-id</suboptions>
      <default-circuit-id-syntax>Access-Node-ID xpon Slot/Port/ONUID:N2VID</default-circuit-id-syntax>
      <default-remote-id-syntax/>
    </option82-format>
  </l2-dhcpv4-relay-profile>
</l2-dhcpv4-relay-profiles>
"""

_CHASSIS = Template("<component><name>$name</name><class>ianahw:chassis</class></component>")
_CHILD = Template(
    "<component><name>$name</name><class>bbf-hwt:$kind</class><parent>$parent</parent><parent-rel-pos>$position</parent-rel-pos></component>"
)
_FRONT_PORT = Template("<component><name>$name</name><class>bbf-hwt:transceiver-link</class></component>")

_ETHERNET = Template("""
<interface>
  <name>$name</name>
  <type>ianaift:ethernetCsmacd</type>
  <enabled>true</enabled>
  <hardware-component xmlns="urn:bbf:yang:bbf-hardware"><port-layer-if>$hardware</port-layer-if></hardware-component>
</interface>
""")

_PON_PORT = Template("""
<interface>
  <name>CG-$port</name>
  <type>bbf-xponift:channel-group</type>
  <enabled>true</enabled>
  <channel-group xmlns="urn:bbf:yang:bbf-xpon">
    <polling-period>100</polling-period>
    <system-id>00000</system-id>
    <pon-pools><pon-pool><name>pool-1</name><channel-termination-ref>CT-$port</channel-termination-ref></pon-pool></pon-pools>
  </channel-group>
</interface>
<interface>
  <name>CPART-$port</name>
  <type>bbf-xponift:channel-partition</type>
  <enabled>true</enabled>
  <channel-partition xmlns="urn:bbf:yang:bbf-xpon">
    <channel-group-ref>CG-$port</channel-group-ref>
    <channel-partition-index>0</channel-partition-index>
    <downstream-fec>true</downstream-fec>
    <closest-onu-distance>0</closest-onu-distance>
    <maximum-differential-xpon-distance>20</maximum-differential-xpon-distance>
    <authentication-method>serial-number</authentication-method>
  </channel-partition>
</interface>
<interface>
  <name>CPAIR-$port</name>
  <type>bbf-xponift:channel-pair</type>
  <enabled>true</enabled>
  <channel-pair xmlns="urn:bbf:yang:bbf-xpon">
    <channel-group-ref>CG-$port</channel-group-ref>
    <channel-partition-ref>CPART-$port</channel-partition-ref>
    <channel-pair-type>bbf-xpon-types:gpon</channel-pair-type>
  </channel-pair>
</interface>
<interface>
  <name>CT-$port</name>
  <description>$device LC$card port $number</description>
  <type>bbf-xponift:channel-termination</type>
  <enabled>true</enabled>
  <channel-termination xmlns="urn:bbf:yang:bbf-xpon">
    <channel-pair-ref>CPAIR-$port</channel-pair-ref>
    <channel-termination-type>bbf-xpon-types:gpon</channel-termination-type>
    <location>bbf-xpon-types:inside-olt</location>
  </channel-termination>
  <hardware-component xmlns="urn:bbf:yang:bbf-hardware"><port-layer-if>LC$card.PON$number</port-layer-if></hardware-component>
</interface>
""")


def olt(device: str, onts: int = 0) -> etree._Element:
    """Return the day-0 configuration of an OLT; with `onts` also that many lines, filling its ports from LC1 port 1 on (for benchmarks).

    Raises ValueError when it has not that many ports.
    """
    if onts > LINE_CARDS * PORTS * ONUS_PER_PORT:
        raise ValueError(f"{device} takes {LINE_CARDS * PORTS * ONUS_PER_PORT} ONTs, not {onts}")
    cards = range(1, LINE_CARDS + 1)
    components = [_CHASSIS.substitute(name=device), _FRONT_PORT.substitute(name="NT.UPLINK1")]
    components += [part for card in cards for part in _board(device, card)]
    interfaces = [_ETHERNET.substitute(name="uplink-1", hardware="NT.UPLINK1")]
    interfaces += [port for card in cards for port in _pon_ports(device, card)]
    return _config(_SHARED, _hardware(components), _interfaces(interfaces), *_lines(onts))


def line_card(device: str, slot: int) -> etree._Element:
    """Return what an engineer adds to an OLT when a line card is fitted: the board and its ports."""
    return _config(_hardware(_board(device, slot)), _interfaces(_pon_ports(device, slot)))


def _board(device: str, card: int) -> Iterator[str]:
    yield _child(f"LC{card}", "board", device, card)
    for number in range(1, PORTS + 1):
        name = f"LC{card}.PON{number}"
        yield _child(f"{name}.SFP", "transceiver", f"LC{card}", number)
        yield _child(name, "transceiver-link", f"{name}.SFP", 1)


def _pon_ports(device: str, card: int) -> Iterator[str]:
    for number in range(1, PORTS + 1):
        yield _PON_PORT.substitute(port=f"{card}.{number}", device=device, card=card, number=number)


def switch(device: str) -> etree._Element:
    """Return the day-0 configuration of an access switch: `uplink-1` to the BNG, `olt-1` to the OLT, nothing forwarded between them."""
    components = [_CHASSIS.substitute(name=device), _FRONT_PORT.substitute(name="PORT.UPLINK1"), _FRONT_PORT.substitute(name="PORT.OLT1")]
    ports = [_ETHERNET.substitute(name="uplink-1", hardware="PORT.UPLINK1"), _ETHERNET.substitute(name="olt-1", hardware="PORT.OLT1")]
    return _config(_hardware(components), _interfaces(ports))


def _child(name: str, kind: str, parent: str, position: int) -> str:
    return _CHILD.substitute(name=name, kind=kind, parent=parent, position=position)


def _hardware(components: Iterable[str]) -> str:
    return f'<hardware xmlns="urn:ietf:params:xml:ns:yang:ietf-hardware">{"".join(components)}</hardware>'


def _interfaces(interfaces: Iterable[str]) -> str:
    return f'<interfaces xmlns="urn:ietf:params:xml:ns:yang:ietf-interfaces">{"".join(interfaces)}</interfaces>'


def _config(*parts: str) -> etree._Element:
    return parse(f'<config xmlns="{BASE}" {_NAMESPACES}>{"".join(parts)}</config>'.encode())


# --- lines for benchmarks

_LINE_INTERFACES = Template("""
<interface>
  <name>v-ani-$ont</name>
  <type>bbf-xponift:v-ani</type>
  <enabled>true</enabled>
  <v-ani xmlns="urn:bbf:yang:bbf-xponvani">
    <channel-partition>CPART-$port</channel-partition>
    <onu-id>$onu</onu-id>
    <expected-serial-number>$serial</expected-serial-number>
    <preferred-channel-pair>CPAIR-$port</preferred-channel-pair>
  </v-ani>
</interface>
<interface>
  <name>olt-v-enet-$ont</name>
  <type>bbf-xponift:olt-v-enet</type>
  <enabled>true</enabled>
  <olt-v-enet xmlns="urn:bbf:yang:bbf-xponvani"><lower-layer-interface>v-ani-$ont</lower-layer-interface></olt-v-enet>
</interface>
<interface>
  <name>olt-v-enet-$ont.$vlan</name>
  <type>bbfift:vlan-sub-interface</type>
  <enabled>true</enabled>
  <interface-usage xmlns="urn:bbf:yang:bbf-interface-usage"><interface-usage>user-port</interface-usage></interface-usage>
  <subif-lower-layer xmlns="urn:bbf:yang:bbf-sub-interfaces"><interface>olt-v-enet-$ont</interface></subif-lower-layer>
  $tagging
</interface>
<interface>
  <name>uplink-1.$vlan</name>
  <type>bbfift:vlan-sub-interface</type>
  <enabled>true</enabled>
  <interface-usage xmlns="urn:bbf:yang:bbf-interface-usage"><interface-usage>network-port</interface-usage></interface-usage>
  <subif-lower-layer xmlns="urn:bbf:yang:bbf-sub-interfaces"><interface>uplink-1</interface></subif-lower-layer>
  $tagging
</interface>
""")
_TAGGING = Template("""
  <inline-frame-processing xmlns="urn:bbf:yang:bbf-sub-interfaces">
    <ingress-rule>
      <rule>
        <name>rule_1</name>
        <priority>100</priority>
        <flexible-match>
          <match-criteria xmlns="urn:bbf:yang:bbf-sub-interface-tagging">
            <tag>
              <index>0</index>
              <dot1q-tag>
                <tag-type>bbf-dot1qt:c-vlan</tag-type><vlan-id>$vlan</vlan-id><pbit>any</pbit><dei>any</dei>
              </dot1q-tag>
            </tag>
          </match-criteria>
        </flexible-match>
      </rule>
    </ingress-rule>
  </inline-frame-processing>
""")
_TCONT = Template(
    "<tcont><name>tcont-$ont-1</name><interface-reference>v-ani-$ont</interface-reference>"
    "<traffic-descriptor-profile-ref>TDP-RES-50M</traffic-descriptor-profile-ref></tcont>"
)
_GEM = Template(
    "<gemport><name>gem-$ont-1</name><interface>olt-v-enet-$ont</interface><traffic-class>0</traffic-class>"
    "<downstream-aes-indicator>true</downstream-aes-indicator><tcont-ref>tcont-$ont-1</tcont-ref></gemport>"
)
_FORWARDER = Template(
    "<forwarder><name>fwd-$vlan</name><ports><port><name>user-$ont</name><sub-interface>olt-v-enet-$ont.$vlan</sub-interface></port>"
    "<port><name>network</name><sub-interface>uplink-1.$vlan</sub-interface></port></ports></forwarder>"
)
_FIRST_VLAN = 2000


def _lines(count: int) -> Iterator[str]:
    """Lines like those of an order, without the ONT's own interfaces. Each has a VLAN of its own, from 2000 on, then from 2."""
    lines = []
    for index in range(count):
        port, onu = divmod(index, ONUS_PER_PORT)
        card, number = divmod(port, PORTS)
        name = f"{card + 1}.{number + 1}"
        vlan = (_FIRST_VLAN - 2 + index) % 4093 + 2
        values = {"port": name, "onu": onu + 1, "ont": f"{name}.{onu + 1}", "serial": f"BNCH{index:08X}", "vlan": vlan}
        lines.append({**values, "tagging": _TAGGING.substitute(values)})
    if lines:
        yield _interfaces(_LINE_INTERFACES.substitute(line) for line in lines)
        tconts, gems = ("".join(template.substitute(line) for line in lines) for template in (_TCONT, _GEM))
        yield f'<xpongemtcont xmlns="urn:bbf:yang:bbf-xpongemtcont"><tconts>{tconts}</tconts><gemports>{gems}</gemports></xpongemtcont>'
        forwarders = "".join(_FORWARDER.substitute(line) for line in lines)
        yield f'<forwarding xmlns="urn:bbf:yang:bbf-l2-forwarding"><forwarders>{forwarders}</forwarders></forwarding>'
