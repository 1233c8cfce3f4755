"""The limits of what can be asked for: the API checks them, and its description states them."""

from movies import cursors
from movies.movie import FIRST_YEAR, last_year

MOVIES_LIMIT = 24
REVIEWS_LIMIT = 20
MAX_LIMIT = 100
QUERY_MAX_CHARS = 200
CURSOR_MAX_CHARS = cursors.MAX_CHARS


def decades() -> range:
    """Return the first year of each decade that can have films."""
    return range(FIRST_YEAR // 10 * 10, last_year() // 10 * 10 + 1, 10)
