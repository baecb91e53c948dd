"""A RADIUS client and a database connection: what a BNG and what we have."""

import socket
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlsplit

from sqlalchemy import Engine, text

from lab.radius.packet import Code, Packet, Pair, check_response, request

PROFILE = "BW-200-50-RES"


@dataclass(frozen=True)
class Server:
    """One RADIUS server."""

    engine: Engine
    authentication: str
    accounting: str
    secret: bytes

    def ask(self, code: Code, pairs: Sequence[Pair], timeout: float = 2) -> Packet:
        """Send one request and return the checked answer. Raises TimeoutError when there is none."""
        url = urlsplit(self.authentication if code is Code.ACCESS_REQUEST else self.accounting)
        sent = request(code, 1, pairs, self.secret)
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as sock:
            sock.settimeout(timeout)
            sock.connect((url.hostname, url.port))
            sock.send(sent)
            return check_response(sock.recv(4096), sent, self.secret)

    def log_in(self, user: str, password: str, *more: Pair) -> Packet:
        return self.ask(Code.ACCESS_REQUEST, (("User-Name", user), ("User-Password", password), *more))

    def write(self, statement: str, **values: Any) -> None:
        with self.engine.begin() as db:
            db.execute(text(statement), values)

    def read(self, statement: str, **values: Any) -> list[dict[str, Any]]:
        with self.engine.connect() as db:
            return [dict(row) for row in db.execute(text(statement), values).mappings()]

    def provision(self, user: str, password: str) -> None:
        """Write the rows of the worked example's internet service, in one transaction."""
        reply = "INSERT INTO radreply (username, attribute, op, value) VALUES (:user, :attribute, '=', :value)"
        with self.engine.begin() as db:
            check = "INSERT INTO radcheck (username, attribute, op, value) VALUES (:user, 'Cleartext-Password', ':=', :password)"
            db.execute(text(check), {"user": user, "password": password})
            for attribute, value in (
                ("Framed-IP-Address", "10.42.17.22"),
                ("Delegated-IPv6-Prefix", "2001:db8:42:17::/64"),
                ("Class", "SI-INT-4821"),
            ):
                db.execute(text(reply), {"user": user, "attribute": attribute, "value": value})
            db.execute(text("INSERT INTO radusergroup (username, groupname) VALUES (:user, :group)"), {"user": user, "group": PROFILE})

    def clean(self, user: str) -> None:
        with self.engine.begin() as db:
            for table in ("radcheck", "radreply", "radusergroup", "radacct", "radpostauth"):
                db.execute(text(f"DELETE FROM {table} WHERE username = :user"), {"user": user})  # noqa: S608
            for table in ("radgroupcheck", "radgroupreply"):
                db.execute(text(f"DELETE FROM {table} WHERE groupname = :group"), {"group": PROFILE})  # noqa: S608
