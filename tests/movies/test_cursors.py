"""Tests of movies.cursors: whatever is not ours is refused, and nothing else happens."""

import base64

import pytest
from hypothesis import given
from hypothesis import strategies as st

from movies.cursors import MAX_CHARS, decode, encode
from movies.errors import BadCursor

POSITIONS = st.none() | st.text(st.characters(exclude_categories=["Cs"]), max_size=300)


@given(
    listing=st.text(st.characters(exclude_categories=["Cs"])),
    phase=st.integers(0, 9),
    position=POSITIONS,
)
def test_round_trip(listing: str, phase: int, position: str | None) -> None:
    cursor = encode(listing, phase, position)

    assert decode(listing, cursor) == (phase, position)
    assert cursor.replace("-", "").replace("_", "").isalnum()


@given(st.text())
def test_any_text_is_refused(text: str) -> None:
    with pytest.raises(BadCursor, match="cursor"):
        decode("all", text)


@given(st.binary(max_size=200))
def test_any_bytes_are_refused(content: bytes) -> None:
    with pytest.raises(BadCursor, match="cursor"):
        decode("all", base64.urlsafe_b64encode(content).decode())


def test_cursor_of_another_listing() -> None:
    cursor = encode("year#1999", 0, "position")

    with pytest.raises(BadCursor, match="cursor"):
        decode("year#1998", cursor)


@given(place=st.integers(0, 10_000), flip=st.integers(1, 127))
def test_changed_cursor(place: int, flip: int) -> None:
    cursor = encode("all", 0, "7999\tthe matrix\t0123")
    signed = bytearray(base64.urlsafe_b64decode(cursor + "=" * (-len(cursor) % 4)))
    signed[place % len(signed)] ^= flip

    with pytest.raises(BadCursor, match="cursor"):
        decode("all", base64.urlsafe_b64encode(signed).decode())


def test_longest_position_fits() -> None:
    assert len(encode("all", 0, "\U0001f600" * 250)) < MAX_CHARS


def test_huge_cursor() -> None:
    with pytest.raises(BadCursor, match="cursor"):
        decode("all", "A" * (MAX_CHARS + 1))
