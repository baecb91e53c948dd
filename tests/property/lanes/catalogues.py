"""Random catalogues: resources that depend on each other, are configured on a few targets, waited for and reserved."""

from __future__ import annotations

from collections.abc import Mapping

from hypothesis import strategies as st

from engine.catalogue.catalogue import Catalogue
from engine.catalogue.models import (
    CatalogueFile,
    Check,
    Configuration,
    FailureRule,
    ProductOffering,
    ProductSpecification,
    Reservation,
    ResourceSpecification,
    Rule,
    ServiceSpecification,
    SharedFragment,
    Wait,
)

TARGETS = ("D0", "D1", "D2")
OFFERING = "PO-ANY"
_WHO = {"who": "{{ service.id }}/{{ item.specification }}"}
_AGAIN: Mapping[str, int | float] = {"limit": 10_000, "backoff": 1.0, "backoff_max": 4.0, "jitter": 0.0}


@st.composite
def catalogues(draw: st.DrawFn) -> Catalogue:
    """One offering, one or two services, up to five resources."""
    names = [f"RFS:{number}" for number in range(draw(st.integers(1, 5)))]
    resources = tuple(draw(_resource(name, names[:number])) for number, name in enumerate(names))
    services = tuple(draw(_service(f"CFS:{number}", names)) for number in range(draw(st.integers(1, 2))))
    product = ProductSpecification(
        id="PS-ANY", name="any", instance="PI-{{ customer.number }}", decompose=tuple(Rule(specification=s.id) for s in services)
    )
    offering = ProductOffering(
        id=OFFERING,
        name="any",
        specification=product.id,
        online_gates=draw(st.booleans()),
        on_shortage=draw(st.sampled_from(("go-on", "wait"))),
    )
    content = CatalogueFile(
        offerings=(offering,), products=(product,), services=services, resources=resources, failure_policy=draw(_policies())
    )
    return Catalogue.of(content, {})


@st.composite
def _resource(draw: st.DrawFn, name: str, earlier: list[str]) -> ResourceSpecification:
    number = name.partition(":")[2]
    needs = tuple(draw(st.lists(st.sampled_from(earlier), max_size=2, unique=True))) if earlier else ()
    shared = (SharedFragment(key="policy/all", template="policy"),) if draw(st.booleans()) else ()
    return ResourceSpecification(
        id=name,
        name=name,
        depends_on=needs,
        reserve={f"r{number}": Reservation(kind="vlan", pool={"group": "any"})} if draw(st.booleans()) else {},
        configure=tuple(
            Configuration(target=target, template=f"t{number}", shared=shared, check=(Check(name="seen", arguments=_WHO),))
            for target in draw(st.lists(st.sampled_from(TARGETS), min_size=0 if needs else 1, max_size=2, unique=True))
        ),
        wait_before=tuple(draw(_waits("before"))),
        wait=tuple(draw(_waits("after"))),
    )


@st.composite
def _waits(draw: st.DrawFn, until: str) -> list[Wait]:
    if draw(st.integers(0, 3)):
        return []
    return [Wait(target=draw(st.sampled_from(TARGETS)), until=until, arguments=_WHO, poll=20.0, outside=draw(st.booleans()))]


@st.composite
def _service(draw: st.DrawFn, name: str, resources: list[str]) -> ServiceSpecification:
    chosen = draw(st.lists(st.sampled_from(resources), min_size=1, unique=True))
    return ServiceSpecification(
        id=name,
        name=name,
        instance=f"SI{name.partition(':')[2]}-{{{{ customer.number }}}}",
        decompose=tuple(Rule(specification=resource) for resource in sorted(chosen)),
        online=Wait(target=draw(st.sampled_from(TARGETS)), until="online", arguments={"who": "{{ service.id }}"}, poll=20.0)
        if draw(st.booleans())
        else None,
    )


@st.composite
def _policies(draw: st.DrawFn) -> tuple[FailureRule, ...]:
    """What may pass is tried again as long as it takes; what is meant holds the order or fails it."""
    meant = tuple(
        FailureRule(error=error, then=draw(st.sampled_from(("hold", "fallout", "fail", "reject"))))
        for error in ("template", "refused", "check")
    )
    again = tuple(FailureRule(error=error, then="retry", **_AGAIN) for error in ("unreachable", "locked"))  # type: ignore[arg-type]
    return (*meant, *again, FailureRule(then="fallout"))
