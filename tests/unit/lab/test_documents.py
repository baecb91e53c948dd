"""The store of the HTTP stand-ins."""

from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest

from lab.documents import Documents


@pytest.fixture
def documents(tmp_path: Path) -> Iterator[Documents]:
    with closing(Documents(tmp_path / "state.db")) as documents:
        yield documents


def test_what_was_put_is_there_for_the_next_process(documents: Documents, tmp_path: Path) -> None:
    documents.put("tag", "a", {"n": 1})
    documents.put("tag", "a", {"n": 2})
    with closing(Documents(tmp_path / "state.db")) as again:
        assert again.get("tag", "a") == {"n": 2}
        assert again.delete("tag", "a")
        assert not again.delete("tag", "a")
    assert documents.get("tag", "a") is None


def test_a_collection_comes_in_the_order_of_its_keys_or_a_part_of_it(documents: Documents) -> None:
    for key in ("b/2", "a/1", "b/1", "c", "b"):
        documents.put("hook", key, {})
    documents.put("other", "b/3", {})
    assert [key for key, _ in documents.all("hook")] == ["a/1", "b", "b/1", "b/2", "c"]
    assert [key for key, _ in documents.all("hook", "b/")] == ["b/1", "b/2"]


def test_a_transaction_is_all_or_nothing(documents: Documents) -> None:
    def fail_halfway() -> None:
        with documents.transaction():
            documents.put("tag", "a", {})
            raise OSError("power cut")

    with pytest.raises(OSError, match="power cut"):
        fail_halfway()
    assert documents.get("tag", "a") is None
    with documents.transaction():
        documents.put("tag", "a", {})
    assert documents.get("tag", "a") == {}


def test_a_number_is_given_once(documents: Documents, tmp_path: Path) -> None:
    assert [documents.next_number("device", 89_012) for _ in range(2)] == [89_012, 89_013]
    with closing(Documents(tmp_path / "state.db")) as again:
        assert again.next_number("device", 89_012) == 89_014
    assert documents.next_number("parcel", 1) == 1
