"""docs/catalogue.md, made from the models: `python -m engine.catalogue.reference > docs/catalogue.md`."""

from __future__ import annotations

import sys
from collections.abc import Iterator, Mapping

from pydantic import BaseModel

from engine.catalogue import models, names
from engine.errors import ErrorClass
from engine.expressions import TEMPLATE_FILTERS
from engine.model_tables import cell, rows

_INTRODUCTION = """\
# Catalogue reference

Made from the models in `engine/catalogue/models.py` by `python -m engine.catalogue.reference`; do not edit.

The catalogue is every `*.yaml` file of `catalog/`. A file may hold any of the kinds below; what belongs together may stand together.
Files are read in the order of their names, which matters for failure rules only. `turnup catalog check` says what is wrong, with file
and line; an order is accepted with the catalogue and templates of that moment and keeps them to its end.
How to add to it: [adding-an-rfs.md](adding-an-rfs.md).
"""

_KINDS: Mapping[str, tuple[str, type[BaseModel]]] = {
    "offerings": ("What can be ordered", models.ProductOffering),
    "products": ("Product specifications", models.ProductSpecification),
    "services": ("Customer-facing services (CFS)", models.ServiceSpecification),
    "resources": ("Resource-facing services (RFS)", models.ResourceSpecification),
    "policies": ("QoS policies", models.Policy),
    "failure_policy": ("Failure policy", models.FailureRule),
    "settings": ("Settings of the catalogue, in one of the files", models.CatalogueSettings),
}
_PARTS: tuple[type[BaseModel], ...] = (
    models.Characteristic,
    models.Rule,
    models.Price,
    models.Reservation,
    models.Configuration,
    models.SharedFragment,
    models.Check,
    models.Wait,
    models.ReportLine,
)

_PLACES = """\
| place | names |
|---|---|
| `instance` | `customer`, `address`, `c` |
| `default` of a characteristic | `customer`, `address`; below the product also `exchange.name`, `p` |
| `when` and `characteristics` of a rule | `customer`, `address`, `exchange.name`, `p`, `c` (of the item that is decomposed) |
| `policy` of an RFS | `c` |
| `pool` of a reservation | all but allocations |
| targets, templates, checks, waits, `report` | all; of the allocations its own, those of all it depends on, and those in `uses` |
"""

_NAMES: tuple[tuple[str, str, Mapping[str, str]], ...] = (
    ("c", "the item's own characteristics; every declared one is there, without a value when none was given and there is no default", {}),
    ("p", "the characteristics of the product order item; empty in an order of services or resources", {}),
    ("customer", "", names.CUSTOMER),
    ("address", "", names.ADDRESS),
    ("exchange", "", names.EXCHANGE),
    ("order", "", names.ORDER),
    ("service", "", names.SERVICE),
    ("item", "", names.ITEM),
    ("services", "ids of the order's services: `services.Internet_Access` is SI-INT-4821", {}),
    ("policy", "the policy that the RFS chose (fields: see QoS policies)", {}),
    ("policies", "the policies that the order's RFS chose: `policies.QoS_Profile.name`", {}),
    ("learned", "what the item's targets told, e.g. `learned.id`; in `report` and in waits", {}),
)


def reference() -> str:
    """The whole document, as Markdown."""
    return "\n".join([_INTRODUCTION, *_entries(), *_expressions(), *_inventory(), *_templates(), *_errors()]).rstrip() + "\n"


def _entries() -> Iterator[str]:
    yield "## Kinds of entries\n"
    for kind, (title, model) in _KINDS.items():
        yield f"### `{kind}`: {title}\n"
        yield from _model(model)
    yield "## Parts of entries\n"
    for model in _PARTS:
        yield f"### {model.__name__}\n"
        yield from _model(model)


def _model(model: type[BaseModel]) -> Iterator[str]:
    yield f"{(model.__doc__ or '').strip()}\n"
    yield from rows(model)


def _expressions() -> Iterator[str]:
    yield "## Expressions\n"
    yield (
        "Text may hold expressions in [Jinja](https://jinja.palletsprojects.com/templates/), `{{ customer.number }}`;\n"
        "a condition is a bare one, `c.technology == 'GPON'`. Unknown names are errors. A value that is one expression\n"
        "keeps its type: `{{ c.downloadSpeed }}` is a number.\n"
    )
    yield _PLACES
    yield "| name | what |\n|---|---|"
    for name, text, fields in _NAMES:
        yield f"| `{name}` | {cell(text or _examples(fields))} |"
    yield ""


def _inventory() -> Iterator[str]:
    yield "## Reservations\n"
    yield "What `pool` says by kind, and what expressions and templates see under the reservation's name.\n"
    yield "| kind | `pool` | attributes |\n|---|---|---|"
    for kind, keys in names.POOLS.items():
        pool = ", ".join(f"`{key}`" if needed else f"`{key}` (may be left out)" for key, needed in keys.items())
        yield f"| `{kind}` | {pool} | {cell(_examples(names.ALLOCATIONS[kind]))} |"
    yield ""


def _templates() -> Iterator[str]:
    yield "## Templates\n"
    filters = ", ".join(f"`{name}`" for name in sorted(TEMPLATE_FILTERS))
    yield (
        "`templates/<platform>/<template>.<xml|set|json>.j2` says all that a service holds on a target of that platform, never how it\n"
        "gets there: what is created, changed and deleted is computed. `xml`: top-level data elements by the device's YANG modules.\n"
        '`set`: Junos lines. `json`: a list of documents `{"kind": ..., "key": ..., "body": {...}}`.\n'
        "What several templates include is below `templates/parts/`.\n"
        f"Filters besides Jinja's own: {filters}.\n"
    )


def _errors() -> Iterator[str]:
    yield "## Errors in the failure policy\n"
    yield f"Error classes: {', '.join(f'`{name}`' for name in ErrorClass)}. Codes: [errors.md](errors.md).\n"


def _examples(fields: Mapping[str, str]) -> str:
    return ", ".join(f"`{name}` ({example})" for name, example in fields.items())


if __name__ == "__main__":
    sys.stdout.write(reference())
