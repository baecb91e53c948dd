"""Shared files, credentials and host keys."""

import json
import multiprocessing
import stat
from pathlib import Path

import pytest

from lab.credentials import Credentials, credentials
from lab.files import locked, write_atomically
from lab.hostkeys import host_key, make_known, public_key


def mode(path: Path) -> int:
    return stat.S_IMODE(path.stat().st_mode)


def test_a_file_that_cannot_be_written_leaves_the_old_one_and_no_rubbish(tmp_path: Path) -> None:
    path = tmp_path / "file"
    write_atomically(path, "old")
    with pytest.raises(UnicodeEncodeError):
        write_atomically(path, "\ud800")
    assert path.read_text() == "old"
    assert list(tmp_path.iterdir()) == [path]


def test_credentials_are_made_once_and_are_nobody_elses_to_read(tmp_path: Path) -> None:
    first = credentials(tmp_path, "OLT-EAST-07")
    assert credentials(tmp_path, "OLT-EAST-07") == first
    assert mode(tmp_path / "credentials.json") == 0o600
    assert credentials(tmp_path / "another", "OLT-EAST-07") != first


def test_the_login_of_a_further_device_is_added(tmp_path: Path) -> None:
    first = credentials(tmp_path, "OLT-EAST-07")
    second = credentials(tmp_path, "BNG-EAST-01")
    assert second.devices["OLT-EAST-07"] == first.devices["OLT-EAST-07"]
    assert second.devices["BNG-EAST-01"].password != first.devices["OLT-EAST-07"].password
    assert (second.kea, second.netbox_token) == (first.kea, first.netbox_token)


def test_printing_them_shows_no_secret(tmp_path: Path) -> None:
    known = credentials(tmp_path, "OLT-EAST-07")
    content = json.loads((tmp_path / "credentials.json").read_text())
    secrets = [value for name, value in content.items() if isinstance(value, str)]
    secrets += [content[name]["password"] for name in ("kea", "acs", "cwmp")] + [content["devices"]["OLT-EAST-07"]["password"]]
    assert len(set(secrets)) == len(secrets) == 10
    assert not [secret for secret in secrets if secret in repr(known)]


def test_the_tokens_have_netbox_shape(tmp_path: Path) -> None:
    known = credentials(tmp_path)
    assert len(known.netbox_token) == 40
    key, token = known.netbox_token_v2.removeprefix("nbt_").split(".")
    assert (len(key), len(token)) == (12, 40)


def _ask(lab: Path, results: "multiprocessing.Queue[Credentials]", name: str) -> None:
    results.put(credentials(lab, name))


def test_processes_that_ask_at_once_get_the_same(tmp_path: Path) -> None:
    context = multiprocessing.get_context("spawn")
    results: multiprocessing.Queue[Credentials] = context.Queue()
    processes = [context.Process(target=_ask, args=(tmp_path, results, f"OLT-{number}")) for number in range(3)]
    with locked(tmp_path / "credentials.json"):
        for process in processes:
            process.start()
    found = [results.get(timeout=30) for _ in processes]
    for process in processes:
        process.join()
    assert len({one.kea for one in found}) == 1
    assert sorted(credentials(tmp_path).devices) == ["OLT-0", "OLT-1", "OLT-2"]


def test_a_host_key_stays_and_is_known_under_its_present_address_only(tmp_path: Path) -> None:
    device = tmp_path / "OLT-EAST-07"
    key = public_key(host_key(device))
    assert public_key(host_key(device)) == key
    assert mode(device / "ssh_host_ed25519_key") == 0o600
    other = public_key(host_key(tmp_path / "ASW-EAST-07"))
    make_known(tmp_path, "127.0.0.1", 830, key)
    make_known(tmp_path, "127.0.0.1", 831, other)
    make_known(tmp_path, "127.0.0.1", 832, key)
    assert (tmp_path / "known_hosts").read_text().splitlines() == [f"[127.0.0.1]:831 {other}", f"[127.0.0.1]:832 {key}"]
    assert key.startswith("ssh-ed25519 AAAA")
