"""Whatever is asked of a prefix, what it gives is the lowest free prefixes of these lengths, or nothing."""

import ipaddress
from contextlib import closing

from hypothesis import given
from hypothesis import strategies as st

from lab.netbox import available
from lab.netbox.addresses import bounds
from lab.netbox.errors import ApiError
from lab.netbox.openapi import OpenApi
from lab.netbox.session import Session, Stamps
from lab.netbox.store import Row, Store
from lab.netbox.tables import Registry

REGISTRY = Registry(OpenApi("4.6"))
PARENT = ipaddress.ip_network("10.0.0.0/24")


def _prefix(network: ipaddress.IPv4Network) -> Row:
    first, last = bounds(network)
    return {"prefix": str(network), "vrf": None, "_vrf": 0, "_table": 0, "_start": first, "_end": last, "_mask": network.prefixlen}


def _by_trying(taken: set[ipaddress.IPv4Network], lengths: list[int]) -> list[str] | None:
    """Try every prefix in order: slow, and surely right."""
    used, given_ = list(taken), []
    for length in lengths:
        found = next((each for each in PARENT.subnets(new_prefix=length) if not any(each.overlaps(other) for other in used)), None)
        if found is None:
            return None
        used.append(found)
        given_.append(str(found))
    return given_


def _by_asking(taken: set[ipaddress.IPv4Network], lengths: list[int]) -> list[str] | None:
    with closing(Store(":memory:", REGISTRY)) as store:
        for network in taken:
            store.insert(REGISTRY.by_label["ipam.prefix"], _prefix(network))
        try:
            given_ = available.fit(Session(store, REGISTRY, Stamps()), _prefix(PARENT), [{"prefix_length": length} for length in lengths])
        except ApiError as error:
            if error.status == 409:
                return None
            raise
        return [body["prefix"] for body in given_]


SUBNETS = st.integers(25, 32).flatmap(lambda length: st.sampled_from(list(PARENT.subnets(new_prefix=length))))


@given(taken=st.sets(SUBNETS, max_size=20), lengths=st.lists(st.integers(25, 32), min_size=1, max_size=8))
def test_the_lowest_free_prefixes_are_given_or_none(taken: set[ipaddress.IPv4Network], lengths: list[int]) -> None:
    assert _by_asking(taken, lengths) == _by_trying(taken, lengths)
