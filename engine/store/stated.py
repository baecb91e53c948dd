"""Who states what on a target, by the index of the applied configuration: all of it, or of some paths."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator
from dataclasses import dataclass

import sqlalchemy as sa

from engine.ports import DAY_ZERO
from engine.store.configurations import chunks, fingerprint
from engine.store.schema import configurations, nodes, targets

_MANY = 10_000


@dataclass(frozen=True)
class Index:
    """All that is stated on a target, as hashes: 30,000 services are some 400,000 pairs of numbers."""

    ours: dict[int, int]
    """Path -> value, of what was applied."""
    day_zero: set[int]
    """Paths that were there before us, also those that are ours as well."""


def names(tx: sa.Connection) -> dict[str, str]:
    """The targets that something was applied to -> their platforms."""
    ours = sa.exists().where(configurations.c.target == targets.c.id, configurations.c.key != DAY_ZERO)
    return dict(tx.execute(sa.select(targets.c.name, targets.c.platform).where(ours).order_by(targets.c.name)).all())


def keys(tx: sa.Connection, target: str, service: str | None = None) -> list[str]:
    """Keys of the fragments on a target, oldest first; of one service if it is named."""
    statement = sa.select(configurations.c.key).join(targets, targets.c.id == configurations.c.target).where(targets.c.name == target)
    if service is not None:
        statement = statement.where(configurations.c.key.startswith(f"{service}/", autoescape=True))
    return list(tx.execute(statement.where(configurations.c.key != DAY_ZERO).order_by(configurations.c.id)).scalars())


def index(tx: sa.Connection, target: str) -> Index:
    """All of it."""
    number, before = _target(tx, target)
    found = Index({}, set())
    asked = sa.select(nodes.c.path, nodes.c.value, nodes.c.configuration).where(nodes.c.target == number)
    for path, value, configuration in tx.execution_options(yield_per=_MANY).execute(asked):
        if configuration == before:
            found.day_zero.add(path)
        else:
            found.ours[path] = value
    return found


def holders(tx: sa.Connection, target: str, paths: Iterable[int]) -> list[str]:
    """Keys of fragments that state these paths (as hashes): one for each, oldest first."""
    number, before = _target(tx, target)
    found: set[int] = set()
    for chunk in chunks(sorted(set(paths))):
        mine = (nodes.c.target == number, nodes.c.path.in_(chunk), nodes.c.configuration != before)
        found.update(tx.execute(sa.select(sa.func.min(nodes.c.configuration)).where(*mine).group_by(nodes.c.path)).scalars())
    return [key for chunk in chunks(sorted(found)) for key in _keys(tx, chunk)]


def owners(tx: sa.Connection, target: str, paths: Collection[str]) -> dict[str, bool]:
    """Of these paths those that somebody states, each with whether `day-0` does."""
    number, before = _target(tx, target)
    texts = {fingerprint(path): path for path in paths}
    found: dict[str, bool] = {}
    for chunk in chunks(sorted(texts)):
        asked = sa.values(sa.column("path", sa.BigInteger), name="asked").data([(path,) for path in chunk]).cte("asked")
        here = (nodes.c.target == number, nodes.c.path == asked.c.path)
        anybody = sa.select(nodes.c.path).where(*here).limit(1).scalar_subquery()
        first = sa.select(nodes.c.path).where(*here, nodes.c.configuration == before).limit(1).scalar_subquery()
        for path, one, day_zero in tx.execute(sa.select(asked.c.path, anybody, first)):
            if one is not None:
                found[texts[path]] = day_zero is not None
    return found


def roots(tx: sa.Connection, target: str, wanted: Iterable[str]) -> list[str]:
    """The orders that applied the fragments with these keys."""
    found: set[str] = set()
    for chunk in chunks(sorted(set(wanted))):
        statement = sa.select(configurations.c.root).join(targets, targets.c.id == configurations.c.target)
        mine = (targets.c.name == target, configurations.c.key.in_(chunk), configurations.c.root.is_not(None))
        found.update(tx.execute(statement.where(*mine)).scalars())
    return sorted(found)


def _target(tx: sa.Connection, name: str) -> tuple[int, int]:
    """The numbers of a target and of what it held before us; -1 for what there is not."""
    number = tx.execute(sa.select(targets.c.id).where(targets.c.name == name)).scalar()
    before = sa.select(configurations.c.id).where(configurations.c.target == number, configurations.c.key == DAY_ZERO)
    first = tx.execute(before).scalar()
    return -1 if number is None else int(number), -1 if first is None else int(first)


def _keys(tx: sa.Connection, numbers: Collection[int]) -> Iterator[str]:
    yield from tx.execute(sa.select(configurations.c.key).where(configurations.c.id.in_(numbers)).order_by(configurations.c.id)).scalars()
