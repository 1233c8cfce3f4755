"""Terms: what traces are found by without looking at all of them.

Traces whose numbers are next to each other are a block. The database has the terms of each block
once: the values of its traces that a filter may compare for being equal, the keys of annotations,
with the least and greatest number of each that has any, and the shapes of elements with the least
and greatest seconds of each. Where a filter's terms are
in few blocks, only these are looked at. What was in a trace before it changed stays: a term says
that something may be in a block, and one that is not there that it is not.
"""

import json
from collections.abc import Iterable
from functools import lru_cache
from zlib import crc32

BLOCK_TRACES = 32
# Blocks next to each other are an era: one lookup finds a term in all of its blocks, and what is
# pruned goes era by era.
ERA_BLOCKS = 128
# The traces of blocks, in SQL; `bind_blocks` says which these are.
TRACES_OF_BLOCKS = (
    "(SELECT value * :size AS first FROM json_each(:blocks)) AS b "
    "CROSS JOIN traces ON traces.no BETWEEN b.first AND b.first + :size - 1"
)


def bind_blocks(blocks: Iterable[int]) -> dict[str, str | int]:
    """Return the values that TRACES_OF_BLOCKS names."""
    return {"blocks": json.dumps(list(blocks)), "size": BLOCK_TRACES}


def block_of(trace_no: int) -> int:
    """Return the block that a trace is in."""
    return trace_no // BLOCK_TRACES


def era_of(block: int) -> int:
    """Return the era that a block is in."""
    return block // ERA_BLOCKS


def first_trace_of(era: int) -> int:
    """Return the least number of a trace in an era."""
    return era * ERA_BLOCKS * BLOCK_TRACES


def term_of(field: str, value: str | float | bool | None = None) -> int:
    """Return the term of a keyword or annotation that has the value, or that is set.

    Two may have the same one. It is negative: the others are the numbers of shapes.
    """
    if isinstance(value, str):
        return -1 - crc32(value.encode("utf-8", "replace"), _checksum(field, "str"))
    if isinstance(value, float | int) and not isinstance(value, bool):
        value = float(value) + 0.0  # -0.0 becomes 0.0, which it equals
    return _find_other(field, value)


def list_terms(field: str, values: Iterable[str | float | bool]) -> list[int]:
    """Return the term of the keyword or annotation with each of the values."""
    begun = _checksum(field, "str")
    # Nearly all are texts, and hardly one comes twice.
    return [
        -1 - crc32(value.encode("utf-8", "replace"), begun)
        if isinstance(value, str)
        else term_of(field, value)
        for value in values
    ]


@lru_cache(maxsize=1024)
def range_term_of(field: str) -> int:
    """Return the term of an annotation that has a number; the least and greatest go with it."""
    return -1 - _checksum(field, "range")


@lru_cache(maxsize=1024)
def _checksum(field: str, type_name: str) -> int:
    """Return the checksum of what stands before a value of that type."""
    return crc32(f"{field}\0{type_name}\0".encode(errors="replace"))


@lru_cache(maxsize=8192, typed=True)
def _find_other(field: str, value: float | bool | None) -> int:
    return -1 - crc32(str(value).encode(), _checksum(field, type(value).__name__))
