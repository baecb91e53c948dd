"""What the rows say about a request: FreeRADIUS' way through radcheck, radreply and the groups (doc/modules/rlm_sql)."""

import hmac
import sqlite3
from collections.abc import Sequence
from datetime import datetime

from lab.radius.packet import Packet, Pair

_CONTROL = ("Cleartext-Password", "Auth-Type")
"""Check items that say how to authenticate instead of comparing with the request."""
_ACCOUNTED = {
    "Acct-Session-Id": "acctsessionid",
    "User-Name": "username",
    "NAS-IP-Address": "nasipaddress",
    "NAS-Port-Id": "nasportid",
    "Calling-Station-Id": "callingstationid",
    "Framed-IP-Address": "framedipaddress",
    "Framed-IPv6-Prefix": "framedipv6prefix",
    "Delegated-IPv6-Prefix": "delegatedipv6prefix",
    "Class": "class",
}
"""Column of radacct by attribute of the request."""


class Rows:
    """Answers from one database."""

    def __init__(self, db: sqlite3.Connection) -> None:
        """Use this connection."""
        self._db = db

    def authorize(self, request: Packet) -> list[Pair] | None:
        """Return the attributes of the Access-Accept, None for an Access-Reject."""
        user = request.get("User-Name")
        checks = self._select("radcheck", "username", user)
        replies: list[tuple[str, str, str]] = []
        control = dict[str, str]()
        if checks and _matches(checks, request):
            control |= _control(checks)
            replies += self._select("radreply", "username", user)
        groups = self._db.execute("SELECT groupname FROM radusergroup WHERE username = ? ORDER BY priority, id", (user,)).fetchall()
        for (group,) in groups:
            checks = self._select("radgroupcheck", "groupname", group)
            if not _matches(checks, request):
                continue
            control = _control(checks) | control
            replies += self._select("radgroupreply", "groupname", group)
            if ("Fall-Through", "=", "Yes") not in replies:
                break
        if not _authenticated(control, request.get("User-Password")):
            return None
        return _combined(replies)

    def log(self, request: Packet, reply: str, now: datetime) -> None:
        """Write to radpostauth what was answered; without the password, which FreeRADIUS' default would write too."""
        row = (request.get("User-Name"), "", reply, _sql_time(now))
        self._db.execute("INSERT INTO radpostauth (username, pass, reply, authdate) VALUES (?, ?, ?, ?)", row)

    def account(self, request: Packet, now: datetime) -> None:
        """Take note of a session that starts, goes on or stops (RFC 2866): one row in radacct."""
        unique = "-".join(request.get(name) for name in ("NAS-IP-Address", "Acct-Session-Id"))[:32]
        time = _sql_time(now)
        columns = ", ".join(_ACCOUNTED.values())
        values = [request.get(name) for name in _ACCOUNTED]
        self._db.execute(
            f"INSERT OR IGNORE INTO radacct (acctuniqueid, acctstarttime, {columns}) VALUES (?, ?{', ?' * len(values)})",  # noqa: S608
            (unique, time, *values),
        )
        counts = [int(request.get(name) or 0) for name in ("Acct-Session-Time", "Acct-Input-Octets", "Acct-Output-Octets")]
        stop = time if request.get("Acct-Status-Type") == "Stop" else None
        self._db.execute(
            "UPDATE radacct SET acctupdatetime = ?, acctstoptime = ?, acctsessiontime = ?, acctinputoctets = ?, acctoutputoctets = ?"
            " WHERE acctuniqueid = ?",
            (time, stop, *counts, unique),
        )

    def _select(self, table: str, column: str, name: str) -> list[tuple[str, str, str]]:
        # the names are this module's own, never a request's
        query = f"SELECT attribute, op, value FROM {table} WHERE {column} = ? ORDER BY id"  # noqa: S608
        return self._db.execute(query, (name,)).fetchall()


def _matches(checks: Sequence[tuple[str, str, str]], request: Packet) -> bool:
    """Whether the request has what the check items ask for."""
    for attribute, op, value in checks:
        is_same = request.get(attribute) == value
        if attribute not in _CONTROL and ((op == "!=" and is_same) or (op in ("==", "=") and not is_same)):
            return False
    return True


def _control(checks: Sequence[tuple[str, str, str]]) -> dict[str, str]:
    """Return the check items that tell how to authenticate."""
    return {attribute: value for attribute, _, value in checks if attribute in _CONTROL}


def _authenticated(control: dict[str, str], password: str) -> bool:
    if control.get("Auth-Type") in ("Accept", "Reject"):
        return control["Auth-Type"] == "Accept"
    known = control.get("Cleartext-Password")
    return known is not None and hmac.compare_digest(known.encode(), password.encode())


def _combined(replies: Sequence[tuple[str, str, str]]) -> list[Pair]:
    """Apply the operators: = adds what is not there yet, := replaces, += adds."""
    pairs: list[Pair] = []
    for attribute, op, value in replies:
        if attribute == "Fall-Through":
            continue
        if op == ":=":
            pairs = [pair for pair in pairs if pair[0] != attribute]
        elif op == "=" and any(name == attribute for name, _ in pairs):
            continue
        pairs.append((attribute, value))
    return pairs


def _sql_time(moment: datetime) -> str:
    return moment.strftime("%Y-%m-%d %H:%M:%S")
