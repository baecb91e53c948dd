"""NETCONF as plain Nornir tasks, with the names and arguments of nornir-netconf 2.1, which cannot be installed beside NAPALM 5.2.

Better than there: a confirmed commit works (its timeout is an int, ncclient wants text), `netconf_edit_config` takes test-option,
error-option and default-operation, `netconf_rpc` takes any operation as text, and a session that died is replaced. An rpc-error is
ncclient's RPCError: Nornir makes it the result's exception. What we push ourselves goes through `tasks.targets`, not through these.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path

from lxml import etree
from ncclient.manager import Manager
from ncclient.operations import RPCError
from ncclient.operations.rpc import RPCReply
from nornir.core.task import Result, Task

from tasks.connections.netconf import netconf_of
from tasks.netconf.xml import NC, parse


@dataclass
class RpcResult:
    """An answer, and the Manager that gave it: for the next task, when a lock is held."""

    rpc: RPCReply
    manager: Manager


@dataclass
class SchemaResult:
    """YANG modules as files, and what could not be had."""

    directory: str
    files: list[str] = field(default_factory=list)
    errors: list[str] = field(default_factory=list)


def netconf_capabilities(task: Task) -> Result:
    """Return the capabilities that the device announced, as a list of URIs."""
    return Result(host=task.host, result=list(_manager(task).server_capabilities))


def netconf_get(task: Task, path: str = "", filter_type: str = "xpath") -> Result:
    """Get configuration and state. `path` is an XPath expression or a subtree, as `filter_type` says; all of it without."""
    manager = _manager(task)
    return _result(task, manager, manager.get(filter=_filter(path, filter_type)))


def netconf_get_config(task: Task, source: str = "running", path: str = "", filter_type: str = "xpath") -> Result:
    """Get the configuration of a datastore; `path` and `filter_type` as in `netconf_get`."""
    manager = _manager(task)
    return _result(task, manager, manager.get_config(source=source, filter=_filter(path, filter_type)))


def netconf_edit_config(
    task: Task,
    config: str,
    target: str = "running",
    manager: Manager | None = None,
    default_operation: str | None = "merge",
    test_option: str | None = None,
    error_option: str | None = None,
) -> Result:
    """Edit a datastore. `config` is a <config> element; without a namespace it gets the base one (strict servers want it)."""
    used = manager or _manager(task)
    root = parse(config)
    text = config if root.tag == f"{{{NC}}}config" else config.replace("<config", f'<config xmlns="{NC}"', 1)
    reply = used.edit_config(text, target=target, default_operation=default_operation, test_option=test_option, error_option=error_option)
    return _result(task, used, reply, changed=True)


def netconf_lock(task: Task, datastore: str = "candidate", manager: Manager | None = None, operation: str = "lock") -> Result:
    """Lock a datastore, or unlock it (`operation`)."""
    used = manager or _manager(task)
    match operation.strip().lower():
        case "lock":
            return _result(task, used, used.lock(target=datastore))
        case "unlock":
            task.name = "netconf_unlock"
            return _result(task, used, used.unlock(target=datastore))
        case _:
            raise ValueError(f"operation is lock or unlock, not {operation!r}")


def netconf_validate(task: Task, source: str = "candidate", manager: Manager | None = None) -> Result:
    """Validate a datastore."""
    used = manager or _manager(task)
    return _result(task, used, used.validate(source=source))


def netconf_commit(
    task: Task,
    manager: Manager | None = None,
    confirmed: bool = False,
    timeout: int = 60,
    persist: str | int | None = None,
    persist_id: str | int | None = None,
) -> Result:
    """Commit the candidate; `confirmed`: to be taken back after `timeout` seconds, under the name `persist`, unless confirmed."""
    used = manager or _manager(task)
    reply = used.commit(
        confirmed=confirmed,
        timeout=str(timeout),  # ncclient puts it into XML as it is, and lxml takes no int
        persist=None if persist is None else str(persist),
        persist_id=None if persist_id is None else str(persist_id),
    )
    return _result(task, used, reply, changed=True)


def netconf_rpc(task: Task, payload: str, manager: Manager | None = None) -> Result:
    """Send any operation; one without a namespace is of the base one."""
    used = manager or _manager(task)
    operation = parse(payload)
    if etree.QName(operation).namespace is None:
        for element in operation.iter():
            element.tag = f"{{{NC}}}{element.tag}"
    return _result(task, used, used.rpc(operation))


def netconf_get_schemas(task: Task, schemas: list[str], schema_path: str) -> Result:
    """Write YANG modules (RFC 6022 get-schema) to `<schema_path>/<name>.yang`; what cannot be had is among the result's errors."""
    manager = _manager(task)
    folder = Path(schema_path)
    folder.mkdir(parents=True, exist_ok=True)
    result = SchemaResult(schema_path)
    for name in schemas:
        if Path(name).name != name or name in {"", ".", ".."}:  # it becomes the name of a file
            result.errors.append(f"{name!r} is no name of a module")
            continue
        try:
            text = manager.get_schema(name).data
        except RPCError as error:
            result.errors.append(f"{name}: {error}")
            continue
        file = folder / f"{name}.yang"
        file.write_text(text)
        result.files.append(str(file))
    return Result(host=task.host, result=result)


def _manager(task: Task) -> Manager:
    return netconf_of(task.host).connection


def _filter(path: str, kind: str) -> tuple[str, str] | None:
    return (kind, path) if path else None


def _result(task: Task, manager: Manager, reply: RPCReply, *, changed: bool = False) -> Result:
    return Result(host=task.host, result=RpcResult(reply, manager), changed=changed)
