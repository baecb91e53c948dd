"""What we rely on in FreeRADIUS with rlm_sql: the rows we write are what the BNG is told."""

from radius_client import PROFILE, Server

from lab.radius.packet import Code


def test_who_has_no_rows_is_rejected(server: Server, user: str) -> None:
    assert server.log_in(user, "secret").code is Code.ACCESS_REJECT


def test_the_rows_of_a_service_are_what_the_bng_is_told(server: Server, user: str) -> None:
    server.provision(user, "secret")
    reply = "INSERT INTO radgroupreply (groupname, attribute, op, value) VALUES (:group, :attribute, ':=', :value)"
    server.write(reply, group=PROFILE, attribute="ERX-Qos-Profile-Name", value=PROFILE)
    server.write(reply, group=PROFILE, attribute="Acct-Interim-Interval", value="300")
    answer = server.log_in(user, "secret")
    assert answer.code is Code.ACCESS_ACCEPT
    assert answer.get("Framed-IP-Address") == "10.42.17.22"
    assert answer.get("Delegated-IPv6-Prefix") == "2001:db8:42:17::/64"
    assert answer.get("Class") == "SI-INT-4821"
    assert answer.get("ERX-Qos-Profile-Name") == PROFILE
    assert answer.get("Acct-Interim-Interval") == "300"


def test_the_wrong_password_is_rejected(server: Server, user: str) -> None:
    server.provision(user, "secret")
    assert server.log_in(user, "guess").code is Code.ACCESS_REJECT


def test_a_check_item_must_match_the_request(server: Server, user: str) -> None:
    server.provision(user, "secret")
    check = "INSERT INTO radcheck (username, attribute, op, value) VALUES (:user, 'NAS-Port-Id', '==', :port)"
    server.write(check, user=user, port="ae1.1042")
    assert server.log_in(user, "secret", ("NAS-Port-Id", "ae1.1043")).code is Code.ACCESS_REJECT
    assert server.log_in(user, "secret", ("NAS-Port-Id", "ae1.1042")).code is Code.ACCESS_ACCEPT


def test_rows_that_are_deleted_end_the_service(server: Server, user: str) -> None:
    server.provision(user, "secret")
    server.clean(user)
    assert server.log_in(user, "secret").code is Code.ACCESS_REJECT


def test_an_attribute_that_the_dictionary_lacks_spoils_the_answer(server: Server, user: str) -> None:
    server.provision(user, "secret")
    server.write("INSERT INTO radreply (username, attribute, op, value) VALUES (:user, 'Favourite-Colour', '=', 'red')", user=user)
    assert server.log_in(user, "secret").code is Code.ACCESS_REJECT


def test_accounting_says_who_is_online_since_when(server: Server, user: str) -> None:
    session = (
        ("User-Name", user),
        ("NAS-IP-Address", "192.0.2.1"),
        ("Acct-Session-Id", "contract-1"),
        ("Framed-IP-Address", "10.42.17.22"),
        ("Delegated-IPv6-Prefix", "2001:db8:42:17::/64"),
        ("Class", "SI-INT-4821"),
    )
    for status in ("Start", "Interim-Update"):
        assert server.ask(Code.ACCOUNTING_REQUEST, (*session, ("Acct-Status-Type", status))).code is Code.ACCOUNTING_RESPONSE
    (row,) = server.read("SELECT * FROM radacct WHERE username = :user", user=user)
    assert (row["framedipaddress"], row["delegatedipv6prefix"]) == ("10.42.17.22", "2001:db8:42:17::/64")
    assert row["acctstarttime"]
    assert row["acctstoptime"] is None
    server.ask(Code.ACCOUNTING_REQUEST, (*session, ("Acct-Status-Type", "Stop"), ("Acct-Session-Time", "60")))
    (row,) = server.read("SELECT * FROM radacct WHERE username = :user", user=user)
    assert row["acctstoptime"]
    assert row["acctsessiontime"] == 60
