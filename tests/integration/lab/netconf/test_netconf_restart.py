"""What survives the OLT's process: running, ONTs and identity do, sessions and what was not confirmed do not."""

from collections.abc import Callable
from pathlib import Path

import pytest

from lab.remote import Remote
from lab.standin import Endpoint, running
from tests.netconf_wire import IF, Wire, canonical, has_interface, interface, interfaces, named, session

CONFIRMED = "<commit><confirmed/><confirm-timeout>60</confirm-timeout><persist>T-3</persist></commit>"


def stop(_: Endpoint) -> None:
    """Leaving the `with` block of `running` ends it with SIGTERM."""


def kill(endpoint: Endpoint) -> None:
    Remote(endpoint).kill()


@pytest.mark.parametrize("end", [stop, kill])
def test_running_survives_and_an_unconfirmed_commit_does_not(tmp_path: Path, end: Callable[[Endpoint], None]) -> None:
    folder = tmp_path / "OLT-EAST-07"
    with running("olt", "OLT-EAST-07", folder) as endpoint, session(endpoint, tmp_path) as wire:
        wire.change(interfaces(interface("kept")))
        before = canonical(wire.running())
        wire.do(wire.edit(interfaces(interface("unconfirmed"), '<interface nc:operation="delete"><name>kept</name></interface>')))
        wire.do(CONFIRMED)
        assert has_interface(wire, "unconfirmed")
        Remote(endpoint).post("/onts", {"serial": "HWTC02340098"})
        end(endpoint)
    with running("olt", "OLT-EAST-07", folder) as again, session(again, tmp_path) as wire:
        assert (again.port, again.control) == (endpoint.port, endpoint.control)
        assert canonical(wire.running()) == before
        assert wire.tag("<commit><persist-id>T-3</persist-id></commit>") == "invalid-value"
        assert [ont["serial"] for ont in Remote(again).state()["onts"]] == ["HWTC02340098"]
        wire.do("<validate><source><running/></source></validate>")


def test_day_0(tmp_path: Path) -> None:
    with running("olt", "OLT-EAST-07", tmp_path / "OLT-EAST-07") as endpoint, session(endpoint, tmp_path) as wire:
        wire.do("<validate><source><running/></source></validate>")
        names = {
            name.text
            for name in wire.running(f'<interfaces xmlns="{IF}"><interface><name/></interface></interfaces>').iter(f"{{{IF}}}name")
        }
        expected = {f"{kind}-{card}.{port}" for kind in ("CG", "CPART", "CPAIR", "CT") for card in (1, 2, 3) for port in range(1, 17)}
        assert names == {"uplink-1", *expected}
        text = Remote(endpoint).state()["running"]
        for there in ("LC3.PON12", "TDP-RES-50M", "DHCP-RES", "CL-RES-TC0"):
            assert f"<name>{there}</name>" in text
        assert "BW-200-50-RES" not in text


def test_a_switch(tmp_path: Path) -> None:
    with running("switch", "ASW-EAST-07", tmp_path / "ASW-EAST-07") as endpoint, session(endpoint, tmp_path) as wire:
        wire.do("<validate><source><running/></source></validate>")
        for name in ("uplink-1", "olt-1"):
            assert wire.get(named(name)).findtext(f".//{{{IF}}}oper-status") == "up"
        assert wire.running('<forwarding xmlns="urn:bbf:yang:bbf-l2-forwarding"/>').find("*") is None


def test_lines_for_benchmarks(tmp_path: Path) -> None:
    folder = tmp_path / "OLT-EAST-07"
    folder.mkdir()
    (folder / "options.json").write_text('{"onts": 70}')
    with running("olt", "OLT-EAST-07", folder) as endpoint, session(endpoint, tmp_path) as wire:
        wire.do("<validate><source><running/></source></validate>")
        for name in ("v-ani-1.1.1", "v-ani-1.1.64", "v-ani-1.2.6"):
            assert has_interface(wire, name)
        assert not has_interface(wire, "v-ani-1.2.7")


def test_known_hosts_has_the_key_of_the_device(tmp_path: Path) -> None:
    with running("olt", "OLT-EAST-07", tmp_path / "OLT-EAST-07") as endpoint:
        line = (tmp_path / "known_hosts").read_text()
        assert line.startswith(f"[127.0.0.1]:{endpoint.port} ssh-ed25519 ")
        wire = Wire(endpoint, tmp_path)
        key = wire._transport.get_remote_server_key()
        wire.close()
        assert f"{key.get_name()} {key.get_base64()}" in line
