"""The steps of a transaction on a Junos router, by nornir-napalm's tasks and NAPALM's driver; errors as those of `engine.errors`."""

from __future__ import annotations

import contextlib
import math
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from jnpr.junos.exception import ConnectClosedError, ConnectError, RpcError, RpcTimeoutError
from lxml import etree
from napalm.base.base import NetworkDriver
from napalm.base.exceptions import CommitConfirmException, MergeConfigException
from nornir.core import Nornir
from nornir.core.inventory import Defaults, Groups, Host, Hosts, Inventory
from nornir.core.processor import Processors
from nornir.core.task import Task
from nornir_napalm.plugins.tasks import napalm_configure, napalm_confirm_commit

from engine.errors import TargetDenied, TargetError, TargetLocked, TargetLost, TargetRefused, TargetTimeout
from tasks.connections.connect import translated
from tasks.netconf.errors import meaning
from tasks.transaction import Deadline

_MINUTE = 60
_LONGEST_RPC = 600.0
_IN_THE_WAY = ("database locked", "database modified")
"""What Junos says, under whatever error-tag, when another session is in the way."""


class JunosSession:
    """Steps on one open driver until a deadline.

    Each raises TargetRefused with the router's own words, TargetLocked, TargetTimeout or TargetLost.
    """

    def __init__(self, driver: NetworkDriver, host: Host, deadline: Deadline) -> None:
        self._driver = driver
        self._target = host.name
        self._deadline = deadline
        self._task = _task(host)

    @property
    def id(self) -> str:
        """The session-id that the router gave."""
        return str(self._driver.device._conn.session_id)

    def lock(self) -> None:
        """Lock the candidate, which all sessions share. Raises TargetLocked also when somebody has uncommitted changes in it."""
        # not Config.lock(): it makes a LockError of a timeout, too
        with self._asking("the lock"):
            self._driver.device.rpc.lock_configuration()

    def unlock(self) -> None:
        """Unlock it."""
        with self._asking("the unlock"):
            self._driver.device.rpc.unlock_configuration()

    def kill(self, session_id: str) -> None:
        """End another session and free its lock (RFC 6241 section 7.9)."""
        with self._asking("kill-session"):
            self._driver.device.rpc.kill_session(session_id=session_id)

    def commit(self, lines: str, transaction: str, seconds: float) -> bool:
        """Load and commit, to be taken back by the router unless it is confirmed. False: it holds all of it, nothing was committed.

        Junos counts in minutes, NAPALM wants a multiple of 60 s (and says so only after the load).
        """
        try:
            with self._asking("the commit"):
                revert_in = max(1, math.ceil(seconds / _MINUTE)) * _MINUTE
                done = napalm_configure(self._task, configuration=lines, commit_message=transaction, revert_in=revert_in)
        except (TargetRefused, TargetDenied):
            # or the lines stay in the candidate, and the next commit on this session would commit them, too
            self.discard()
            raise
        return bool(done.changed)

    def confirm(self) -> bool:
        """Confirm the pending commit. False: nothing was pending any more."""
        with self._asking("the confirmation"):
            return bool(napalm_confirm_commit(self._task).changed)

    def discard(self) -> None:
        """Make the candidate what is active."""
        with self._asking("the discard"):
            self._driver.discard_config()

    def rollback(self) -> None:
        """Take the last commit back, which also ends its being pending. Only with the lock held since that commit."""
        with self._asking("the rollback"):
            self._driver.rollback()

    def differs(self, lines: str) -> str:
        """Return what loading `lines` would still change, as Junos' patch; empty: the router holds all of it."""
        if not lines.strip():
            return ""
        with self._asking("the comparison"):
            try:
                self._driver.load_merge_candidate(config=lines)
                difference: str = self._driver.compare_config()
            finally:
                self._driver.discard_config()
        return difference

    def is_pending(self) -> bool:
        """Whether a confirmed commit waits to be confirmed."""
        with self._asking("what is pending"):
            return bool(self._driver.has_pending_commit())

    def last_commit(self) -> str:
        """Return the comment of the newest commit, empty when it has none."""
        with self._asking("the last commit"):
            return str(self._driver.device.rpc.get_commit_revision_information(detail=True).findtext("log") or "").strip()

    def set_lines(self, wanted: etree._Element | None = None) -> str:
        """Return the active configuration as `set` lines, or what a filter (`<configuration>...`) selects of it."""
        with self._asking("the configuration"):
            if wanted is None:
                return str(self._driver.get_config(retrieve="running", format="set")["running"])
            options = {"format": "set", "database": "committed"}
            return str(self._driver.device.rpc.get_config(filter_xml=wanted, options=options).text or "")

    @contextlib.contextmanager
    def _asking(self, what: str) -> Iterator[None]:
        # ncclient's timeout: PyEZ's own cuts it to whole seconds, and the last fraction of one would become no time at all
        self._driver.device._conn.timeout = min(self._deadline.require(self._target, what), _LONGEST_RPC)
        try:
            with translated(self._target):
                yield
        except RpcTimeoutError as error:
            raise TargetTimeout(f"{self._target} did not answer in time to {what}", target=self._target) from error
        except (ConnectClosedError, ConnectError) as error:
            raise TargetLost(f"{self._target}: the session was lost during {what}", target=self._target) from error
        except (RpcError, MergeConfigException, CommitConfirmException) as error:
            raise self._refusal(error, what) from error

    def _refusal(self, error: Exception, what: str) -> TargetError:
        reply = getattr(error, "rsp", None)
        answer = reply if isinstance(reply, etree._Element) else etree.Element("none")  # PyEZ has removed the namespaces
        words = "; ".join(_words(error)) or str(error)
        kind = meaning(filter(None, [answer.findtext("error-tag")]))
        if kind is TargetLocked or any(each in words for each in _IN_THE_WAY):
            holder = answer.findtext("error-info/session-id")
            return TargetLocked(f"{self._target} refused {what}: {words} (session {holder or 'unknown'})", target=self._target)
        return kind(f"{self._target} refused {what}: {words}", target=self._target)


def _words(error: Exception) -> Iterator[str]:
    """Yield the router's own messages: PyEZ keeps them in `errs`, NAPALM hands those on as its exception's argument."""
    found = getattr(error, "errs", None) or (error.args[0] if error.args else None)
    for part in found if isinstance(found, Sequence) and not isinstance(found, str) else ():
        if isinstance(part, Mapping):
            yield _message(part)


def _message(part: Mapping[str, Any]) -> str:
    where = " ".join(str(part[name]) for name in ("edit_path", "bad_element") if part.get(name))
    message = " ".join(str(part.get("message") or "without a word").split())
    return f"{message} ({where})" if where else message


def _task(host: Host) -> Task:
    """Return a Nornir task on this host: nornir-napalm's tasks are functions of one.

    Not `Task.run`: it logs a traceback at ERROR for each refusal, and an outcome says it better.
    """
    nornir = Nornir(Inventory(Hosts({host.name: host}), Groups(), Defaults()))
    task = Task(napalm_configure, nornir, global_dry_run=False, processors=Processors())
    task.host = host
    return task
