"""An ncclient SSH session that sends at once and sleeps otherwise (ncclient 0.7.0, paramiko 5).

Stock ncclient queues a message and finds it only when its `select` of 0.1 s returns: every RPC costs up to 100 ms, and 100 idle
sessions cost 6 % of a core. Here the caller's thread writes, and the session's thread blocks until there is something to read:
0.7 ms per RPC and 0.5 % (docs/decisions/own-netconf-plugin.md). No global of ncclient is changed.

Names used that are not its public API: `_transport_register`, `_base`, `_channel`, `_transport`, `_closing`, `_id`, `_host_keys`.
The version is pinned and tests/integration/tasks/test_fast_session.py covers each.
"""

from __future__ import annotations

import contextlib
import selectors
import socket
import threading
from pathlib import Path

from ncclient.devices.default import DefaultDeviceHandler
from ncclient.transport.errors import SessionCloseError, TransportError
from ncclient.transport.session import END_DELIM, MSG_DELIM, NetconfBase
from ncclient.transport.ssh import SSHSession

from tasks.apart import apart

_SECONDS_TO_WRITE = 20.0
"""A peer that does not read for so long is given up. After a partial write the framing is lost, so the session is closed."""

_MOST_STDERR = 65536


class FastSession(SSHSession):  # type: ignore[misc]  # ncclient has no annotations
    """See the module. `known_hosts` is the only file by which host keys are checked; None: the user's own."""

    def __init__(self, device_handler: DefaultDeviceHandler, known_hosts: Path | None = None) -> None:
        super().__init__(device_handler)
        self._known_hosts = known_hosts
        self._writing = threading.Lock()

    def run(self) -> None:
        """The session's thread."""
        apart()
        super().run()

    def load_known_hosts(self, filename: str | None = None) -> None:
        """Load the host keys this session trusts. Raises OSError when the file cannot be read."""
        if self._known_hosts is None:
            super().load_known_hosts(filename)
        else:
            # ncclient would add the user's own file, and take one that is missing for an empty one
            self._host_keys.load(str(self._known_hosts))

    def _transport_register(self, selector: selectors.BaseSelector, event: int) -> None:
        super()._transport_register(selector, event)
        wait, channel = selector.select, self._channel

        def select(timeout: float | None = None) -> list[tuple[selectors.SelectorKey, int]]:  # noqa: ARG001 - ncclient's 0.1 s
            while True:
                ready = wait(None)
                # paramiko signals stderr on the same descriptor; ncclient would then sit in recv() until data comes
                while channel.recv_stderr_ready():
                    channel.recv_stderr(_MOST_STDERR)
                if channel.recv_ready() or channel.eof_received or channel.closed:
                    return ready

        selector.select = select  # type: ignore[method-assign]  # this selector only, not its class

    def send(self, message: str) -> None:
        """Write one message, framed. Raises TransportError when there is no session (any more)."""
        if not self.connected or self._closing.is_set() or not self.is_up():
            raise TransportError("not connected to the NETCONF server")
        data = message.encode()
        framed = b"\n#%d\n%b%b" % (len(data), data, END_DELIM) if self._base == NetconfBase.BASE_11 else data + MSG_DELIM
        with self._writing:
            try:
                self._channel.settimeout(_SECONDS_TO_WRITE)  # bounds writes only: recv() is called when there is something
                self._channel.sendall(framed)
            except (OSError, EOFError) as error:
                # wakes the session's thread, which fails all RPCs that wait; with `_closing` set it would end silently
                self._transport.close()
                # without ncclient's second argument: it puts the whole payload into the message, and so into logs
                raise SessionCloseError(str(error) or repr(error)) from error

    def is_up(self) -> bool:
        """Say without an RPC whether the session lives: False once thread, transport or channel has seen the end."""
        transport, channel = self._transport, self._channel
        if not (transport and transport.is_active() and channel) or channel.closed or channel.eof_received:
            return False
        return bool(self.is_alive() or self._id is None)  # the thread starts after the hello is sent

    def close(self) -> None:
        """End the session at once, without asking the peer. May be called again."""
        if self._transport is None:
            return
        # or each thread sits in recv() until its poll time is over
        with contextlib.suppress(OSError):
            self._transport.sock.shutdown(socket.SHUT_RDWR)
        super().close()

    def sleep_longer(self, seconds: float) -> None:
        """Let paramiko's own thread look at its flags every `seconds` instead of ten times a second. Data wakes it at once."""
        self._transport.sock.settimeout(seconds)
