"""Deleting an object: what goes with it, what forbids it, and what forgets it."""

from lab.netbox import changes, customfields, sql
from lab.netbox.errors import conflict
from lab.netbox.session import Session, display
from lab.netbox.store import Row
from lab.netbox.tables import Resource

_Found = tuple[Resource, Row]
_GENERIC = ("ipam.ipaddress", "extras.journalentry", "vpn.l2vpntermination")
"""Models that go with the object that they are assigned to: an interface takes its addresses with it."""


def delete(session: Session, resource: Resource, row: Row, message: str) -> None:
    """Delete an object and what depends on it. Raises ApiError 409 when other objects need it."""
    doomed: dict[tuple[str, int], _Found] = {}
    blocking: list[_Found] = []
    _collect(session, resource, row, doomed, blocking)
    left = [found for found in blocking if (found[0].label, found[1]["id"]) not in doomed]
    if left:
        names = ", ".join(f"{display(session, other, there)} ({there['id']})" for other, there in left)
        raise conflict(f"Unable to delete object. {len(left)} dependent objects were found: {names}")
    for other, there in reversed(doomed.values()):
        _release(session, other, there)
        changes.record(session, other, "delete", there, before=changes.snapshot(session, other, there), message=message)
        session.store.delete(other, there["id"])
    session.forget()
    if "extras.customfield" in {other.label for other, _ in doomed.values()}:
        for _, there in doomed.values():
            customfields.drop(session, there)
        session.fields.clear()


def _collect(session: Session, resource: Resource, row: Row, doomed: dict[tuple[str, int], _Found], blocking: list[_Found]) -> None:
    key = (resource.label, row["id"])
    if key in doomed:
        return
    doomed[key] = (resource, row)
    for other, column in session.registry.pointing_at(resource.label):
        takes_along = column in other.model.cascade
        forbids = column in other.model.protect or not other.kept[column].nullable
        if not takes_along and not forbids:
            continue
        for there in session.store.rows(other, f'"{column}" = ?', (row["id"],)):
            if takes_along:
                _collect(session, other, there, doomed, blocking)
            else:
                blocking.append((other, there))
    for label in _GENERIC:
        other = session.registry.by_label[label]
        where = "assigned_object_id = ? AND assigned_object_type = ?"
        for there in session.store.rows(other, where, (row["id"], resource.label)):
            _collect(session, other, there, doomed, blocking)


def _release(session: Session, resource: Resource, row: Row) -> None:
    """Let go of a deleted object: references to it become null, lists lose it."""
    for other, column in session.registry.pointing_at(resource.label):
        for there in session.store.values(other, "id", f'"{column}" = ?', (row["id"],)):
            session.store.update(other, there, {column: None})
    for other, column in session.registry.listing(resource.label):
        for there in session.store.rows(other, sql.member(column), (row["id"],)):
            session.store.update(other, there["id"], {column: [key for key in there[column] if key != row["id"]]})
