"""What we rely on in Kea's control channel (Kea 3.0 with host_cmds)."""

import pytest
from kea_daemon import Daemon

MAC = "48:57:54:34:00:98"
DUID = f"00:03:00:01:{MAC}"


def reserve(dhcp4: Daemon, address: str = "10.42.17.22", mac: str = MAC) -> dict[str, object]:
    return dhcp4.add(subnet_id=42, hw_address=mac, ip_address=address, hostname="cpe-4821", user_context={"service": "SI-INT-4821"})


def test_without_the_login_there_is_nothing(dhcp4: Daemon) -> None:
    answer = dhcp4.post({"command": "list-commands"}, login=("kea-api", "guess"))
    assert answer.status_code == 401
    assert answer.headers["www-authenticate"].startswith("Basic")


def test_what_is_no_command_is_a_bad_request(dhcp4: Daemon) -> None:
    assert dhcp4.post(["no", "command"]).status_code == 400


def test_it_says_what_it_can(dhcp4: Daemon, dhcp6: Daemon) -> None:
    needed = {"config-get", "config-write", "list-commands", "status-get"}
    needed |= {f"reservation-{verb}" for verb in ("add", "get", "get-all", "get-by-address", "get-by-id", "del", "update")}
    assert needed | {"lease4-get"} <= set(dhcp4.ask("list-commands")["arguments"])
    assert needed | {"lease6-get"} <= set(dhcp6.ask("list-commands")["arguments"])
    assert dhcp4.ask("status-get")["arguments"]["pid"] > 0


def test_a_command_it_does_not_know_is_result_2(dhcp4: Daemon) -> None:
    assert dhcp4.ask("reservation-explode") == {"result": 2, "text": "'reservation-explode' command not supported."}


def test_a_reservation_is_found_in_every_way_once_it_is_there(dhcp4: Daemon) -> None:
    assert reserve(dhcp4) == {"result": 0, "text": "Host added."}
    found = dhcp4.ask("reservation-get", subnet_id=42, ip_address="10.42.17.22")
    assert (found["result"], found["text"]) == (0, "Host found.")
    host = found["arguments"]
    wanted = {"hw-address": MAC, "ip-address": "10.42.17.22", "hostname": "cpe-4821", "subnet-id": 42}
    assert wanted.items() <= host.items()
    assert host["user-context"] == {"service": "SI-INT-4821"}
    for command, arguments in (
        ("reservation-get-all", {"subnet_id": 42}),
        ("reservation-get-by-address", {"ip_address": "10.42.17.22"}),
        ("reservation-get-by-id", {"identifier_type": "hw-address", "identifier": MAC}),
    ):
        answer = dhcp4.ask(command, **arguments)
        assert (answer["result"], answer["text"]) == (0, "1 IPv4 host(s) found.")
        assert answer["arguments"]["hosts"] == [host]


def test_an_identifier_is_the_same_in_any_notation(dhcp4: Daemon) -> None:
    reserve(dhcp4, mac=MAC.upper())
    answer = dhcp4.ask("reservation-get", subnet_id=42, identifier_type="hw-address", identifier=MAC.replace(":", ""))
    assert answer["arguments"]["hw-address"] == MAC


def test_what_is_not_there_is_result_3(dhcp4: Daemon) -> None:
    assert dhcp4.ask("reservation-get", subnet_id=42, ip_address="10.42.17.99") == {"result": 3, "text": "Host not found."}
    assert dhcp4.ask("reservation-get-by-address", ip_address="10.42.17.99")["result"] == 3
    gone = dhcp4.ask("reservation-del", subnet_id=42, identifier_type="hw-address", identifier=MAC, operation_target="memory")
    assert gone == {"result": 3, "text": "Host not deleted (not found)."}
    assert dhcp4.ask("lease4-get", ip_address="10.42.17.99") == {"result": 3, "text": "Lease not found."}


def test_the_same_client_twice_is_refused(dhcp4: Daemon) -> None:
    reserve(dhcp4)
    answer = reserve(dhcp4, address="10.42.17.23")
    assert answer["result"] == 1
    assert "as this host has already been added" in str(answer["text"])


def test_the_same_address_twice_is_refused(dhcp4: Daemon) -> None:
    reserve(dhcp4)
    answer = reserve(dhcp4, mac="48:57:54:34:00:99")
    assert answer["result"] == 1
    assert "There's already a reservation for this address" in str(answer["text"])


