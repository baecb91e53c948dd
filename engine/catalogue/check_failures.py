"""What can be wrong with a failure policy: unknown names, rules that are never reached, fields without meaning where they stand."""

from __future__ import annotations

from collections.abc import Iterator
from fnmatch import fnmatchcase
from itertools import product

from engine.catalogue.catalogue import Catalogue
from engine.catalogue.check_expressions import Found
from engine.catalogue.models import FailureRule
from engine.errors import ErrorClass, TurnupError
from engine.model import StepKind
from engine.suggest import unknown

_OF_RETRIES = ("limit", "backoff", "backoff_max", "jitter", "until", "afterwards")
_OF_CASES = ("queue", "due")


def check_failures(catalogue: Catalogue) -> Found:
    """Everything that is wrong with the failure policy."""
    rules = catalogue.failure_policy
    for n, rule in enumerate(rules):
        yield from _names(catalogue, n, rule)
        yield from _without_meaning(n, rule)
        earlier = next((m for m in range(n) if _covers(rules[m], rule)), None)
        if earlier is not None:
            yield ("failure_policy", n), f"never reached: rule {earlier + 1} decides before it"
        elif not _reached(catalogue, n):
            yield ("failure_policy", n), "never reached: the rules before it decide about all that it is for"
    if rules and not _covers(rules[-1], FailureRule(then="hold")):
        yield ("failure_policy", len(rules) - 1), "the last rule must be for everything else: one that has only `then` and `queue`"
    if not rules:
        yield ("failure_policy",), "there is no failure policy: at least a rule for everything (`then: fallout`) is needed"


def class_of_codes() -> dict[str, str]:
    """The class of each error code."""
    return {error.code: str(error.error_class) for error in _errors(TurnupError)}


def _names(catalogue: Catalogue, n: int, rule: FailureRule) -> Found:
    errors = {*map(str, ErrorClass), *class_of_codes()}
    known = {
        "specification": ("resource specification", _specifications(catalogue)),
        "step": ("kind of step", {str(kind) for kind in StepKind}),
        "error": ("error class or code", errors),
    }
    for field, (what, names) in known.items():
        pattern = getattr(rule, field)
        if pattern != "*" and not any(fnmatchcase(name, pattern) for name in names):
            yield ("failure_policy", n, field), unknown(what, pattern, names)


def _specifications(catalogue: Catalogue) -> set[str]:
    return {*catalogue.resources, *catalogue.services, *catalogue.products}


def _without_meaning(n: int, rule: FailureRule) -> Found:
    fields = FailureRule.model_fields
    useless = [*(() if rule.then == "retry" else _OF_RETRIES), *(() if rule.opens_case else _OF_CASES)]
    for name in useless:
        if getattr(rule, name) != fields[name].default:
            why = "nothing is tried again" if name in _OF_RETRIES else "no case is opened"
            yield ("failure_policy", n, name), f"`{name}` has no meaning here: {why}"


def _covers(earlier: FailureRule, later: FailureRule) -> bool:
    """Whether everything that the later rule is for matches the earlier one. Patterns other than `*` cover only themselves and names."""
    error = fnmatchcase(later.error, earlier.error) or class_of_codes().get(later.error) == earlier.error
    return error and all(fnmatchcase(getattr(later, name), getattr(earlier, name)) for name in ("specification", "step", "target"))


def _reached(catalogue: Catalogue, n: int) -> bool:
    """Whether there is an error of a step of an item that no earlier rule is for. What targets there are is not known here: an earlier
    rule for some targets leaves the others."""
    rules, codes = catalogue.failure_policy, class_of_codes()
    specifications = _told_apart(_specifications(catalogue), [rule.specification for rule in rules])
    kinds = _told_apart({str(kind) for kind in StepKind}, [rule.step for rule in rules])
    matching = [each for each in product(specifications, kinds, codes.items()) if _for(rules[n], *each)]
    earlier = [rule for rule in rules[:n] if fnmatchcase(rules[n].target, rule.target)]
    return not matching or any(not any(_for(rule, *each) for rule in earlier) for each in matching)


def _told_apart(names: set[str], patterns: list[str]) -> list[str]:
    """Names that some pattern is for, and one that stands for all others."""
    found = sorted(name for name in names if any(pattern != "*" and fnmatchcase(name, pattern) for pattern in patterns))
    others = sorted(names - set(found))
    return found + others[:1]


def _for(rule: FailureRule, specification: str, step: str, error: tuple[str, str]) -> bool:
    code, class_ = error
    return (
        fnmatchcase(specification, rule.specification)
        and fnmatchcase(step, rule.step)
        and (fnmatchcase(code, rule.error) or fnmatchcase(class_, rule.error))
    )


def _errors(base: type[TurnupError]) -> Iterator[type[TurnupError]]:
    yield base
    for error in base.__subclasses__():
        yield from _errors(error)
