"""The columns of a CSV file: fields of a playbook, with dots (`customer.name`, `characteristics.ssid`)."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from functools import cached_property
from itertools import chain
from typing import Any

from pydantic import BaseModel

from engine.catalogue.catalogue import Catalogue
from engine.catalogue.characteristics import as_typed
from engine.catalogue.models import Characteristic
from engine.requests import Address, Customer, OrderRequest
from engine.suggest import unknown

_INSIDE: Mapping[str, type[BaseModel]] = {"customer": Customer, "address": Address}
_NOT_IN_A_CELL = {"items"}
CHARACTERISTICS = "characteristics"


class Columns:
    """What the columns of one file mean. `names`: its header, from left to right."""

    def __init__(self, names: Sequence[str], catalogue: Catalogue) -> None:
        self.names = [name.strip() for name in names]
        self._paths = [tuple(name.split(".", 1)) for name in self.names]
        self._catalogue = catalogue

    def problems(self) -> Iterator[str]:
        """What is wrong with the header: then no row can be understood."""
        known = [*(name for name, _ in _fields()), *(f"{CHARACTERISTICS}.{name}" for name in self._characteristics)]
        for name in dict.fromkeys(self.names):
            if name not in known:
                yield unknown("column", name, known)
            if self.names.count(name) > 1:
                yield f"column `{name}` is there twice"
        yield from (f"column `{name}` is missing" for name, needed in _fields() if needed and name not in self.names)

    def name(self, cells: Sequence[str]) -> str | None:
        """The external id of a row, also of one that is too short."""
        at = self.names.index("externalId")
        return cells[at].strip() or None if at < len(cells) else None

    def order(self, cells: Sequence[str]) -> dict[str, Any]:
        """The order of a row, as a playbook would say it: an empty cell says nothing, values have their characteristic's type."""
        data: dict[str, Any] = {name: {} for name in _INSIDE}
        for (first, *rest), cell in zip(self._paths, cells, strict=True):
            if not cell.strip():
                continue
            if rest:
                data.setdefault(first, {})[rest[0]] = cell
            else:
                data[first] = cell
        if CHARACTERISTICS in data:
            declared = self._declared(data)
            data[CHARACTERISTICS] = {name: as_typed(declared.get(name), cell) for name, cell in data[CHARACTERISTICS].items()}
        return data

    def _declared(self, data: Mapping[str, Any]) -> Mapping[str, Characteristic]:
        """The characteristics of what a row orders; none when the catalogue does not have it, which is said when it is submitted."""
        catalogue = self._catalogue
        name = str(data.get("offering") or data.get("specification") or "").strip()
        if name in catalogue.offerings:
            name = catalogue.offerings[name].specification
        found = catalogue.products.get(name) or catalogue.services.get(name) or catalogue.resources.get(name)
        return found.characteristics if found else {}

    @cached_property
    def _characteristics(self) -> list[str]:
        """Of all that these columns can order."""
        catalogue = self._catalogue
        below = chain(catalogue.services.values(), catalogue.resources.values()) if "specification" in self.names else ()
        return list(dict.fromkeys(name for each in chain(catalogue.products.values(), below) for name in each.characteristics))


def _fields() -> Iterator[tuple[str, bool]]:
    """Names of the columns that are not characteristics, and whether a row cannot do without."""
    for name, field in OrderRequest.model_fields.items():
        alias = field.alias or name
        if alias in _INSIDE:
            yield from ((f"{alias}.{inner.alias or at}", inner.is_required()) for at, inner in _INSIDE[alias].model_fields.items())
        elif alias not in _NOT_IN_A_CELL and alias != CHARACTERISTICS:
            yield alias, field.is_required()
