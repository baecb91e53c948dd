"""Framing of NETCONF messages (RFC 6242 section 4), however the bytes arrive."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lab.netconf.framing import FramingError, Unframer, frame

BODIES = st.lists(st.binary(min_size=1, max_size=80).filter(lambda body: b"]]>" not in body), min_size=1, max_size=4)


@given(bodies=BODIES, chunked=st.booleans(), size=st.integers(1, 40))
def test_messages_come_out_as_they_went_in(bodies: list[bytes], chunked: bool, size: int) -> None:
    stream = b"".join(frame(body, chunked=chunked) for body in bodies)
    unframer = Unframer(chunked)
    found: list[bytes] = []
    for start in range(0, len(stream), size):
        unframer.feed(stream[start : start + size])
        while (message := unframer.next()) is not None:
            found.append(message)
    assert found == bodies


def test_a_message_of_several_chunks() -> None:
    """The example of RFC 6242 section 4.2."""
    unframer = Unframer(chunked=True)
    unframer.feed(b'\n#4\n<rpc\n#18\n message-id="102"\n\n#79\n')
    unframer.feed(b'     xmlns="urn:ietf:params:xml:ns:netconf:base:1.0">\n  <close-session/>\n</rpc>\n##\n')
    message = unframer.next()
    assert message is not None
    assert message.startswith(b'<rpc message-id="102"\n')
    assert message.endswith(b"</rpc>")


def test_the_framing_changes_after_the_hello() -> None:
    unframer = Unframer()
    unframer.feed(frame(b"<hello/>", chunked=False) + frame(b"<rpc/>", chunked=True))
    assert unframer.next() == b"<hello/>"
    unframer.chunked = True
    assert unframer.next() == b"<rpc/>"


@pytest.mark.parametrize(
    "junk", [b"x", b"\nx", b"\n#x\n", b"\n#0\n", b"\n#-1\n", b"\n#12345678901", b"\n#99999999999\n", b"\n#9999999999\n", b"\n##\n"]
)
def test_what_is_no_chunk_ends_it(junk: bytes) -> None:
    unframer = Unframer(chunked=True)
    unframer.feed(junk)
    with pytest.raises(FramingError):
        unframer.next()


@pytest.mark.parametrize("part", [b"", b"\n", b"\n#", b"\n#1", b"\n#4294967295", b"\n#3\nab"])
def test_what_may_become_a_chunk_is_waited_for(part: bytes) -> None:
    unframer = Unframer(chunked=True)
    unframer.feed(part)
    assert unframer.next() is None
