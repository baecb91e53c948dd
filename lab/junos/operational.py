"""Operational commands: who the router is, since when it runs, which interfaces it has. As much as PyEZ's facts and NAPALM ask for."""

import time
from collections.abc import Iterator, Mapping
from xml.sax.saxutils import escape

from lab.junos.history import Commit
from lab.junos.tree import Key, Tree, lookup

MODEL = "mx204"
VERSION = "24.4R1.9"
JUNOS = "http://xml.juniper.net/junos/24.4R1/junos"


def moment(tag: str, at: float) -> str:
    """Return a time as Junos writes it, for people and in an attribute for programs."""
    text = time.strftime("%Y-%m-%d %H:%M:%S UTC", time.gmtime(at))
    return f'<{tag}><date-time xmlns:junos="{JUNOS}" junos:seconds="{int(at)}">{text}</date-time></{tag}>'


def software_information(host_name: str) -> str:
    """Answer get-software-information."""
    return (
        f"<software-information><host-name>{escape(host_name)}</host-name><product-model>{MODEL}</product-model>"
        f"<product-name>{MODEL}</product-name><junos-version>{VERSION}</junos-version></software-information>"
    )


def chassis_inventory(host_name: str) -> str:
    """Answer get-chassis-inventory."""
    serial = f"LAB{sum(host_name.encode()):05d}"
    chassis = f"<name>Chassis</name><serial-number>{serial}</serial-number><description>MX204</description>"
    return f"<chassis-inventory><chassis>{chassis}</chassis></chassis-inventory>"


def route_engine_information(started: float) -> str:
    """Answer get-route-engine-information."""
    seconds = int(time.time() - started)
    return (
        "<route-engine-information><route-engine><slot>0</slot><mastership-state>master</mastership-state><status>OK</status>"
        f'<model>RE-S-1600x8</model><up-time xmlns:junos="{JUNOS}" junos:seconds="{seconds}">{seconds} seconds</up-time>'
        "<last-reboot-reason>Router rebooted after a normal shutdown.</last-reboot-reason></route-engine></route-engine-information>"
    )


def system_uptime(started: float) -> str:
    """Answer get-system-uptime-information."""
    times = moment("current-time", time.time()) + moment("system-booted-time", started)
    return f"<system-uptime-information>{times}</system-uptime-information>"


def commit_information(commits: list[Commit]) -> str:
    """Answer get-commit-information: the last commits, newest first."""
    entries = "".join(
        f"<commit-history><sequence-number>{number}</sequence-number>{_commit(commit)}</commit-history>"
        for number, commit in enumerate(commits)
    )
    return f"<commit-information>{entries}</commit-information>"


def commit_revision(commit: Commit) -> str:
    """Answer get-commit-revision-information: the last commit."""
    return f"<commit-revision-information><revision>{commit.revision}</revision>{_commit(commit)}</commit-revision-information>"


def _commit(commit: Commit) -> str:
    when = moment("x", commit.at).removeprefix("<x>").removesuffix("</x>")
    comment = f"<comment>{escape(commit.comment)}</comment>" if commit.comment else ""
    log = f"<log>{escape(commit.log)}</log>" if commit.log else ""
    return f"<user>{escape(commit.user)}</user><client>{commit.client}</client>{when}{comment}{log}"


def interface_information(tree: Tree) -> str:
    """Answer get-interface-information: all configured interfaces, up unless disabled."""
    return f"<interface-information>{''.join(_interfaces(tree))}</interface-information>"


def _interfaces(tree: Tree) -> Iterator[str]:
    interfaces = lookup(tree, (Key("interfaces"),))
    for key, content in interfaces.items() if isinstance(interfaces, Mapping) else ():
        if not isinstance(content, Mapping):
            continue
        state = "down" if Key("disable") in content else "up"
        units = "".join(
            f"<logical-interface><name>{key.identifier}.{unit.identifier}</name><if-config-flags><iff-up/></if-config-flags></logical-interface>"
            for unit in content
            if unit.name == "unit"
        )
        yield (
            f"<physical-interface><name>{key.identifier}</name><admin-status>{state}</admin-status>"
            f"<oper-status>{state}</oper-status>{_described(content)}{units}</physical-interface>"
        )


def _described(content: Tree) -> str:
    description = content.get(Key("description"))
    return f"<description>{escape(description)}</description>" if isinstance(description, str) else ""
