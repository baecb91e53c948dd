"""All that the catalogue says about one RFS, in words, with what follows from the failure policy for each of its steps."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from fnmatch import fnmatchcase

from engine.catalogue.catalogue import Catalogue
from engine.catalogue.check_failures import class_of_codes
from engine.catalogue.failure_words import words
from engine.catalogue.models import Characteristic, Configuration, Reservation, ResourceSpecification, Wait
from engine.errors import ErrorClass
from engine.model import StepKind

_NO_RETURN = {
    "start": "as soon as it has begun",
    "configured": "once it is configured",
    "complete": "once it is complete",
    "never": "never: it can be taken back at any time",
}


@dataclass(frozen=True)
class Heading:
    """Something that is said of an RFS."""

    title: str
    lines: tuple[str, ...]


@dataclass(frozen=True)
class OnFailure:
    """What happens when a step of it meets errors of a class. `only`: for what part of them, when not for all."""

    step: str
    error: str
    only: str
    rule: int
    """Its number in the failure policy, from 1."""
    what: str


@dataclass(frozen=True)
class Explanation:
    """All of it."""

    id: str
    name: str
    description: str
    says: tuple[Heading, ...]
    failures: tuple[OnFailure, ...]


def explain(catalogue: Catalogue, name: str) -> Explanation:
    """Explain an RFS. Raises UnknownSpecification."""
    found = catalogue.resource(name)
    headings = [Heading(title, lines) for title, lines in _headings(catalogue, found) if lines]
    return Explanation(found.id, found.name, found.description, tuple(headings), tuple(_failures(catalogue, found)))


# -- what it is ----------------------------------------------------------------------------------------------------------


def _headings(catalogue: Catalogue, found: ResourceSpecification) -> Iterator[tuple[str, tuple[str, ...]]]:
    yield "Used by", tuple(_users(catalogue, found.id))
    yield "For access technology", found.technology
    yield "Depends on", found.depends_on
    yield "Depended on by", tuple(each.id for each in catalogue.resources.values() if found.id in each.depends_on)
    yield "Characteristics", tuple(_characteristic(name, each) for name, each in found.characteristics.items())
    yield "Policy", tuple(f"the one whose {name} is {text}" for name, text in found.policy.items())
    yield "Reserves", tuple(_reservation(found, name, each) for name, each in found.reserve.items())
    yield "Uses what others reserve", found.uses
    yield "Waits before it begins", tuple(_wait(each) for each in found.wait_before)
    yield "Configures", tuple(_configuration(catalogue, each) for each in found.configure)
    yield "Checks before a change is confirmed", tuple(dict.fromkeys(_checks(found)))
    yield "Waits before it is complete", tuple(_wait(each) for each in found.wait)
    yield "Reports", tuple(f"{line.resource} ({line.type}): {line.value}" for line in found.report)
    yield "Cannot be taken back", (_NO_RETURN[found.point_of_no_return],)


def _users(catalogue: Catalogue, name: str) -> Iterator[str]:
    for service in catalogue.services.values():
        for rule in service.decompose:
            if rule.specification == name:
                yield service.id + (f", when {rule.when}" if rule.when else "")


def _characteristic(name: str, found: Characteristic) -> str:
    facts = [found.type, "mandatory" if found.mandatory else "", "secret" if found.secret else "", found.description]
    if found.values:
        facts.append(f"one of {', '.join(map(str, found.values))}")
    if found.default is not None:
        facts.append(f"{found.default} unless given")
    return f"{name}: {'; '.join(filter(None, facts))}"


def _reservation(found: ResourceSpecification, name: str, reservation: Reservation) -> str:
    pool = ", ".join(f"{key} {text}" for key, text in reservation.pool.items())
    without = f", not without {', '.join(reservation.requires)}" if reservation.requires else ""
    user = reservation.activated_by or found.id
    use = "" if user == found.id else f", in use when {user} is complete"
    return f"{name}: {reservation.kind} of {pool}{without}{use}"


def _wait(wait: Wait) -> str:
    who = "up to somebody outside, " if wait.outside else ""
    skip = ", may be skipped" if wait.skippable else ""
    return f"until {wait.until} at {wait.target} ({who}looked at every {wait.poll:g} s, and when an event comes){skip}"


def _configuration(catalogue: Catalogue, found: Configuration) -> str:
    files = [path for path in catalogue.templates if path.partition("/")[2].startswith(f"{found.template}.")]
    shared = f", which shares {', '.join(each.key for each in found.shared)}" if found.shared else ""
    skip = ", may be skipped" if found.skippable else ""
    return f"{found.target} by {found.template} ({', '.join(files)}){shared}{skip}"


def _checks(found: ResourceSpecification) -> Iterator[str]:
    for configuration in found.configure:
        for check in configuration.check:
            yield f"{check.name} on {configuration.target}"


# -- when it fails -------------------------------------------------------------------------------------------------------


_MEETS = {
    StepKind.RESERVE: (*(ErrorClass.EXHAUSTED, ErrorClass.UNREACHABLE, ErrorClass.DENIED), *(ErrorClass.REFUSED, ErrorClass.INTERNAL)),
    StepKind.CONFIGURE: tuple(each for each in ErrorClass if each not in (ErrorClass.INPUT, ErrorClass.EXHAUSTED)),
    StepKind.WAIT: (ErrorClass.UNREACHABLE, ErrorClass.DENIED, ErrorClass.REFUSED, ErrorClass.TEMPLATE, ErrorClass.INTERNAL),
}
"""The classes of errors that steps of a kind can meet."""
_Decided = tuple[tuple[str, int, str], ...]
"""Class of errors, number of the rule, for what part."""


def _failures(catalogue: Catalogue, found: ResourceSpecification) -> Iterator[OnFailure]:
    """Step by step and class by class; steps that the same rules decide about are told together."""
    told: dict[_Decided, list[str]] = {}
    for step, kind, target in _steps(found):
        told.setdefault(tuple(_decided(catalogue, found.id, kind, target)), []).append(step)
    for decided, steps in told.items():
        for error, number, only in decided:
            yield OnFailure("; ".join(steps), error, only, number, words(catalogue.failure_policy[number - 1]))


def _steps(found: ResourceSpecification) -> Iterator[tuple[str, StepKind, str]]:
    """Name, kind and target of its steps, those of one kind and target once."""
    steps = {(f"reserve {', '.join(found.reserve)}", StepKind.RESERVE, "*"): None} if found.reserve else {}
    steps |= {(f"wait for {each.until} at {each.target}", StepKind.WAIT, each.target): None for each in found.wait_before}
    steps |= {(f"configure {each.target}", StepKind.CONFIGURE, each.target): None for each in found.configure}
    steps |= {(f"wait for {each.until} at {each.target}", StepKind.WAIT, each.target): None for each in found.wait}
    yield from steps


def _decided(catalogue: Catalogue, specification: str, kind: StepKind, target: str) -> Iterator[tuple[str, int, str]]:
    for error in _MEETS[kind]:
        for number, only in _deciding(catalogue, specification, kind, target, str(error)):
            yield str(error), number, only


def _deciding(catalogue: Catalogue, specification: str, kind: StepKind, target: str, error: str) -> Iterator[tuple[int, str]]:
    """The rules (by number) that decide about a class of errors, each with the part of it that it is for; the last is for the rest."""
    systems = _systems(catalogue)
    for number, rule in enumerate(catalogue.failure_policy, start=1):
        if not (fnmatchcase(specification, rule.specification) and fnmatchcase(str(kind), rule.step)):
            continue
        codes = [code for code, class_ in class_of_codes().items() if class_ == error and fnmatchcase(code, rule.error)]
        whole = fnmatchcase(error, rule.error)
        certain = fnmatchcase(target, rule.target)
        # which device an expression names is only known when the order has its resources; it is none of the systems
        if not (whole or codes) or not (certain or ("{{" in target and rule.target not in systems)):
            continue
        only = ["" if whole else ", ".join(codes), "" if certain else f"on {rule.target}"]
        yield number, " ".join(filter(None, only))
        if whole and certain:
            return


def _systems(catalogue: Catalogue) -> set[str]:
    """Targets that the catalogue names itself."""
    found = catalogue.resources.values()
    configured = {part.target for each in found for part in each.configure}
    return {
        target for target in configured | {part.target for each in found for part in (*each.wait_before, *each.wait)} if "{{" not in target
    }
