"""The limits of what can be asked for: the API checks them, and its description states them."""

from movies import cursors, listing, search
from movies.movie import FIRST_YEAR, last_year

MOVIES_LIMIT = listing.DEFAULT_LIMIT
REVIEWS_LIMIT = 20
MAX_LIMIT = listing.MAX_LIMIT
QUERY_MAX_CHARS = search.QUERY_MAX_CHARS
CURSOR_MAX_CHARS = cursors.MAX_CHARS


def decades() -> range:
    """Return the first year of each decade that can have films."""
    return range(FIRST_YEAR // 10 * 10, last_year() // 10 * 10 + 1, 10)