@pytest.mark.parametrize(
    ("reservation", "text"),
    [
        ({"subnet_id": 42, "ip_address": "192.0.2.1"}, "is not matching the IPv4 subnet prefix '10.42.17.0/24'"),
        ({"subnet_id": 4711, "ip_address": "10.42.17.22"}, "IPv4 subnet with ID of '4711' is not configured"),
        ({"subnet_id": 42, "ip_address": "10.42.17.22", "colour": "red"}, "colour"),
        ({"subnet_id": 42, "ip_address": "10.42.17.300"}, "10.42.17.300"),
        ({"subnet_id": 42}, "must include at least one resource"),
    ],
)
def test_what_makes_no_sense_is_refused_in_words(dhcp4: Daemon, reservation: dict[str, object], text: str) -> None:
    answer = dhcp4.add(hw_address=MAC, **reservation)
    assert answer["result"] == 1
    assert text in answer["text"]
    assert dhcp4.ask("reservation-get-all", subnet_id=42)["result"] == 3


def test_changes_go_to_the_memory_only_when_told_so(dhcp4: Daemon) -> None:
    reservation = {"subnet-id": 42, "hw-address": MAC, "ip-address": "10.42.17.22"}
    answer = dhcp4.ask("reservation-add", reservation=reservation)
    assert answer["result"] == 1
    assert "database not available" in answer["text"]
    answer = dhcp4.ask("reservation-add", reservation=reservation, operation_target="cloud")
    assert "not within expected set: (memory, database, all, default)" in answer["text"]


def test_an_update_replaces_the_whole_reservation(dhcp4: Daemon) -> None:
    reserve(dhcp4)
    changed = {"subnet-id": 42, "hw-address": MAC, "ip-address": "10.42.17.23"}
    assert dhcp4.ask("reservation-update", reservation=changed, operation_target="memory") == {"result": 0, "text": "Host updated."}
    assert dhcp4.ask("reservation-get", subnet_id=42, ip_address="10.42.17.22")["result"] == 3
    host = dhcp4.ask("reservation-get", subnet_id=42, ip_address="10.42.17.23")["arguments"]
    assert (host["hw-address"], host["hostname"]) == (MAC, "")
    other = {**changed, "hw-address": "48:57:54:34:00:99"}
    answer = dhcp4.ask("reservation-update", reservation=other, operation_target="memory")
    assert answer == {"result": 1, "text": "Host not updated (not found)."}


def test_what_was_deleted_can_be_given_to_another(dhcp4: Daemon) -> None:
    reserve(dhcp4)
    gone = dhcp4.ask("reservation-del", subnet_id=42, ip_address="10.42.17.22", operation_target="memory")
    assert gone == {"result": 0, "text": "Host deleted."}
    assert reserve(dhcp4, mac="48:57:54:34:00:99")["result"] == 0


def test_a_delegated_prefix_is_reserved_by_duid(dhcp6: Daemon) -> None:
    assert dhcp6.add(subnet_id=42, duid=DUID, prefixes=["2001:db8:42:17::/64"]) == {"result": 0, "text": "Host added."}
    host = dhcp6.ask("reservation-get", subnet_id=42, identifier_type="duid", identifier=DUID)["arguments"]
    assert (host["prefixes"], host["ip-addresses"]) == (["2001:db8:42:17::/64"], [])
    assert dhcp6.ask("reservation-get", subnet_id=42, ip_address="2001:db8:42:17::")["arguments"] == host
    again = dhcp6.add(subnet_id=42, duid=f"{DUID}:01", prefixes=["2001:db8:42:17::/64"])
    assert again["result"] == 1
    assert "There's already reservation for this address/prefix" in again["text"]
    assert dhcp6.ask("lease6-get", type="IA_PD", ip_address="2001:db8:42:17::")["result"] == 3


def test_the_configuration_shows_subnets_and_reservations(dhcp4: Daemon) -> None:
    before = dhcp4.ask("config-get")["arguments"]["hash"]
    reserve(dhcp4)
    arguments = dhcp4.ask("config-get")["arguments"]
    assert arguments["hash"] != before
    subnet = next(subnet for subnet in arguments["Dhcp4"]["subnet4"] if subnet["id"] == 42)
    assert subnet["subnet"] == "10.42.17.0/24"
    assert [host["hw-address"] for host in subnet["reservations"]] == [MAC]
