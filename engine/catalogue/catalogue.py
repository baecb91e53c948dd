"""One version of the catalogue with the templates it uses: what orders are pinned to."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from fnmatch import fnmatchcase
from functools import cached_property
from typing import TypeVar

from engine.catalogue import characteristics
from engine.catalogue.models import (
    CatalogueFile,
    CatalogueSettings,
    FailureRule,
    Policy,
    ProductOffering,
    ProductSpecification,
    ResourceSpecification,
    Scalar,
    ServiceSpecification,
    Specification,
)
from engine.catalogue.problems import Sources
from engine.errors import UnknownSpecification
from engine.suggest import unknown

E = TypeVar("E")

LAST_RESORT = FailureRule(then="hold")
"""What happens when no rule matches: a person looks at it. A checked catalogue ends with a rule of its own."""


@dataclass(frozen=True)
class Catalogue:
    """Everything by id, in the order in which it was written. Immutable; equal when the content is."""

    offerings: Mapping[str, ProductOffering] = field(default_factory=dict)
    products: Mapping[str, ProductSpecification] = field(default_factory=dict)
    services: Mapping[str, ServiceSpecification] = field(default_factory=dict)
    resources: Mapping[str, ResourceSpecification] = field(default_factory=dict)
    policies: Mapping[str, Policy] = field(default_factory=dict)
    failure_policy: tuple[FailureRule, ...] = ()
    settings: CatalogueSettings = field(default_factory=CatalogueSettings)
    templates: Mapping[str, str] = field(default_factory=dict)
    """Path below templates/ -> text."""
    sources: Sources = field(default_factory=Sources, compare=False, repr=False)

    @classmethod
    def of(cls, content: CatalogueFile, templates: Mapping[str, str], sources: Sources | None = None) -> Catalogue:
        """From everything that all files say together. Ids are expected to be unique (engine.catalogue.loader sees to it)."""
        return cls(
            offerings={entry.id: entry for entry in content.offerings},
            products={entry.id: entry for entry in content.products},
            services={entry.id: entry for entry in content.services},
            resources={entry.id: entry for entry in content.resources},
            policies={entry.name: entry for entry in content.policies},
            failure_policy=content.failure_policy,
            settings=content.settings,
            templates=dict(sorted(templates.items())),
            sources=sources or Sources(),
        )

    # -- lookups: raise UnknownSpecification, which names what was probably meant and what there is

    def offering(self, name: str) -> ProductOffering:
        """A product offering by id."""
        return _entry("product offering", self.offerings, name)

    def product(self, name: str) -> ProductSpecification:
        """A product specification by id."""
        return _entry("product specification", self.products, name)

    def service(self, name: str) -> ServiceSpecification:
        """A CFS by id."""
        return _entry("service specification", self.services, name)

    def resource(self, name: str) -> ResourceSpecification:
        """An RFS by id."""
        return _entry("resource specification", self.resources, name)

    def policy_for(self, match: Mapping[str, Scalar]) -> Policy:
        """The policy for these values, compared as text (an expression that is part of a text gives text)."""
        for policy in self.policies.values():
            if all(name in policy.match and str(policy.match[name]) == str(value) for name, value in match.items()):
                return policy
        wanted = ", ".join(f"{name} {value}" for name, value in match.items())
        raise UnknownSpecification(f"no policy for {wanted} (known: {', '.join(self.policies) or 'none'})")

    def failure_rule(self, specification: str, step: str, target: str, code: str, error_class: str) -> FailureRule:
        """What to do about a failed step: the first rule that matches. `*` and `?` in a rule stand for any text, any character."""
        for rule in self.failure_policy:
            if (
                fnmatchcase(specification, rule.specification)
                and fnmatchcase(step, rule.step)
                and fnmatchcase(target, rule.target)
                and (fnmatchcase(code, rule.error) or fnmatchcase(error_class, rule.error))
            ):
                return rule
        return LAST_RESORT

    @property
    def last_rule(self) -> FailureRule:
        """The rule for everything that no other is for."""
        return self.failure_policy[-1] if self.failure_policy else LAST_RESORT

    def user_of(self, allocation: str) -> str | None:
        """The RFS that puts what is reserved under this name to use."""
        for found in self.resources.values():
            if allocation in found.reserve:
                return found.reserve[allocation].activated_by or found.id
        return None

    # -- characteristics

    def validate_characteristics(
        self, specification: Specification, given: Mapping[str, Scalar], context: Mapping[str, object] | None = None
    ) -> dict[str, Scalar | None]:
        """engine.catalogue.characteristics.validate. Raises CharacteristicInvalid."""
        return characteristics.validate(specification, given, context)

    # -- versions

    @cached_property
    def digest(self) -> str:
        """SHA-256 of `dump`, in hex."""
        return hashlib.sha256(self.dump()).hexdigest()

    def dump(self) -> bytes:
        """The content as bytes, for pinning; the same content in the same order gives the same bytes.

        Keys are not sorted: the order of rules, reservations and characteristics has a meaning.
        """
        content = CatalogueFile(
            offerings=tuple(self.offerings.values()),
            products=tuple(self.products.values()),
            services=tuple(self.services.values()),
            resources=tuple(self.resources.values()),
            policies=tuple(self.policies.values()),
            failure_policy=self.failure_policy,
            settings=self.settings,
        )
        document = {"catalogue": content.model_dump(mode="json"), "templates": dict(self.templates)}
        return json.dumps(document, ensure_ascii=False, separators=(",", ":")).encode()

    @classmethod
    def restore(cls, dumped: bytes) -> Catalogue:
        """The catalogue that `dump` wrote; equal to it, but without knowing its files and lines."""
        document = json.loads(dumped)
        return cls.of(CatalogueFile.model_validate(document["catalogue"]), document["templates"])


def _entry(what: str, entries: Mapping[str, E], name: str) -> E:
    if name not in entries:
        raise UnknownSpecification(unknown(what, name, entries))
    return entries[name]
