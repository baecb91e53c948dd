"""Contract with NetBox: who may do what."""

import httpx
import pytest
from netbox_world import World


def _ask(netbox: World, authorization: str | None, method: str = "GET") -> httpx.Response:
    headers = {"Authorization": authorization} if authorization else {}
    name = netbox.name("never")
    return httpx.request(method, f"{netbox.url}/api/extras/tags/", headers=headers, json={"name": name, "slug": name}, timeout=60)


def test_no_token_is_403(netbox: World) -> None:
    """NetBox has no 401: a missing token is told by the text."""
    answer = _ask(netbox, None)
    assert answer.status_code == 403
    assert answer.json() == {"detail": "Authentication credentials were not provided."}


@pytest.mark.parametrize("token", ["0" * 40, "nbt_000000000000." + "0" * 40])
def test_a_wrong_token_is_403(netbox: World, token: str) -> None:
    """`wrong token` is an error of its own code in the adapter, which sees a 403 that speaks of the token."""
    answer = _ask(netbox, f"Token {token}")
    assert answer.status_code == 403
    assert "token" in answer.json()["detail"].lower()


def test_4_6_takes_either_word_4_4_only_token(netbox: World) -> None:
    """nornir-netbox always says `Token`, pynetbox says `Bearer` for nbt_ tokens: both must work on 4.6."""
    assert _ask(netbox, f"Token {netbox.token}").status_code == 200
    expected = 200 if netbox.version >= (4, 5) else 403
    assert _ask(netbox, f"Bearer {netbox.token}").status_code == expected


def test_a_token_that_may_only_read_is_refused_when_it_writes(netbox: World) -> None:
    """403 on writing: an operator who gave us a read-only token is told so before anything is claimed."""
    user = netbox.get("users/tokens/")["results"][0]["user"]["id"]
    made = netbox.make("users/tokens/", user=user, write_enabled=False)
    secret = f"nbt_{made['key']}.{made['token']}" if made.get("version") == 2 else made.get("token") or made["key"]
    assert _ask(netbox, f"Token {secret}").status_code == 200
    answer = _ask(netbox, f"Token {secret}", "POST")
    assert answer.status_code == 403
    assert answer.json() == {"detail": "You do not have permission to perform this action."}


def test_a_deleted_token_is_worthless(netbox: World) -> None:
    """Revoking a token takes effect at once."""
    user = netbox.get("users/tokens/")["results"][0]["user"]["id"]
    made = netbox.make("users/tokens/", user=user)
    secret = f"nbt_{made['key']}.{made['token']}" if made.get("version") == 2 else made.get("token") or made["key"]
    assert _ask(netbox, f"Token {secret}").status_code == 200
    assert netbox.http.delete(f"/api/users/tokens/{made['id']}/").status_code == 204
    assert _ask(netbox, f"Token {secret}").status_code == 403


def test_every_answer_says_its_version(netbox: World) -> None:
    """The adapter reads from API-Version which features there are, also from an error."""
    for authorization in (None, netbox.authorization):
        major, minor = _ask(netbox, authorization).headers["API-Version"].split(".")
        assert (int(major), int(minor)) == netbox.version
    assert netbox.get("status/")["netbox-version"].startswith(f"{netbox.version[0]}.{netbox.version[1]}.")
