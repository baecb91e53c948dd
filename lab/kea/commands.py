"""Kea's commands and their answers: {"result", "text", "arguments"}; result 0 done, 1 refused, 2 unknown command, 3 nothing there."""

import os
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

from lab.kea.configuration import Configuration, Family, checksum
from lab.kea.reservations import KeaError, Key, Reservations, normal_identifier

Answer = dict[str, Any]

DONE, REFUSED, UNSUPPORTED, EMPTY = range(4)


def answer(result: int, text: str, arguments: object = None) -> Answer:
    """Return an answer as Kea writes it: without what is empty."""
    return {
        "result": result,
        **({"text": text} if text else {}),
        **({"arguments": arguments} if arguments is not None else {}),
    }


class Daemon:
    """One Kea server, DHCPv4 or DHCPv6, as its control channel shows it.

    Reservations live in memory: without `config-write` they are gone with the process, as the real one's are.
    """

    def __init__(self, family: Family, folder: Path, profile: str) -> None:
        """Read the configuration in `folder`, or begin with the profile's day-0."""
        self.family = family
        self.configuration = Configuration(family, folder, profile)
        self.hosts = Reservations(self.configuration)
        self.leases: list[dict[str, Any]] = []
        self._started = time.monotonic()
        self._commands: dict[str, Callable[[dict[str, Any]], Answer]] = {
            "config-get": self._config_get,
            "config-hash-get": self._config_hash_get,
            "config-write": self._config_write,
            f"lease{family.version}-get": self._lease_get,
            "list-commands": self._list_commands,
            "reservation-add": self._reservation_add,
            "reservation-del": self._reservation_del,
            "reservation-get": self._reservation_get,
            "reservation-get-all": self._reservation_get_all,
            "reservation-get-by-address": self._reservation_get_by_address,
            "reservation-get-by-id": self._reservation_get_by_id,
            "reservation-update": self._reservation_update,
            "status-get": self._status_get,
        }

    def do(self, command: str, arguments: dict[str, Any]) -> Answer:
        """Carry out one command."""
        handler = self._commands.get(command)
        if handler is None:
            return answer(UNSUPPORTED, f"'{command}' command not supported.")
        try:
            return handler(arguments)
        except KeaError as error:
            return answer(REFUSED, str(error))

    def _reservation_add(self, arguments: dict[str, Any]) -> Answer:
        host = _map(arguments, "reservation", "reservation must be specified")
        _changes_memory(arguments, "Host database not available, cannot add host.")
        self.hosts.add(host)
        return answer(DONE, "Host added.")

    def _reservation_update(self, arguments: dict[str, Any]) -> Answer:
        missing = "invalid command: expected 'reservation' as the sole parameter inside the 'arguments' map, didn't get it instead"
        host = _map(arguments, "reservation", missing)
        _changes_memory(arguments, "host database not available, cannot update host")
        self.hosts.update(host)
        return answer(DONE, "Host updated.")

    def _reservation_del(self, arguments: dict[str, Any]) -> Answer:
        key = self._key(arguments)
        # without a host database the default target holds nothing that could be deleted
        if key is not None and _target(arguments) in ("memory", "all") and self.hosts.remove(key):
            return answer(DONE, "Host deleted.")
        return answer(EMPTY, "Host not deleted (not found).")

    def _reservation_get(self, arguments: dict[str, Any]) -> Answer:
        key = self._key(arguments)
        host = self.hosts.by_key(key) if key is not None and _target(arguments) != "database" else None
        return answer(EMPTY, "Host not found.") if host is None else answer(DONE, "Host found.", host)

    def _reservation_get_all(self, arguments: dict[str, Any]) -> Answer:
        subnet = _subnet_id(arguments)
        self.hosts.check_subnet(subnet)
        return self._found(arguments, self.hosts.where(lambda host: host["subnet-id"] == subnet))

    def _reservation_get_by_address(self, arguments: dict[str, Any]) -> Answer:
        hosts = self.hosts.by_address(_string(arguments, "ip-address"))
        if "subnet-id" in arguments:
            subnet = _subnet_id(arguments)
            self.hosts.check_subnet(subnet)
            hosts = [host for host in hosts if host["subnet-id"] == subnet]
        return self._found(arguments, hosts)

    def _reservation_get_by_id(self, arguments: dict[str, Any]) -> Answer:
        kind, value = _string(arguments, "identifier-type"), normal_identifier(_string(arguments, "identifier"))
        if "subnet-id" in arguments:
            raise KeaError("'subnet-id' is forbidden in reservation-get-by-id")
        return self._found(arguments, self.hosts.where(lambda host: host.get(kind) == value))

    def _found(self, arguments: dict[str, Any], hosts: list[dict[str, Any]]) -> Answer:
        if _target(arguments) == "database":
            hosts = []
        return answer(DONE if hosts else EMPTY, f"{len(hosts)} IPv{self.family.version} host(s) found.", {"hosts": hosts})

    def _key(self, arguments: dict[str, Any]) -> Key | None:
        """By what a reservation is asked for: its address, or its identifier. None when nobody has the address."""
        subnet = _subnet_id(arguments)
        if "ip-address" in arguments:
            return self.hosts.key_of(subnet, _string(arguments, "ip-address"))
        for name in ("identifier-type", "identifier"):
            if not isinstance(arguments.get(name), str):
                raise KeaError(f"No 'ip-address' provided and '{name}' is either missing or not a string.")
        return Key(subnet, arguments["identifier-type"], normal_identifier(arguments["identifier"]))

    def _lease_get(self, arguments: dict[str, Any]) -> Answer:
        wanted = {"ip-address": _string(arguments, "ip-address"), **({"type": arguments["type"]} if "type" in arguments else {})}
        for lease in self.leases:
            if wanted.items() <= lease.items():
                return answer(DONE, f"IPv{self.family.version} lease found.", lease)
        return answer(EMPTY, "Lease not found.")

    def _config_get(self, _: dict[str, Any]) -> Answer:
        content = self.configuration.with_reservations(list(self.hosts))
        return answer(DONE, "", {self.family.section: content, "hash": checksum(self.family, content)})

    def _config_hash_get(self, _: dict[str, Any]) -> Answer:
        content = self.configuration.with_reservations(list(self.hosts))
        return answer(DONE, "", {"hash": checksum(self.family, content)})

    def _config_write(self, arguments: dict[str, Any]) -> Answer:
        home = self.configuration.path
        path = home.parent / _string(arguments, "filename") if "filename" in arguments else home
        if path.parent.resolve() != home.parent.resolve():
            raise KeaError(f"not allowed to write config into {path}: file {path} is not in the configuration directory '{home.parent}'")
        size = self.configuration.write(path, list(self.hosts))
        return answer(DONE, f"Configuration written to {path} successful", {"filename": str(path), "size": size})

    def _list_commands(self, _: dict[str, Any]) -> Answer:
        return answer(DONE, "", sorted(self._commands))

    def _status_get(self, _: dict[str, Any]) -> Answer:
        up = int(time.monotonic() - self._started)
        return answer(DONE, "", {"pid": os.getpid(), "uptime": up, "reload": up, "multi-threading-enabled": False})


def _target(arguments: dict[str, Any]) -> str:
    target = arguments.get("operation-target", "default")
    if target not in ("memory", "database", "all", "default"):
        raise KeaError(f"The 'operation-target' value ({target}) is not within expected set: (memory, database, all, default)")
    return str(target)


def _changes_memory(arguments: dict[str, Any], otherwise: str) -> None:
    """Raise KeaError unless the command is for the memory: a change goes to the host database by default, and there is none."""
    if _target(arguments) not in ("memory", "all"):
        raise KeaError(otherwise)


def _map(arguments: dict[str, Any], name: str, otherwise: str) -> dict[str, Any]:
    value = arguments.get(name)
    if not isinstance(value, dict):
        raise KeaError(otherwise)
    return value


def _string(arguments: dict[str, Any], name: str) -> str:
    value = arguments.get(name)
    if not isinstance(value, str):
        raise KeaError(f"'{name}' is either missing or not a string.")
    return value


def _subnet_id(arguments: dict[str, Any]) -> int:
    value = arguments.get("subnet-id")
    if not isinstance(value, int) or isinstance(value, bool):
        raise KeaError("missing parameter 'subnet-id'")
    return value
