"""Opening a NETCONF session over SSH: socket options, host key policy, and what goes wrong as errors of `engine.errors`."""

from __future__ import annotations

import contextlib
import socket
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import paramiko
from ncclient.manager import Manager, make_device_handler
from ncclient.operations.errors import TimeoutExpiredError
from ncclient.transport.errors import AuthenticationError, SessionError, SSHUnknownHostError, TransportError

from engine.errors import HostKeyUnknown, SettingsInvalid, TargetDenied, TargetLost, TargetTimeout, TargetUnreachable
from tasks.access import Access
from tasks.connections.fast_session import FastSession

PORT = 830
"""IANA's port of NETCONF over SSH (RFC 6242)."""

_PARAMIKO_POLL = 2.0
_KEEPALIVE = ((socket.TCP_KEEPIDLE, 5), (socket.TCP_KEEPINTVL, 5), (socket.TCP_KEEPCNT, 3), (socket.TCP_USER_TIMEOUT, 15000))
"""A peer that vanished is an error after about 20 s, also while an RPC waits; stock ncclient never notices."""


def connect(target: str, access: Access, *, handler: str = "default", timeout: float | None = None) -> Manager:
    """Open a session and return ncclient's Manager on it. `handler` names ncclient's device handler (`default`, `junos`, ...).

    `timeout` bounds the whole of it in seconds (default: the access's own). Raises TargetUnreachable, TargetDenied, HostKeyUnknown,
    TargetTimeout, TargetLost, SettingsInvalid.
    """
    seconds = access.timeout if timeout is None else timeout
    if not access.hostname:
        raise SettingsInvalid(f"{target} has no address: neither the inventory nor the settings name one", target=target)
    device = make_device_handler({"name": handler})
    session = FastSession(device, access.known_hosts)
    with _nobody_in(target), translated(target), _bounded(target, access, seconds) as sock:
        arguments: dict[str, Any] = {
            "host": access.hostname,
            "port": access.port or PORT,
            "username": access.username,
            "password": access.password,
            "sock": sock,
            "timeout": seconds,
            "hostkey_verify": not access.insecure,
            "allow_agent": access.password is None,
            "look_for_keys": access.password is None,
        }
        device.add_additional_ssh_connect_params(arguments)
        try:
            session.connect(**arguments)
        except BaseException:
            session.close()
            sock.close()
            raise
        session.sleep_longer(_PARAMIKO_POLL)
    return Manager(session, device, timeout=access.timeout)


@contextlib.contextmanager
def _nobody_in(target: str) -> Iterator[None]:
    """A session that is lost before it is there was never reached."""
    try:
        yield
    except TargetLost as error:
        raise TargetUnreachable(f"{target} cannot be reached: {error.message}", target=target) from error


@contextlib.contextmanager
def _bounded(target: str, access: Access, seconds: float) -> Iterator[socket.socket]:
    """Give a connected socket and shut it down when the block is not over in time.

    paramiko's waits for banner, key exchange and authentication have times of their own (15 to 30 s each) that ncclient cannot set.
    """
    try:
        sock = socket.create_connection((access.hostname, access.port or PORT), seconds)
    except TimeoutError as error:
        raise TargetUnreachable(f"{target} does not answer at {access.hostname}:{access.port or PORT}", target=target) from error
    sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)  # or each small write waits for the peer's delayed ACK: 40 ms
    sock.setsockopt(socket.SOL_SOCKET, socket.SO_KEEPALIVE, 1)
    for option, value in _KEEPALIVE:
        sock.setsockopt(socket.IPPROTO_TCP, option, value)
    late = threading.Event()

    def give_up() -> None:
        late.set()
        with contextlib.suppress(OSError):
            sock.shutdown(socket.SHUT_RDWR)

    timer = threading.Timer(seconds, give_up)
    timer.daemon = True
    timer.start()
    try:
        yield sock
    except Exception as error:
        if late.is_set():
            raise TargetTimeout(f"{target} did not let us in within {seconds:g} s", target=target) from error
        raise
    finally:
        timer.cancel()


@contextlib.contextmanager
def translated(target: str) -> Iterator[None]:
    """Raise what ncclient, paramiko and the socket raise as errors of `engine.errors`. RPCError passes: it is an answer."""
    try:
        yield
    except TimeoutExpiredError as error:
        raise TargetTimeout(f"{target} did not answer in time", target=target) from error
    except SSHUnknownHostError as error:
        raise HostKeyUnknown(f"{target}: host key {error.fingerprint} of {error.host} is not the known one", target=target) from error
    except AuthenticationError as error:
        raise TargetDenied(f"{target} refused the credentials", target=target) from error
    except (SessionError, TransportError, paramiko.SSHException, EOFError) as error:
        if "host key" in str(error):  # "no acceptable host key": the device has none of the types we know of it
            raise HostKeyUnknown(f"{target}: {error}", target=target) from error
        raise TargetLost(f"{target}: the session was lost ({_short(error)})", target=target) from error
    except (ConnectionRefusedError, socket.gaierror) as error:
        raise TargetUnreachable(f"{target} cannot be reached: {error.strerror or error}", target=target) from error
    except OSError as error:
        if isinstance(error.filename, str | Path):  # the known_hosts file
            raise HostKeyUnknown(f"{target}: no known hosts: {error}", target=target) from error
        raise TargetUnreachable(f"{target} cannot be reached: {error}", target=target) from error


def _short(error: BaseException) -> str:
    return (str(error) or repr(error)).splitlines()[0][:200]
