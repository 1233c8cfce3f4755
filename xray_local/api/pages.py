"""Pages of a list, each with the token that asks for the next.

A token names the last of its page: what is added or removed meanwhile moves nothing else.
"""

from collections.abc import Callable, Sequence
from typing import TypeVar

from xray_local import tokens
from xray_local.errors import InvalidRequest
from xray_local.traces.documents import show

Row = TypeVar("Row")
Key = Sequence[str | float]


def take_page(
    rows: Sequence[Row], get_key: Callable[[Row], Key], token: str | None, size: int
) -> tuple[list[Row], str | None]:
    """Return up to `size` rows after the token's, and the token for the rest, None without any.

    rows: in the order of their keys, none twice. Raises InvalidRequest for a token of no such list.
    """
    if token is not None:
        last = decode_key(token)
        try:
            rows = [row for row in rows if list(get_key(row)) > last]
        except TypeError:
            raise refuse_token(token) from None
    page = list(rows[:size])
    return page, tokens.encode(get_key(page[-1])) if len(rows) > size else None


def decode_key(token: str) -> list[str | float]:
    """Return the place that a token stands for. Raises InvalidRequest."""
    try:
        return tokens.decode(token)
    except ValueError:
        raise refuse_token(token) from None


def refuse_token(token: str) -> InvalidRequest:
    """Return what to raise for a token that this operation did not give."""
    return InvalidRequest(f"Expected a NextToken of this operation, got {show(token)}.")
