"""The OpenAPI document: what is under /api/, with every status that each operation answers.

https://spec.openapis.org/oas/v3.1.1
"""

from functools import cache
from typing import Any

from django.conf import settings
from django.urls import reverse

from movies.movie import GENRES, VERSION_MAX_DIGITS, last_year

from . import schemas
from .bodies import IMAGE_TYPES, JSON_TYPE
from .parameters import (
    FILM_PARAMETERS,
    LIST_PARAMETERS,
    REVIEW_LIST_PARAMETERS,
    VERSION_PARAMETERS,
    describe_parameters,
)
from .problems import (
    ANY,
    AWS,
    EDITOR,
    IMAGE,
    JSON,
    MOVIE,
    SQL,
    USER,
    VERSION,
    describe_examples,
    describe_problems,
)
from .schemas import EXAMPLE_FIELDS, EXAMPLE_MOVIE, EXAMPLE_REVIEW, Schema, ref

FILM = "/api/movies/{year}/{title}/"
SESSION: list[Schema] = [{"session": []}]
SESSION_AND_TOKEN: list[Schema] = [{"session": [], "csrfCookie": [], "csrfToken": []}]
DESCRIPTION = """\
The film catalogue, with everything that its pages show and do.

- **Titles in addresses** are one segment: write `~` as `~~` and `/` as `~s`, in a title of dots
  alone each `.` as `~d`, and percent-encode the rest. Every film's `url` is ready-made.
- **Signing in** is for people, at `{sign_in}`; a client sends the cookies of their session. A
  write also needs the value of the `csrftoken` cookie, which `GET /api/` sets, in `X-CSRFToken`,
  and over HTTPS an `Origin` or `Referer` of this site.
- **Changing a film** needs its `ETag` in `If-Match`. Where somebody was faster, the answer is a
  412 with the film as it is now. The `ETag` tells versions of what an editor may change from each
  other; votes leave it as it is, so films aren't cached (`no-store`), and `If-None-Match` isn't
  looked at.
- **Lists** go on where `next` points to; a `cursor` fits the list that it came from, and no other.
- **Errors** are `application/problem+json`; `code` tells one from another.
- `HEAD` is possible wherever `GET` is, and `OPTIONS` everywhere.
- Unknown or repeated query parameters, and unknown or repeated members of a body, are refused.
"""


def describe(prefix: str = "/") -> Schema:
    """Return the document; prefix is where the site begins, as API Gateway's stage."""
    return _describe(prefix, last_year(), settings.SESSION_COOKIE_NAME, settings.CSRF_COOKIE_NAME)


@cache
def _describe(prefix: str, _last_year: int, session_cookie: str, csrf_cookie: str) -> Schema:
    cookies = {"type": "apiKey", "in": "cookie"}
    return {
        "openapi": "3.1.1",
        "info": {
            "title": "Movies",
            "version": "1",
            "summary": "A film catalogue whose every request can be followed on AWS X-Ray.",
            "description": DESCRIPTION.format(sign_in=reverse("sign-in")),
            "license": {"name": "Apache-2.0", "identifier": "Apache-2.0"},
        },
        "servers": [{"url": prefix}],
        "tags": [
            {"name": "films", "description": "The catalogue."},
            {"name": "opinions", "description": "Votes and reviews."},
            {"name": "about", "description": "The API itself."},
        ],
        "paths": _about_paths() | _film_paths() | _opinion_paths(),
        "components": {
            "schemas": schemas.components(),
            "parameters": describe_parameters(),
            "examples": describe_examples(),
            "headers": {
                "Version": {
                    "description": (
                        "The version of what an editor may change, for If-Match. Votes don't "
                        "change it, so it is no validator of the answer: `If-None-Match` is "
                        "not looked at."
                    ),
                    "required": True,
                    "schema": {
                        "type": "string",
                        "pattern": rf'^"[0-9]{{1,{VERSION_MAX_DIGITS}}}"$',
                    },
                },
                "Address": {
                    "required": True,
                    "schema": {"type": "string", "format": "uri-reference"},
                },
            },
            "securitySchemes": {
                "session": {
                    **cookies,
                    "name": session_cookie,
                    "description": "A signed-in session.",
                },
                "csrfCookie": {**cookies, "name": csrf_cookie, "description": "Set by GET /api/."},
                "csrfToken": {
                    "type": "apiKey",
                    "in": "header",
                    "name": "X-CSRFToken",
                    "description": "The value of the CSRF cookie.",
                },
            },
        },
    }


