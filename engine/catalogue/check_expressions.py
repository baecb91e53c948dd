"""Expressions and templates that ask for names which their place does not have."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping

from engine import expressions
from engine.catalogue import names as vocabulary
from engine.catalogue.catalogue import Catalogue
from engine.catalogue.models import Configuration, ResourceSpecification, Rule, ServiceSpecification, Specification, Wait
from engine.catalogue.names import Names
from engine.catalogue.problems import Path
from engine.errors import TemplateFailed
from engine.expressions import Reading
from engine.suggest import unknown

Found = Iterator[tuple[Path, str]]
"""Way to what is wrong, and what is wrong with it."""

PARTS = "parts"
"""Folder below templates/ with what other templates include."""


def check_expressions(catalogue: Catalogue) -> Found:
    """Every string with expressions and every template, each with the names that its place has."""
    for product in catalogue.products.values():
        here: Path = ("products", product.id)
        yield from _text(catalogue, (*here, "instance"), product.instance, vocabulary.of_instance(product))
        yield from _defaults(catalogue, here, product)
        yield from _rules(catalogue, here, product, product.decompose, catalogue.services)
    for service in catalogue.services.values():
        here = ("services", service.id)
        yield from _text(catalogue, (*here, "instance"), service.instance, vocabulary.of_instance(service))
        yield from _defaults(catalogue, here, service)
        yield from _rules(catalogue, here, service, service.decompose, catalogue.resources)
        if service.online is not None:
            known = vocabulary.of_item(catalogue, service, _seen_online(catalogue, service))
            yield from _wait(catalogue, (*here, "online"), service.online, known)
    for resource in catalogue.resources.values():
        yield from _resource(catalogue, ("resources", resource.id), resource)
    for path, text in catalogue.templates.items():
        yield from _readable(catalogue, path, text)


def _resource(catalogue: Catalogue, here: Path, resource: ResourceSpecification) -> Found:
    yield from _defaults(catalogue, here, resource)
    for key, text in resource.policy.items():
        yield from _text(catalogue, (*here, "policy", key), text, vocabulary.of_policy(resource))
    before = vocabulary.of_item(catalogue, resource, ())  # nothing is allocated yet when pools are looked for
    for name, reservation in resource.reserve.items():
        for key, text in reservation.pool.items():
            yield from _text(catalogue, (*here, "reserve", name, "pool", key), text, before)
    known = vocabulary.of_item(catalogue, resource, vocabulary.usable(catalogue, resource))
    for part, waits in (("wait_before", resource.wait_before), ("wait", resource.wait)):
        for n, wait in enumerate(waits):
            yield from _wait(catalogue, (*here, part, n), wait, known)
    if resource.returned is not None:
        yield from _wait(catalogue, (*here, "returned"), resource.returned, known)
    for n, configuration in enumerate(resource.configure):
        yield from _configuration(catalogue, (*here, "configure", n), configuration, known)
    for n, line in enumerate(resource.report):
        yield from _text(catalogue, (*here, "report", n, "value"), line.value, known)


def _configuration(catalogue: Catalogue, here: Path, configuration: Configuration, known: Names) -> Found:
    yield from _text(catalogue, (*here, "target"), configuration.target, known)
    yield from _used(catalogue, (*here, "template"), configuration.template, known)
    if configuration.given_back_by is not None:
        yield from _used(catalogue, (*here, "given_back_by"), configuration.given_back_by, known)
    for n, shared in enumerate(configuration.shared):
        yield from _text(catalogue, (*here, "shared", n, "key"), shared.key, known)
        yield from _used(catalogue, (*here, "shared", n, "template"), shared.template, known)
    for n, check in enumerate(configuration.check):
        for name, text in check.arguments.items():
            yield from _text(catalogue, (*here, "check", n, "arguments", name), text, known)


def _wait(catalogue: Catalogue, here: Path, wait: Wait, known: Names) -> Found:
    yield from _text(catalogue, (*here, "target"), wait.target, known)
    for name, text in wait.arguments.items():
        yield from _text(catalogue, (*here, "arguments", name), text, known)


def _defaults(catalogue: Catalogue, here: Path, found: Specification) -> Found:
    for name, characteristic in found.characteristics.items():
        if isinstance(characteristic.default, str):
            yield from _text(
                catalogue, (*here, "characteristics", name, "default"), characteristic.default, vocabulary.of_default(catalogue, found)
            )


def _rules(catalogue: Catalogue, here: Path, found: Specification, rules: tuple[Rule, ...], below: Mapping[str, Specification]) -> Found:
    known = vocabulary.of_rule(catalogue, found)
    secrets = {f"c.{name}" for name, characteristic in found.characteristics.items() if characteristic.secret}
    for n, rule in enumerate(rules):
        path: Path = (*here, "decompose", n)
        if rule.when is not None:
            yield from _names(catalogue, (*path, "when"), expressions.names_of_condition, rule.when, known)
        declared = below[rule.specification].characteristics if rule.specification in below else {}
        for name, text in rule.characteristics.items():
            if isinstance(text, str):
                place: Path = (*path, "characteristics", name)
                yield from _text(catalogue, place, text, known)
                if name in declared and not declared[name].secret and secrets & _read(text):
                    yield place, f"gives a secret to `{name}` of {rule.specification}, which is not secret"


def _seen_online(catalogue: Catalogue, service: ServiceSpecification) -> set[str]:
    """Allocations of what the service is made of and what must be complete before it is looked for."""
    names = {rule.specification for rule in service.decompose} | set(service.online_after)
    return {name for r in names if r in catalogue.resources for name in vocabulary.usable(catalogue, catalogue.resources[r])}


# ---------------------------------------------------------------------------------------------------------------- templates


def _used(catalogue: Catalogue, path: Path, template: str, known: Names) -> Found:
    """A template that a specification names: there for some platform, and asking for nothing that the item does not have."""
    files = [file for file, identity in template_files(catalogue).items() if identity[1] == template]
    if not files:
        yield path, unknown("template", template, {name for _, name in template_files(catalogue).values()})
    for file in files:
        for part, reading in _with_included(catalogue, file):
            for name, line in reading.names.items():
                complaint = vocabulary.missing(name, known)
                if complaint:
                    yield ("templates", part, line), f"{complaint} [used by {path[1]}]{_reserved_elsewhere(catalogue, name, known)}"


def template_files(catalogue: Catalogue) -> dict[str, tuple[str, str]]:
    """Platform and name of each template by its path; parts, which only other templates include, are none."""
    found = {}
    for path in catalogue.templates:
        platform, _, file = path.partition("/")
        if platform != PARTS:
            found[path] = (platform, file.removesuffix(".j2").rpartition(".")[0])
    return found


def _with_included(catalogue: Catalogue, file: str) -> Iterator[tuple[str, Reading]]:
    """A template and all that it includes, with what they ask for."""
    seen: set[str] = set()
    todo = {file}
    while todo:
        current = todo.pop()
        if current not in seen and current in catalogue.templates:
            seen.add(current)
            reading = expressions.read_template(catalogue.templates[current])
            todo |= reading.included
            yield current, reading


def _readable(catalogue: Catalogue, file: str, text: str) -> Found:
    """Jinja, and nothing included that is not there."""
    reading = expressions.read_template(text)
    if reading.error is not None:
        yield ("templates", file, reading.error[0]), reading.error[1]
    for name in reading.included - catalogue.templates.keys():
        yield ("templates", file), unknown("template to include", name, {t for t in catalogue.templates if t.startswith(f"{PARTS}/")})


# -------------------------------------------------------------------------------------------------------------- expressions


def _text(catalogue: Catalogue, path: Path, text: str, known: Names) -> Found:
    yield from _names(catalogue, path, expressions.names, text, known)


def _names(catalogue: Catalogue, path: Path, names_in: Callable[[str], frozenset[str]], text: str, known: Names) -> Found:
    try:
        found = names_in(text)
    except TemplateFailed as error:
        yield path, error.message
        return
    for name in sorted(found):
        complaint = vocabulary.missing(name, known)
        if complaint:
            yield path, complaint + _reserved_elsewhere(catalogue, name, known)


def _read(text: str) -> frozenset[str]:
    try:
        return expressions.names(text)
    except TemplateFailed:
        return frozenset()


def _reserved_elsewhere(catalogue: Catalogue, name: str, known: Names) -> str:
    """What to do when the name is an allocation that this item cannot count on."""
    allocation = name.partition(".")[0]
    owner = next((r.id for r in catalogue.resources.values() if allocation in r.reserve), None)
    if owner is None or allocation in known:
        return ""
    return f"; {owner} reserves `{allocation}`: depend on it, or name `{allocation}` in `uses`"
