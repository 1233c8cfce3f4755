"""The ways to find a film: the rows of the table MovieTerms, and the text they are found by.

Each row is one way. Its `term` is the partition, its `position` the place in that list:

| term           | position                                   | finds                          |
|----------------|--------------------------------------------|--------------------------------|
| `all`          | year downwards, folded title               | everything, newest first       |
| `decade#1990`  | the same                                   | a decade                       |
| `year#1999`    | the same                                   | a year                         |
| `genre#drama`  | the same                                   | a genre                        |
| `title`        | folded title, year downwards               | titles by their beginning, A-Z |
| `word#ma`      | folded word, year downwards, folded title  | words that begin with `ma…`    |

Two terms are in no list. `complete` has one row, which says that every film has its rows. `moved`
has two for each film that left its key for another: one at the key's own position, where that of
the next film to leave replaces it, and one that stays, at a position that ends in the version that
left. Both have the new key as their film, and the version as their text.

A position ends in a digest of the title, so two titles that fold alike keep their own rows.
"""

import hashlib
import unicodedata
from collections.abc import Iterator
from typing import NamedTuple

from .movie import VERSION_MAX_DIGITS, MovieKey

# A film's rows and the film are written in one transaction of at most 100 actions; a film that is
# moved needs its old rows, its new ones and the two that lead from here to there:
# 2 + 2 x (4 + 6 genres + words) + 2.
# https://docs.aws.amazon.com/amazondynamodb/latest/APIReference/API_TransactWriteItems.html
MAX_WORDS = 36
# A sort key has at most 1,024 bytes, and a character up to four of them.
FOLDED_MAX_CHARS = 200
WORD_MAX_CHARS = 40
WORD_SHARD_CHARS = 2

ALL = "all"
TITLE = "title"
MOVED = "moved"
# Sorts before everything that a folded title holds, so "alien" comes before "alien 3".
_SEPARATOR = "\t"
# Accents, joiners, and the variants of a letter or emoji: written or not, it is the same word.
_PASSED_OVER = frozenset((*range(0x0300, 0x0370), 0x200C, 0x200D, *range(0xFE00, 0xFE10)))
# Blanks and what can't be seen: what is left of a text without letters and digits has none of it.
_UNSEEN = frozenset({"Zs", "Zl", "Zp", "Cc", "Cf", "Cs"})


class TermRow(NamedTuple):
    """One row of MovieTerms; text is the folded title between spaces, where a search reads it."""

    term: str
    position: str
    key: MovieKey
    text: str


COMPLETE = TermRow("complete", "-", MovieKey(0, "-"), "")


def fold(text: str) -> str:
    """Return text as a search compares it: no case, no accents, single spaces for all else.

    Letters, digits and vowel signs of every script stay; symbols only where there are no letters
    or digits, so that films called "$" or "✨" are found too. Cut at 200 characters.
    """
    # Of all letters, the dotless i alone has a capital that folds to another letter.
    folded = unicodedata.normalize("NFKD", text).casefold().replace("\u0131", "i")
    plain = unicodedata.normalize("NFKD", folded)
    kept = [character for character in plain if ord(character) not in _PASSED_OVER]
    stays = _is_of_a_word if any(map(str.isalnum, kept)) else _is_seen
    spaced = "".join(character if stays(character) else " " for character in kept)
    composed = unicodedata.normalize("NFC", " ".join(spaced.split()))
    return composed[:FOLDED_MAX_CHARS].strip()


def _is_of_a_word(character: str) -> bool:
    return character.isalnum() or unicodedata.category(character)[0] == "M"


def _is_seen(character: str) -> bool:
    return unicodedata.category(character) not in _UNSEEN


def split_words(folded: str) -> list[str]:
    """Return the words of a folded text, in order, repeated ones too."""
    return folded.split()


def rows_of(key: MovieKey, genres: tuple[str, ...]) -> dict[tuple[str, str], TermRow]:
    """Return every row that finds the film, by its term and position."""
    text = f" {fold(key.title)} "
    return {place: TermRow(*place, key, text) for place in _places(key, genres)}


def moved_row(key: MovieKey, new_key: MovieKey, version: int) -> TermRow:
    """Return the row that leads from a key to where the last film went that left it."""
    return TermRow(MOVED, moved_position(key), new_key, str(version))


def departure_row(key: MovieKey, new_key: MovieKey, version: int) -> TermRow:
    """Return the row that leads from a key to where the film went that left it at this version."""
    return TermRow(MOVED, departure_position(key, version), new_key, str(version))


def moved_position(key: MovieKey) -> str:
    """Return the position of a key's moved_row."""
    return _newest_first(key)


def departure_position(key: MovieKey, version: int) -> str:
    """Return the position of a departure_row; those of one key are in the order of versions."""
    return _SEPARATOR.join((_newest_first(key), f"{version:0{VERSION_MAX_DIGITS}d}"))


def finds(row: TermRow, genres: tuple[str, ...]) -> bool:
    """Say whether a row may find the film with these genres that is at its key.

    Not where it was left over by a film that was lost, and put in again with other genres.
    """
    return not row.term.startswith(genre_term("")) or row.term in map(genre_term, genres)


def decade_term(decade: int) -> str:
    return f"decade#{decade}"


def year_term(year: int) -> str:
    return f"year#{year}"


def genre_term(genre: str) -> str:
    return f"genre#{genre.casefold()}"


def word_term(word: str) -> str:
    return f"word#{word[:WORD_SHARD_CHARS]}"


def word_prefix(word: str) -> str:
    """Return how the positions of all words begin that begin with this one."""
    return word[:WORD_MAX_CHARS]


def whole_word_prefix(word: str) -> str:
    """Return how the positions of this very word begin."""
    return word_prefix(word) + _SEPARATOR


def word_of(position: str) -> str:
    """Return the word of a row of a word list."""
    return position.partition(_SEPARATOR)[0]


def _places(key: MovieKey, genres: tuple[str, ...]) -> Iterator[tuple[str, str]]:
    newest_first = _newest_first(key)
    year, folded, digest = newest_first.split(_SEPARATOR)
    for term in (ALL, decade_term(key.year // 10 * 10), year_term(key.year)):
        yield term, newest_first
    for genre in genres:
        yield genre_term(genre), newest_first
    yield TITLE, _SEPARATOR.join((folded, year, digest))
    for word in split_words(folded):
        yield word_term(word), whole_word_prefix(word) + newest_first


def _newest_first(key: MovieKey) -> str:
    digest = hashlib.sha256(key.title.encode()).hexdigest()[:16]
    return _SEPARATOR.join((f"{9999 - key.year:04d}", fold(key.title), digest))
