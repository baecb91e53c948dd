"""What comes with writing an object of certain models, beyond the row itself."""

from collections.abc import Callable, Iterator, Mapping
from typing import Any

from lab.netbox import auth, components
from lab.netbox.session import Session
from lab.netbox.store import Row
from lab.netbox.tables import Resource

BEFORE_CREATE: Mapping[str, Callable[[Session, Row, Mapping[str, Any]], None]] = {
    "users.token": auth.prepare,
    "extras.journalentry": lambda session, row, _body: _signed(session, row),
}
AFTER_CREATE: Mapping[str, Callable[[Session, Row, Mapping[str, Any]], Iterator[tuple[Resource, Row]]]] = {
    "dcim.device": components.of_device,
    "dcim.module": components.of_module,
    "extras.customfield": lambda session, _row, _body: _forget_fields(session),
}
"""Each gives the objects to make as well: the resource and what is not default of it."""
AFTER_UPDATE: Mapping[str, Callable[[Session], object]] = {
    "extras.customfield": lambda session: session.fields.clear(),
}


def _signed(session: Session, row: Row) -> None:
    """An entry of the journal is by whoever makes it."""
    row["created_by"] = row["created_by"] or (session.user or {}).get("id")


def _forget_fields(session: Session) -> Iterator[tuple[Resource, Row]]:
    session.fields.clear()
    return iter(())
