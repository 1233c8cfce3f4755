"""Every problem that the API can answer: its code, its status, and what it means."""

from collections.abc import Iterable
from http import HTTPStatus
from itertools import groupby

from .errors import CONTENT_TYPE, FINAL_CODES, HEADERS
from .schemas import EXAMPLE_MOVIE, Schema, ref

# What a group of operations has in common.
ANY = ("bad_input", "bad_request", "server_error")
AWS = ("throttled", "aws_refused", "aws_unreachable")
SQL = ("read_only", "sql_unavailable")
JSON = ("bad_json", "body_too_large", "unsupported_media_type")
IMAGE = (
    "poster_refused",
    "poster_type_refused",
    "poster_too_large",
    "unsupported_media_type",
)
MOVIE = ("movie_not_found", "not_found")
USER = ("not_signed_in", *SQL)
EDITOR = ("csrf_failed", "not_an_editor", *USER)
VERSION = ("bad_if_match", "movie_changed", "if_match_required")

PROBLEMS: dict[str, tuple[int, str]] = {
    "bad_input": (400, "Parameters or members were refused; `fields` says which, and why."),
    "bad_cursor": (400, "The cursor isn't one of this list."),
    "bad_json": (400, "The body isn't one JSON object in UTF-8, or has a member twice."),
    "bad_request": (400, "The request can't be read."),
    "bad_if_match": (400, "If-Match holds no entity tag."),
    "poster_refused": (400, "The image can't be read, or is too small or too large."),
    "not_signed_in": (401, "The request comes without a session that is signed in."),
    "csrf_failed": (403, "X-CSRFToken isn't the csrftoken cookie's value."),
    "not_an_editor": (403, "The account may not edit the catalogue."),
    "not_found": (404, "There is no such address."),
    "movie_not_found": (404, "There is no such film."),
    "review_not_found": (404, "There is no review of one's own."),
    "method_not_allowed": (405, "The method isn't possible here; Allow lists those that are."),
    "movie_exists": (409, "There is such a film already."),
    "already_voted": (409, "The account has voted on the film."),
    "sample_is_read_only": (409, "The film is the sample, which /app writes anew."),
    "movie_changed": (412, "Somebody changed the film since; `current` is what it is now."),
    "body_too_large": (413, "The body is too large."),
    "poster_too_large": (413, "The image has too many bytes."),
    "unsupported_media_type": (415, "The Content-Type isn't the one expected."),
    "poster_type_refused": (415, "The bytes are no PNG, JPEG or WebP."),
    "if_match_required": (428, "The film's ETag is missing in If-Match."),
    "throttled": (429, "The database is asked too much; try again after Retry-After."),
    "server_error": (500, "Something broke here; trace_id says where to look."),
    "aws_refused": (503, "AWS refused what was asked of it."),
    "aws_unreachable": (503, "AWS doesn't answer."),
    "vote_uncertain": (
        503,
        "AWS didn't say whether it counted the vote. It won't be counted again: no Retry-After.",
    ),
    "sql_unavailable": (503, "The SQL database doesn't answer."),
    "read_only": (503, "The site runs without SQL: there is nothing but the catalogue."),
}


def describe_problems(codes: Iterable[str]) -> dict[str, Schema]:
    """Return the OpenAPI responses for these codes, by status."""
    ordered = sorted(set(codes), key=list(PROBLEMS).index)
    grouped = groupby(ordered, key=lambda code: PROBLEMS[code][0])
    return {str(status): _describe(status, list(group)) for status, group in grouped}


def describe_examples() -> dict[str, Schema]:
    """Return an example of each problem, by its code."""
    return {
        code: {"summary": meaning, "value": _example(status, code)}
        for code, (status, meaning) in PROBLEMS.items()
    }


def _describe(status: int, codes: list[str]) -> Schema:
    narrowed: Schema = {"properties": {"status": {"const": status}, "code": {"enum": codes}}}
    if status == HTTPStatus.PRECONDITION_FAILED:
        narrowed["required"] = ["current"]
    response: Schema = {
        "description": " ".join(f"`{code}`: {PROBLEMS[code][1]}" for code in codes),
        "content": {
            CONTENT_TYPE: {
                "schema": {"allOf": [ref("Problem"), narrowed]},
                "examples": {code: {"$ref": f"#/components/examples/{code}"} for code in codes},
            }
        },
    }
    if headers := HEADERS.get(status):
        is_certain = FINAL_CODES.isdisjoint(codes)
        response["headers"] = {
            name: {"required": is_certain, "schema": {"type": "string", "const": value}}
            for name, value in headers.items()
        }
    return response


def _example(status: int, code: str) -> Schema:
    example: Schema = {
        "type": "about:blank",
        "title": HTTPStatus(status).phrase,
        "status": status,
        "detail": PROBLEMS[code][1],
        "code": code,
        "trace_id": "1-65b95a5c-1234567890abcdef12345678",
    }
    if code == "bad_input":
        example["fields"] = {"year": "Expected a year from 1888 to 2036."}
    if status == HTTPStatus.PRECONDITION_FAILED:
        example["current"] = EXAMPLE_MOVIE
    return example
