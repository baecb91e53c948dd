"""How NETCONF messages lie on the wire: end-of-message (base:1.0) and chunked framing (base:1.1), RFC 6242 section 4."""

import re
from dataclasses import dataclass, field

END_OF_MESSAGE = b"]]>]]>"
_LARGEST_CHUNK = 4294967295
_HEADER = re.compile(rb"\n#(?:([1-9][0-9]{0,9})|#)\n")
_BEGINNING = re.compile(rb"(\n(#(#|[1-9][0-9]{0,9})?)?)?")
_LONGEST_HEADER = len(b"\n#4294967295\n")


class FramingError(Exception):
    """The peer sent bytes that are no message. The session must end (RFC 6242 section 4.2)."""


def frame(message: bytes, *, chunked: bool) -> bytes:
    """Return the bytes to send for a message: one chunk, or the message and its end mark."""
    return b"\n#%d\n%b\n##\n" % (len(message), message) if chunked else message + END_OF_MESSAGE


@dataclass
class Unframer:
    """Takes bytes as they come and gives whole messages. `chunked` is switched on after the hello."""

    chunked: bool = False
    _buffer: bytearray = field(default_factory=bytearray)
    _chunks: list[bytes] = field(default_factory=list)
    _searched: int = 0

    def feed(self, data: bytes) -> None:
        """Take what arrived."""
        self._buffer += data

    def next(self) -> bytes | None:
        """Return the next message, None when it has not arrived whole. Raises FramingError."""
        return self._next_chunked() if self.chunked else self._next_delimited()

    def _next_delimited(self) -> bytes | None:
        end = self._buffer.find(END_OF_MESSAGE, self._searched)
        if end < 0:
            # not to search a large message from its beginning each time a part of it arrives
            self._searched = max(0, len(self._buffer) - len(END_OF_MESSAGE) + 1)
            return None
        message = bytes(self._buffer[:end])
        del self._buffer[: end + len(END_OF_MESSAGE)]
        self._searched = 0
        return message

    def _next_chunked(self) -> bytes | None:
        while header := _HEADER.match(self._buffer):
            if header[1] is None:
                if not self._chunks:
                    raise FramingError("end of chunks without a chunk")
                del self._buffer[: header.end()]
                message = b"".join(self._chunks)
                self._chunks.clear()
                return message
            size = int(header[1])
            if size > _LARGEST_CHUNK:
                raise FramingError(f"a chunk of {size} bytes")
            end = header.end() + size
            if len(self._buffer) < end:
                return None
            self._chunks.append(bytes(self._buffer[header.end() : end]))
            del self._buffer[:end]
        if not _BEGINNING.fullmatch(self._buffer[: _LONGEST_HEADER + 1]):
            raise FramingError("no chunk header where one must be")
        return None
