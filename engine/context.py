"""What expressions and templates see of an order: plain data, named as docs/catalogue.md lists it."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any

from engine.catalogue.catalogue import Catalogue
from engine.catalogue.models import Policy
from engine.catalogue.names import short
from engine.expressions import render
from engine.model import Item
from engine.ports import Site
from engine.requests import Address, Customer
from engine.states import Level
from engine.tree import Tree
from engine.vault import Vault

SEALED = "$sealed"
FORMERLY = "formerly"
"""In the body of an order that changes something: customer and address as they were."""


def order_facts(body: Mapping[str, Any]) -> dict[str, object]:
    """`customer` and `address` of an order."""
    customer = Customer.model_validate(body["customer"])
    address = Address.model_validate(body["address"])
    return {"customer": {**customer.model_dump(), "number": customer.number}, "address": address.model_dump()}


def remember_site(tree: Tree, site: Site) -> None:
    """Keep with the resource order which network elements its exchange had when its resources were taken."""
    order = tree.order_of(Level.RESOURCE)
    if order is not None:
        order.body = {**order.body, "elements": {role: list(names) for role, names in site.elements.items()}}


def remembered_site(tree: Tree) -> Site:
    """The order's exchange as it was then (without elements when nothing was taken yet): what is shown needs no NetBox."""
    order = tree.order_of(Level.RESOURCE)
    elements = order.body.get("elements", {}) if order else {}
    return Site(tree.root.body["address"]["exchange"], {role: tuple(names) for role, names in elements.items()})


def secret_values(vault: Vault, trees: Iterable[Tree]) -> set[str]:
    """Secret values of these trees, to be masked in what is stored as message or shown."""
    return {
        vault.secret(value[SEALED])
        for tree in trees
        for item in tree.items.values()
        for value in item.characteristics.values()
        if isinstance(value, dict) and SEALED in value
    }


@dataclass(frozen=True)
class Scope:
    """Makes the contexts of one tree, whose items do not change meanwhile. `unseal` opens secret characteristics, or replaces them by a
    placeholder for a dry run."""

    tree: Tree
    catalogue: Catalogue
    site: Site
    unseal: Callable[[str, str], str]
    """Name and sealed text of a secret characteristic -> its value."""
    order_id: str | None = None
    """Stands for the order's own ids where these must not count (checksum)."""
    _opened: dict[tuple[str, str], dict[str, object]] = field(default_factory=dict, init=False, repr=False, compare=False)

    def common(self) -> dict[str, object]:
        """What is the same for all items."""
        tree = self.tree
        resource, product = tree.order_of(Level.RESOURCE), tree.order_of(Level.PRODUCT)
        return {
            **self._facts,
            "order": {
                "id": self.order_id or (resource.id if resource else ""),
                "external_id": self.order_id or tree.root.external_id,
                "product_order": self.order_id or (product.id if product else ""),
            },
            "exchange": {"name": self.site.name, **{role: names[0] for role, names in self.site.elements.items() if names}},
            "services": {short(i.specification): i.instance for i in tree.items.values() if i.level is Level.SERVICE},
            "policies": self._policy_facts,
            **{mark.name: dict(tree.allocations[mark].attributes) for mark in tree.by_age()},
        }

    def of_former(self, item: Item) -> dict[str, object]:
        """What they saw of the item's instance before this order: with what it held then, by the order and item that made it so."""
        order, _, name = item.replaces.partition("/")
        held = {mark.name: dict(a.attributes) for mark, a in self.tree.allocations.items() if mark.order not in self.tree.orders}
        context = {**self.common(), **order_facts(self.tree.root.body.get(FORMERLY, self.tree.root.body)), **held}
        return {
            **self.of_item(item, context),
            "order": {**dict(context["order"]), "id": self.order_id or order},  # type: ignore[call-overload]
            "item": {"id": name, "specification": item.specification},
            "c": self._open(item.formerly or {}),
        }

    def of_item(self, item: Item, common: Mapping[str, object] | None = None) -> dict[str, object]:
        """What the expressions and templates of one item see."""
        service = self.service_of(item)
        policy = self.policy_of(item)
        return {
            **(common or self.common()),
            "c": self.characteristics(item),
            "item": {"id": item.id, "specification": item.specification},
            "service": {"id": service.instance, "specification": service.specification} if service else {},
            "learned": self.learned(item),
            **({"policy": policy.model_dump()} if policy else {}),
        }

    def service_of(self, item: Item) -> Item | None:
        """The service order item that an item belongs to (itself, when it is one)."""
        return self.tree.service_of(item)

    def characteristics(self, item: Item) -> dict[str, object]:
        """An item's characteristics with its secrets opened."""
        key = (item.order, item.id)
        if key not in self._opened:
            self._opened[key] = self._open(item.characteristics)
        return self._opened[key]

    def _open(self, characteristics: Mapping[str, Any]) -> dict[str, object]:
        return {
            name: self.unseal(name, value[SEALED]) if isinstance(value, dict) and SEALED in value else value
            for name, value in characteristics.items()
        }

    def learned(self, item: Item) -> dict[str, str]:
        """What targets told while the item's steps were done."""
        instance = self.tree.instances.get(item.instance or "")
        told = {name: value for step in self.tree.steps_of(item.order, item.id) for name, value in step.learned.items()}
        return {**(instance.learned if instance else {}), **told}

    def policy_of(self, item: Item) -> Policy | None:
        """The policy that an RFS uses, chosen by its characteristics."""
        return self._policies.get((item.order, item.id))

    @cached_property
    def _policies(self) -> dict[tuple[str, str], Policy]:
        found = {key: self._policy_of(item) for key, item in self.tree.items.items() if item.level is Level.RESOURCE}
        return {key: policy for key, policy in found.items() if policy is not None}

    def _policy_of(self, item: Item) -> Policy | None:
        asked = self.catalogue.resource(item.specification).policy
        if not asked:
            return None
        scope = {"c": self.characteristics(item)}
        return self.catalogue.policy_for({name: render(text, scope) for name, text in asked.items()})

    @cached_property
    def _policy_facts(self) -> dict[str, object]:
        return {short(self.tree.items[key].specification): policy.model_dump() for key, policy in self._policies.items()}

    @cached_property
    def _facts(self) -> dict[str, object]:
        return order_facts(self.tree.root.body)
