"""Frames in a stream that is cut anywhere."""

from hypothesis import given
from hypothesis import strategies as st

from xray_local.intake.frames import FrameReader, Kind, pack


@given(
    payloads=st.lists(st.binary(max_size=50), max_size=10),
    cuts=st.lists(st.integers(1, 20), max_size=200),
)
def test_feed_in_pieces(payloads: list[bytes], cuts: list[int]) -> None:
    stream = b"".join(pack(Kind.DATAGRAM, payload) for payload in payloads)
    reader = FrameReader()
    found = []

    for size in cuts:
        found += list(reader.feed(stream[:size]))
        stream = stream[size:]
    found += list(reader.feed(stream))

    assert found == [(Kind.DATAGRAM, payload) for payload in payloads]


def test_feed_keeps_what_is_not_complete() -> None:
    reader = FrameReader()
    frame = pack(Kind.DROPPED, b"12")

    assert list(reader.feed(frame[:-1])) == []
    assert list(reader.feed(frame[-1:])) == [(Kind.DROPPED, b"12")]
