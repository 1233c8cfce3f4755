"""The films: lists, one film, its poster."""

import re

from django.http import HttpRequest, HttpResponse, JsonResponse
from django.utils.http import parse_etags

from movies import catalogue, edits
from movies.errors import BadInput
from movies.fields import MovieFields
from movies.movie import (
    FIRST_YEAR,
    GENRES,
    VERSION_MAX_DIGITS,
    Movie,
    MovieKey,
    last_year,
)

from . import members
from .access import needs_editor
from .bodies import read_image, read_json
from .errors import Problem
from .limits import CURSOR_MAX_CHARS, MAX_LIMIT, MOVIES_LIMIT, QUERY_MAX_CHARS, decades
from .queries import read_choice, read_number, read_text
from .serialisation import movie_to_json, movie_url, next_link

# A version as an entity tag: what most If-Match headers hold.
VERSION_TAG = re.compile(rf'"(0|[1-9][0-9]{{0,{VERSION_MAX_DIGITS - 1}}})"')
FILTERS = ("year", "decade", "genre", "q")


def list_movies(request: HttpRequest) -> HttpResponse:
    """Answer a page of films, newest first; at most one filter narrows them."""
    filters = [name for name in FILTERS if name in request.GET]
    if len(filters) > 1:
        raise BadInput.of_fields(dict.fromkeys(filters, "Expected at most one filter."))
    query = read_text(request, "q", QUERY_MAX_CHARS)
    cursor = read_text(request, "cursor", CURSOR_MAX_CHARS)
    limit = read_number(request, "limit", 1, MAX_LIMIT) or MOVIES_LIMIT
    if query is not None:
        page = catalogue.search_movies(query, cursor=cursor, limit=limit)
    else:
        page = catalogue.list_movies(
            year=read_number(request, "year", FIRST_YEAR, last_year()),
            decade=_read_decade(request),
            genre=read_choice(request, "genre", GENRES),
            cursor=cursor,
            limit=limit,
        )
    return JsonResponse(
        {
            "movies": [movie_to_json(movie) for movie in page.movies],
            "next_cursor": page.next_cursor,
            "next": next_link(request, page.next_cursor),
        }
    )


@needs_editor
def add_movie(request: HttpRequest) -> HttpResponse:
    """Add a film to the catalogue."""
    movie = catalogue.add_movie(_read_fields(request))
    return _show(movie, status=201, headers={"Location": movie_url(movie.key)})


def get_movie(request: HttpRequest, year: int, title: str) -> HttpResponse:
    """Answer one film; its ETag is what a change must name."""
    return _show(catalogue.get_movie(MovieKey(year, title)))


@needs_editor
def change_movie(request: HttpRequest, year: int, title: str) -> HttpResponse:
    """Replace a film's fields; a new year or title moves it."""
    key = MovieKey(year, title)
    fields = _read_fields(request)
    movie = edits.change_movie(key, fields, version=_read_version(request, key))
    return _show(movie, headers={"Content-Location": movie_url(movie.key)})


@needs_editor
def delete_movie(request: HttpRequest, year: int, title: str) -> HttpResponse:
    """Delete a film with everything that belongs to it."""
    key = MovieKey(year, title)
    edits.delete_movie(key, version=_read_version(request, key))
    return HttpResponse(status=204)


@needs_editor
def replace_poster(request: HttpRequest, year: int, title: str) -> HttpResponse:
    """Make the image that is the body the film's poster."""
    key = MovieKey(year, title)
    content = read_image(request)
    return _show(edits.replace_poster(key, content, version=_read_version(request, key)))


@needs_editor
def remove_poster(request: HttpRequest, year: int, title: str) -> HttpResponse:
    """Take the film's poster away."""
    key = MovieKey(year, title)
    return _show(edits.remove_poster(key, version=_read_version(request, key)))


def list_genres(request: HttpRequest) -> HttpResponse:
    """Answer every genre that a film can have."""
    return JsonResponse({"genres": list(GENRES)})


def _show(movie: Movie, status: int = 200, headers: dict[str, str] | None = None) -> HttpResponse:
    """Answer a film with its version as ETag: for If-Match alone, which compares strongly.

    Votes and the poster's signature change the body and not the version, so no cache may keep the
    answer to revalidate it by that tag, and If-None-Match is answered in full.
    https://www.rfc-editor.org/rfc/rfc9110#name-strong-versus-weak
    """
    return JsonResponse(
        movie_to_json(movie),
        status=status,
        headers={
            "ETag": f'"{movie.version}"',
            "Cache-Control": "no-store",
            **(headers or {}),
        },
    )


def _read_fields(request: HttpRequest) -> MovieFields:
    body = read_json(request)
    members.check_members(body, members.MOVIE)
    return MovieFields.from_untrusted(body)


def _read_version(request: HttpRequest, key: MovieKey) -> int:
    """Return the version that If-Match names: the one that the client has seen.

    Raises Problem 428 without the header, 400 where it holds no entity tag, 412 where none of
    several is the film's. One tag alone is compared by the conditional write itself.
    https://www.rfc-editor.org/rfc/rfc9110#name-if-match
    """
    header = request.headers.get("If-Match")
    if header is None:
        raise Problem(
            428,
            "if_match_required",
            "Expected the film's ETag in If-Match, so that nobody's change is overwritten.",
        )
    if tag := VERSION_TAG.fullmatch(header.strip()):
        return int(tag[1])
    tags = parse_etags(header)
    if not tags:
        message = f'Expected an entity tag such as "3" in If-Match, got {header[:50]!r}.'
        raise Problem(400, "bad_if_match", message)
    current = catalogue.get_movie(key)
    if tags == ["*"] or f'"{current.version}"' in tags:
        return current.version
    message = f'The film is at version "{current.version}", which If-Match does not name.'
    raise Problem(412, "movie_changed", message, current=movie_to_json(current))


def _read_decade(request: HttpRequest) -> int | None:
    decade = read_number(request, "decade", decades()[0], decades()[-1])
    if decade is not None and decade % 10:
        raise BadInput("decade", f"Expected the first year of a decade, got {decade}.")
    return decade
