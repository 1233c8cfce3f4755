"""A look at a share of the traces, which tells how many others there are most likely of a kind."""

import sqlite3
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from xray_local.filters import Condition

from .extents import find_numbers
from .orders import Order
from .terms import BLOCK_TRACES, TRACES_OF_BLOCKS, bind_blocks

# So many blocks, evenly spread, are looked at, if there are many others.
BLOCKS_SAMPLED = 40
STEP_MIN = 2
# Where as many of their rows fit, it can be said where the next ones are.
FITTING_MIN = 3


@dataclass(frozen=True, slots=True)
class Sample:
    """Some of the rows, evenly spread, in an order.

    step: of how many rows each is one. places: what they are ordered by; fits: whether the
    condition may hold of them, 1 or 0.
    """

    step: int
    places: Sequence[float]
    fits: Sequence[int]

    @property
    def fitting(self) -> int:
        """Of how many of all rows the condition may hold, most likely."""
        return self.step * sum(self.fits)

    def find_place(self, enough: int) -> tuple[float, float] | None:
        """Return a place before which there are most likely enough rows that fit, but few more.

        And how many of all rows are to be looked at, from the first on, until enough fit. None if
        that cannot be said.
        """
        number = FITTING_MIN + 2 * enough // self.step
        indexes = [index for index, fits in enumerate(self.fits) if fits][:number]
        if len(indexes) < number:
            return None
        last = indexes[-1]
        return self.places[last], (last + 1) * enough / number


def take_sample(
    connection: sqlite3.Connection,
    wanted: Sequence[str],
    values: dict[str, Any],
    condition: Condition,
    order: Order,
) -> Sample | None:
    """Return a sample of the rows that are wanted; None if it would be no small part of them.

    wanted, values: see `scans.scan`.
    """
    first, last = find_numbers(connection, values)
    step = (last - first) // (BLOCK_TRACES * BLOCKS_SAMPLED)
    if step < STEP_MIN:
        return None
    blocks = range(first // BLOCK_TRACES + step // 2, last // BLOCK_TRACES, step)
    rows = connection.execute(
        f"SELECT {order.column} AS place, {condition.may} "  # noqa: S608 - fixed texts
        f"FROM {TRACES_OF_BLOCKS} WHERE {' AND '.join(wanted)} "
        f"ORDER BY place {order.direction}, traces.no {order.direction}",
        values | bind_blocks(blocks),
    ).fetchall()
    return Sample(step, [place for place, _ in rows], [1 if fits else 0 for _, fits in rows])