def _about_paths() -> Schema:
    index = {
        "movies": "/api/movies/",
        "genres": "/api/genres/",
        "openapi": "/api/openapi.json",
    }
    return {
        "/api/": {
            "get": _operation(
                "about", "showIndex", "The addresses to begin with", ANY, ok=_json("Index", index)
            )
        },
        "/api/openapi.json": {
            "get": _operation(
                "about",
                "showOpenAPI",
                "This document",
                ANY,
                ok={"content": {JSON_TYPE: {"schema": {"type": "object"}}}},
            )
        },
        "/api/genres/": {
            "get": _operation(
                "films",
                "listGenres",
                "Every genre that a film can have",
                ANY,
                ok=_json("Genres", {"genres": list(GENRES)}),
            )
        },
    }


def _film_paths() -> Schema:
    page = {"movies": [EXAMPLE_MOVIE], "next_cursor": None, "next": None}
    version = {"ETag": {"$ref": "#/components/headers/Version"}}
    address: Schema = {"$ref": "#/components/headers/Address"}
    film = _json("Movie", EXAMPLE_MOVIE) | {"headers": version, "links": _links()}
    conflict = "sample_is_read_only"
    edit = (*ANY, *AWS, *MOVIE, *EDITOR, *VERSION, conflict)
    return {
        "/api/movies/": {
            "get": _operation(
                "films",
                "listMovies",
                "A page of films, newest first",
                (*ANY, *AWS, "bad_cursor"),
                ok=_json("MoviePage", page),
                parameters=LIST_PARAMETERS,
                description="At most one of year, decade, genre and q narrows the list.",
            ),
            "post": _operation(
                "films",
                "addMovie",
                "Add a film",
                (*ANY, *AWS, *EDITOR, *JSON, "movie_exists", conflict),
                ok={**film, "headers": {**version, "Location": address}},
                status=201,
                body=_json_body("MovieFields", EXAMPLE_FIELDS),
                security=SESSION_AND_TOKEN,
            ),
        },
        FILM: {
            "parameters": FILM_PARAMETERS,
            "get": _operation("films", "getMovie", "A film", (*ANY, *AWS, *MOVIE), ok=film),
            "put": _operation(
                "films",
                "changeMovie",
                "Replace a film's fields; a new year or title moves it",
                (*edit, *JSON, "movie_exists"),
                ok={**film, "headers": {**version, "Content-Location": address}},
                body=_json_body("MovieFields", EXAMPLE_FIELDS),
                parameters=VERSION_PARAMETERS,
                security=SESSION_AND_TOKEN,
                description="A field that is left out is emptied. Votes, reviews and poster stay.",
            ),
            "delete": _operation(
                "films",
                "deleteMovie",
                "Delete a film with its reviews, votes and poster",
                edit,
                parameters=VERSION_PARAMETERS,
                security=SESSION_AND_TOKEN,
            ),
        },
        FILM + "poster/": {
            "parameters": FILM_PARAMETERS,
            "put": _operation(
                "films",
                "replacePoster",
                "Make an image the film's poster",
                (*edit, *IMAGE),
                ok=film,
                body={
                    "required": True,
                    "description": "The image itself. Its type is looked up in its bytes.",
                    "content": {media_type: {} for media_type in IMAGE_TYPES},
                },
                parameters=VERSION_PARAMETERS,
                security=SESSION_AND_TOKEN,
            ),
            "delete": _operation(
                "films",
                "removePoster",
                "Take the film's poster away",
                edit,
                ok=film,
                parameters=VERSION_PARAMETERS,
                security=SESSION_AND_TOKEN,
            ),
        },
    }


