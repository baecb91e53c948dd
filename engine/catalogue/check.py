"""What can be wrong with a catalogue although each entry by itself is right: references, dependencies, expressions, templates."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from graphlib import CycleError, TopologicalSorter

from engine.catalogue import characteristics as values
from engine.catalogue.catalogue import Catalogue
from engine.catalogue.check_expressions import Found, check_expressions, template_files
from engine.catalogue.check_failures import check_failures
from engine.catalogue.models import Characteristic, ProductSpecification, Rule, Scalar, ServiceSpecification, Specification
from engine.catalogue.names import POOLS, RESERVED_NAMES, reservations
from engine.catalogue.problems import TEMPLATES, Path, Problem
from engine.catalogue.rehearsal import rehearse
from engine.suggest import unknown

FORMATS = {"xml", "set", "json"}


def check(catalogue: Catalogue) -> list[Problem]:
    """Everything that is wrong, in the order of files and lines; empty for a catalogue that can be used."""
    place = catalogue.sources.problem
    found = [
        *_references(catalogue),
        *_dependencies(catalogue),
        *_characteristics(catalogue),
        *_reservations(catalogue),
        *_policies(catalogue),
        *check_failures(catalogue),
        *_templates(catalogue),
        *check_expressions(catalogue),
    ]
    if not found:
        found = list(rehearse(catalogue))
    return sorted({place(path, message) for path, message in found})


def _references(catalogue: Catalogue) -> Found:
    for offering in catalogue.offerings.values():
        yield from _exists(("offerings", offering.id, "specification"), "product specification", offering.specification, catalogue.products)
    for kind, what, entries, below in (
        ("products", "service specification", catalogue.products, catalogue.services),
        ("services", "resource specification", catalogue.services, catalogue.resources),
    ):
        for found in entries.values():
            for n, rule in enumerate(_rules(found)):
                yield from _exists((kind, found.id, "decompose", n, "specification"), what, rule.specification, below)
    for service in catalogue.services.values():
        for n, name in enumerate(service.online_after):
            yield from _exists(("services", service.id, "online_after", n), "resource specification", name, catalogue.resources)
    for resource in catalogue.resources.values():
        for n, name in enumerate(resource.depends_on):
            yield from _exists(("resources", resource.id, "depends_on", n), "resource specification", name, catalogue.resources)
        for name, reservation in resource.reserve.items():
            if reservation.activated_by is not None:
                path = ("resources", resource.id, "reserve", name, "activated_by")
                yield from _exists(path, "resource specification", reservation.activated_by, catalogue.resources)


def _exists(path: Path, what: str, name: str, known: Iterable[str]) -> Found:
    if name not in known:
        yield path, unknown(what, name, known)


def _rules(found: Specification) -> tuple[Rule, ...]:
    return found.decompose if isinstance(found, ProductSpecification | ServiceSpecification) else ()


def _dependencies(catalogue: Catalogue) -> Found:
    graph = {r.id: [name for name in r.depends_on if name in catalogue.resources] for r in catalogue.resources.values()}
    try:
        TopologicalSorter(graph).prepare()
    except CycleError as error:
        # graphlib gives the circle from what is needed to what needs it; people read it the other way round
        circle = list(reversed(error.args[1]))
        yield ("resources", circle[0], "depends_on"), f"dependency circle: {' -> '.join(circle)}"


def _characteristics(catalogue: Catalogue) -> Found:
    for kind, entries in (("products", catalogue.products), ("services", catalogue.services), ("resources", catalogue.resources)):
        for found in entries.values():
            for name, characteristic in found.characteristics.items():
                yield from _characteristic((kind, found.id, "characteristics", name), characteristic)
    for offering in catalogue.offerings.values():
        product = catalogue.products.get(offering.specification)
        for part, given in (("characteristics", offering.characteristics), ("defaults", offering.defaults)):
            if product is not None:
                yield from _given(("offerings", offering.id, part), product, given)
        for name in offering.characteristics.keys() & offering.defaults.keys():
            yield ("offerings", offering.id, "defaults", name), f"`{name}` is fixed by the offering already"
    for kind, above, below in (("products", catalogue.products, catalogue.services), ("services", catalogue.services, catalogue.resources)):
        for found in above.values():
            for n, rule in enumerate(_rules(found)):
                if rule.specification in below:
                    path = (kind, found.id, "decompose", n, "characteristics")
                    yield from _given(path, below[rule.specification], rule.characteristics)


def _characteristic(path: Path, characteristic: Characteristic) -> Found:
    name = str(path[-1])
    if not name.isidentifier() or hasattr(dict, name):
        # Jinja gives the method of a mapping before its key: `c.values` would be none of ours
        yield path, f"`{name}` cannot be used in expressions: letters, digits and _ only, and no method of a mapping (items, values ...)"
    if characteristic.pattern is not None:
        try:
            re.compile(characteristic.pattern)
        except re.error as error:
            yield (*path, "pattern"), f"not a regular expression: {error}"
            return
    for n, value in enumerate(characteristic.values):
        for complaint in values.complaints(characteristic.model_copy(update={"values": ()}), value):
            yield (*path, "values", n), f"the value {complaint}"
    default = characteristic.default
    if default is not None and not _has_expression(default):
        for complaint in values.complaints(characteristic, default):
            yield (*path, "default"), f"the default {complaint}"
    if characteristic.secret and default is not None:
        yield (*path, "default"), "a secret has no default: everyone who reads the catalogue would know it; `generate` makes one"
    if characteristic.generate is not None and not characteristic.secret:
        yield (*path, "generate"), "only a secret is generated"


def _given(path: Path, specification: Specification, given: Mapping[str, Scalar]) -> Found:
    """Values that an offering or a rule sets: constants are looked at, expressions can only be looked at when they are evaluated."""
    for name, value in given.items():
        if name not in specification.characteristics:
            yield (*path, name), unknown(f"characteristic of {specification.id}", name, specification.characteristics)
        elif not _has_expression(value):
            for complaint in values.complaints(specification.characteristics[name], value):
                yield (*path, name), f"`{name}` of {specification.id} {complaint}"


def _has_expression(value: Scalar) -> bool:
    return isinstance(value, str) and ("{{" in value or "{%" in value)


def _reservations(catalogue: Catalogue) -> Found:
    owners: dict[str, str] = {}
    known = reservations(catalogue)
    for resource in catalogue.resources.values():
        here: Path = ("resources", resource.id)
        for name, reservation in resource.reserve.items():
            path: Path = (*here, "reserve", name)
            if name in owners:
                yield path, f"`{name}` is reserved by {owners[name]} already: allocations are known by name in the whole order"
            owners.setdefault(name, resource.id)
            if not name.isidentifier() or name in RESERVED_NAMES:
                yield path, f"`{name}` cannot be an allocation's name: it has another meaning in expressions, or none"
            for n, other in enumerate(reservation.requires):
                yield from _exists((*path, "requires", n), "reservation", other, known)
            keys = POOLS[reservation.kind]
            for key in reservation.pool.keys() - keys.keys():
                yield (*path, "pool", key), unknown(f"key of a pool of kind {reservation.kind}", key, keys)
            for key in sorted(name for name, needed in keys.items() if needed and name not in reservation.pool):
                yield (*path, "pool"), f"`{key}` is missing: a pool of kind {reservation.kind} is found by it"
        for n, other in enumerate(resource.uses):
            yield from _exists((*here, "uses", n), "reservation", other, known)


def _policies(catalogue: Catalogue) -> Found:
    matches: dict[tuple[tuple[str, str], ...], str] = {}
    keys = {key for policy in catalogue.policies.values() for key in policy.match}
    for policy in catalogue.policies.values():
        match = tuple(sorted((key, str(value)) for key, value in policy.match.items()))
        if match in matches:
            yield ("policies", policy.name, "match"), f"{matches[match]} is for the same values: {policy.name} would never be chosen"
        matches.setdefault(match, policy.name)
    for resource in catalogue.resources.values():
        for key in resource.policy:
            yield from _exists(("resources", resource.id, "policy", key), "key of a policy's `match`", key, keys)


def _templates(catalogue: Catalogue) -> Found:
    """The file names below templates/, and that no template is there twice for one platform."""
    seen: dict[tuple[str, str], str] = {}
    for path, (platform, name) in template_files(catalogue).items():
        if path.count("/") != 1 or not name or path.removesuffix(".j2").rpartition(".")[2] not in FORMATS:
            yield (TEMPLATES, path), "the name must be <platform>/<template>.<xml|set|json>.j2"
        elif (platform, name) in seen:
            yield (TEMPLATES, path), f"{seen[platform, name]} is the same template for the same platform"
        seen.setdefault((platform, name), path)
