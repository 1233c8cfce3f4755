"""How a list of traces is ordered."""

from enum import Enum
from typing import NamedTuple


class Order(Enum):
    """How a list is ordered: by what, and whether the largest is first."""

    NEWEST = ("start_time", True)
    OLDEST = ("start_time", False)
    SLOWEST = ("response_time", True)
    FASTEST = ("response_time", False)
    HIGHEST_STATUS = ("COALESCE(http_status, 0)", True)
    LOWEST_STATUS = ("COALESCE(http_status, 0)", False)

    @property
    def column(self) -> str:
        """What is compared, in SQL."""
        return self.value[0]

    @property
    def is_of_index(self) -> bool:
        """Whether the index by start has this order."""
        return self.column == "start_time"

    @property
    def direction(self) -> str:
        """The same, for ORDER BY."""
        return "DESC" if self.value[1] else "ASC"

    @property
    def comparison(self) -> str:
        """How what comes earlier in the order compares with what comes later, in SQL."""
        return ">" if self.value[1] else "<"

    @property
    def after(self) -> str:
        """The condition of all that come after the place `:before` and the number `:no`."""
        return f"({self.column}, traces.no) {'<' if self.value[1] else '>'} (:before, :no)"


class Ranking(NamedTuple):
    """A list in an order that the index does not have."""

    order: Order
    limit: int