def _opinion_paths() -> Schema:
    page = {"reviews": [EXAMPLE_REVIEW], "next_cursor": None, "next": None}
    mine = (*ANY, *AWS, *MOVIE, *USER)
    review = _json("Review", EXAMPLE_REVIEW)
    return {
        FILM + "votes/": {
            "parameters": FILM_PARAMETERS,
            "post": _operation(
                "opinions",
                "castVote",
                "Vote on a film, once; answers the film with the vote counted",
                (
                    *mine,
                    "csrf_failed",
                    *JSON,
                    "already_voted",
                    "vote_uncertain",
                    "sample_is_read_only",
                ),
                ok=_json("Movie", EXAMPLE_MOVIE),
                body=_json_body("Vote", {"stars": 9}),
                security=SESSION_AND_TOKEN,
            ),
        },
        FILM + "reviews/": {
            "parameters": FILM_PARAMETERS,
            "get": _operation(
                "opinions",
                "listReviews",
                "A page of a film's reviews, newest first",
                (*ANY, *AWS, *MOVIE, *SQL, "bad_cursor"),
                ok=_json("ReviewPage", page),
                parameters=REVIEW_LIST_PARAMETERS,
            ),
        },
        FILM + "reviews/mine/": {
            "parameters": FILM_PARAMETERS,
            "get": _operation(
                "opinions",
                "getOwnReview",
                "One's own review",
                (*mine, "review_not_found"),
                ok=review,
                security=SESSION,
            ),
            "put": _operation(
                "opinions",
                "saveOwnReview",
                "Write or change one's own review",
                (*mine, "csrf_failed", *JSON),
                ok=review,
                created={
                    **review,
                    "headers": {"Location": {"$ref": "#/components/headers/Address"}},
                },
                body=_json_body("ReviewFields", {"stars": 9, "text": "It holds up."}),
                security=SESSION_AND_TOKEN,
            ),
            "delete": _operation(
                "opinions",
                "deleteOwnReview",
                "Delete one's own review",
                (*mine, "csrf_failed", "review_not_found"),
                security=SESSION_AND_TOKEN,
            ),
        },
    }


def _operation(
    tag: str,
    operation_id: str,
    summary: str,
    codes: tuple[str, ...],
    *,
    ok: Schema | None = None,
    status: int = 200,
    created: Schema | None = None,
    body: Schema | None = None,
    **more: Any,
) -> Schema:
    """Return an operation; without `ok` it answers 204. codes: the problems that it can answer."""
    responses: Schema = {"204": {"description": "Done."}}
    if ok is not None:
        responses = {str(status): {"description": summary + ".", **ok}}
    if created is not None:
        responses["201"] = {"description": "It is new.", **created}
    return {
        "tags": [tag],
        "operationId": operation_id,
        "summary": summary,
        **more,
        **({"requestBody": body} if body else {}),
        "responses": responses | describe_problems(codes),
    }


def _json(schema: str, example: Schema) -> Schema:
    return {"content": {JSON_TYPE: {"schema": ref(schema), "example": example}}}


def _json_body(schema: str, example: Schema) -> Schema:
    return {"required": True, **_json(schema, example)}


def _links() -> Schema:
    """Return what can be done next with a film that was answered."""
    film: Schema = {
        "parameters": {"year": "$response.body#/year", "title": "$response.body#/title"},
        "description": "Escape the title as the description of this API says.",
    }
    version = {**film, "parameters": {**film["parameters"], "If-Match": "$response.header.ETag"}}
    return {
        "get": {"operationId": "getMovie", **film},
        "change": {"operationId": "changeMovie", **version},
        "delete": {"operationId": "deleteMovie", **version},
        "vote": {"operationId": "castVote", **film},
        "reviews": {"operationId": "listReviews", **film},
        "review": {"operationId": "saveOwnReview", **film},
    }
