"""What only the stand-in can be made to show: kills, restarts, faults, its whole content."""

import json
from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest

from lab.credentials import credentials
from lab.remote import Remote
from lab.standin import Endpoint, running


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return tmp_path / "netbox"


@pytest.fixture
def endpoint(folder: Path) -> Iterator[Endpoint]:
    with running("netbox", "netbox", folder) as endpoint:
        yield endpoint


def ask(folder: Path, endpoint: Endpoint, method: str, path: str, body: object = None) -> httpx.Response:
    headers = {"Authorization": f"Token {credentials(folder.parent).netbox_token}"}
    return httpx.request(method, f"{endpoint.url}/api/{path}", json=body, headers=headers, timeout=2, trust_env=False)


def make(folder: Path, endpoint: Endpoint, path: str, **body: object) -> int:
    answer = ask(folder, endpoint, "POST", path, body)
    assert answer.status_code == 201, answer.text
    return int(answer.json()["id"])


def tag(folder: Path, endpoint: Endpoint, name: str) -> httpx.Response:
    return ask(folder, endpoint, "POST", "extras/tags/", {"name": name, "slug": name})


def names(folder: Path, endpoint: Endpoint) -> list[str]:
    return [found["name"] for found in ask(folder, endpoint, "GET", "extras/tags/").json()["results"]]


def test_what_was_answered_survives_a_kill(folder: Path) -> None:
    with running("netbox", "netbox", folder) as endpoint:
        for number in range(20):
            assert tag(folder, endpoint, f"t{number}").status_code == 201
        Remote(endpoint).kill()
    with running("netbox", "netbox", folder) as again:
        assert names(folder, again) == [f"t{number}" for number in range(20)]
        assert again.url == endpoint.url


def test_a_pool_goes_on_where_it_was(folder: Path) -> None:
    with running("netbox", "netbox", folder) as endpoint:
        pool = make(folder, endpoint, "ipam/prefixes/", prefix="10.42.17.0/24")
        path = f"ipam/prefixes/{pool}/available-ips/"
        assert ask(folder, endpoint, "POST", path, {}).json()["address"] == "10.42.17.1/24"
        Remote(endpoint).kill()
    with running("netbox", "netbox", folder) as endpoint:
        assert ask(folder, endpoint, "POST", path, {}).json()["address"] == "10.42.17.2/24"


def test_each_version_has_content_of_its_own(folder: Path) -> None:
    with running("netbox", "netbox", folder) as endpoint:
        tag(folder, endpoint, "new")
        assert ask(folder, endpoint, "GET", "status/").json()["netbox-version"] == "4.6.8"
    (folder / "options.json").write_text(json.dumps({"version": "4.4"}))
    with running("netbox", "netbox", folder) as endpoint:
        assert ask(folder, endpoint, "GET", "status/").json()["netbox-version"] == "4.4.10"
        assert names(folder, endpoint) == []


def test_options_that_are_not_known_are_refused(folder: Path) -> None:
    folder.mkdir()
    (folder / "options.json").write_text(json.dumps({"version": "3.7"}))
    with pytest.raises(RuntimeError, match="did not become ready"), running("netbox", "netbox", folder):
        pass


def test_a_refusal_is_a_500_of_netbox_or_what_is_asked_for(folder: Path, endpoint: Endpoint) -> None:
    Remote(endpoint).fail("POST /api/extras/tags/", "refuse")
    answer = tag(folder, endpoint, "a")
    assert answer.status_code == 500
    assert answer.json()["netbox_version"] == "4.6.8"
    Remote(endpoint).fail("POST /api/extras/tags/", "refuse", status=503, error={"detail": "maintenance"})
    answer = tag(folder, endpoint, "a")
    assert (answer.status_code, answer.json()) == (503, {"detail": "maintenance"})
    assert tag(folder, endpoint, "a").status_code == 201


def test_a_pool_is_full_on_demand(folder: Path, endpoint: Endpoint) -> None:
    pool = make(folder, endpoint, "ipam/prefixes/", prefix="10.42.17.0/24")
    group = make(folder, endpoint, "ipam/vlan-groups/", name="g", slug="g")
    Remote(endpoint).fail("* /api/ipam/*/available-*", "exhaust", times=None)
    path = f"ipam/prefixes/{pool}/available-ips/"
    answer = ask(folder, endpoint, "POST", path, [{}, {}])
    assert answer.status_code == 409
    assert "(2 requested, 0 available)" in answer.json()["detail"]
    assert ask(folder, endpoint, "GET", path).json() == []
    assert ask(folder, endpoint, "POST", f"ipam/prefixes/{pool}/available-prefixes/", {"prefix_length": 28}).status_code == 409
    assert ask(folder, endpoint, "POST", f"ipam/vlan-groups/{group}/available-vlans/", {"name": "v"}).status_code == 409
    Remote(endpoint).fail("GET /api/dcim/interfaces/", "exhaust")
    assert ask(folder, endpoint, "GET", "dcim/interfaces/").json()["results"] == []


def test_an_answer_may_be_lost_after_the_claim_took_effect(folder: Path, endpoint: Endpoint) -> None:
    """The timeout after which the adapter must look up its mark before it asks again."""
    Remote(endpoint).fail("POST /api/extras/tags/", "drop", when="after")
    with pytest.raises(httpx.RemoteProtocolError):
        tag(folder, endpoint, "lost")
    assert names(folder, endpoint) == ["lost"]


def test_an_answer_may_never_come(folder: Path, endpoint: Endpoint) -> None:
    Remote(endpoint).fail("POST /api/extras/tags/", "hang")
    with pytest.raises(httpx.ReadTimeout):
        tag(folder, endpoint, "never")
    assert names(folder, endpoint) == []


def test_a_slow_answer_does_not_stop_others(folder: Path, endpoint: Endpoint) -> None:
    Remote(endpoint).fail("POST /api/extras/tags/", "slow", seconds=60.0)
    with pytest.raises(httpx.ReadTimeout):
        tag(folder, endpoint, "slow")
    assert tag(folder, endpoint, "quick").status_code == 201


def test_the_state_is_all_objects_by_model_without_tokens(folder: Path, endpoint: Endpoint) -> None:
    key = make(folder, endpoint, "extras/tags/", name="a", slug="a")
    state = Remote(endpoint).state()
    assert [(found["id"], found["slug"]) for found in state["extras.tag"]] == [(key, "a")]
    assert "users.token" not in state
    assert credentials(folder.parent).netbox_token not in json.dumps(state)


def test_the_secret_of_a_token_is_kept_as_a_digest(folder: Path, endpoint: Endpoint) -> None:
    assert ask(folder, endpoint, "GET", "status/").status_code == 200
    secret = credentials(folder.parent).netbox_token_v2.partition(".")[2].encode()
    kept = b"".join(path.read_bytes() for path in folder.glob("netbox-4.6.sqlite*"))
    assert kept
    assert secret not in kept
