"""The search: by the beginning of a title, and by words anywhere in it."""

from . import terms
from .errors import BadInput
from .listing import DEFAULT_LIMIT, Phase, read_page
from .movie import Page
from .terms import TermRow

QUERY_MAX_CHARS = 200


def search_movies(query: str, *, cursor: str | None = None, limit: int = DEFAULT_LIMIT) -> Page:
    """Return a page of the films whose title begins with the query or has all of its words.

    First those whose title begins with it, A-Z; then those that have its words anywhere, the last
    of which may be the beginning of one, from two letters on. Case and accents don't count.
    Where it has no letter or digit, its symbols count.
    Raises BadInput for a query in which there is nothing to see, BadCursor.
    """
    if len(query) > QUERY_MAX_CHARS:
        raise BadInput("q", f"Expected at most {QUERY_MAX_CHARS} characters.")
    folded = terms.fold(query)
    if not folded:
        raise BadInput("q", "Expected at least one letter, digit or symbol.")
    phases = [Phase(terms.TITLE, begins_with=folded), _find_words(folded)]
    return read_page(f"search#{folded}", phases, cursor, limit)


def _find_words(folded: str) -> Phase:
    """Return the phase of the titles that have every word and don't begin with the query.

    DynamoDB looks up the longest word, and filters what it finds by the others.
    """
    *whole, last = terms.split_words(folded)
    longest = max(whole, key=len, default="")
    contains = (*(f" {word} " for word in dict.fromkeys(whole)), f" {last}")
    if len(last) > max(len(longest), terms.WORD_SHARD_CHARS - 1):
        beginning = terms.word_prefix(last)
        return Phase(
            terms.word_term(last),
            begins_with=beginning,
            contains=contains,
            begins_not_with=f" {folded}",
            is_wanted=lambda row: terms.word_of(row.position) == _first_word(row, beginning),
        )
    looked_up = longest or last
    return Phase(
        terms.word_term(looked_up),
        begins_with=terms.whole_word_prefix(looked_up),
        contains=contains,
        begins_not_with=f" {folded}",
    )


def _first_word(row: TermRow, beginning: str) -> str:
    """Return which of a title's words stands for it: two that begin so have a row each."""
    words = (terms.word_prefix(word) for word in terms.split_words(row.text))
    return min(word for word in words if word.startswith(beginning))
