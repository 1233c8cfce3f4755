"""How the X-Ray API travels: POST, JSON in and out, errors as AWS's clients read them.

botocore's service model describes every shape. Members that are null count as left out.
https://docs.aws.amazon.com/xray/latest/api/API_Operations.html
"""

import functools
import re
import sqlite3
import uuid
import zlib
from collections.abc import Callable, Collection
from typing import Any, TypeVar, cast

import msgspec
from django.conf import settings
from django.http import HttpRequest, HttpResponse
from django.http.request import UnreadablePostError
from django.urls import URLPattern, get_resolver
from django.views.decorators.csrf import csrf_exempt
from django.views.decorators.http import require_POST

from xray_local.errors import DatabaseUnusable, InvalidRequest, Refused, ResourceRefused
from xray_local.traces.documents import show

# zlib's word for the format of gzip.
GZIP = zlib.MAX_WBITS | 16
# Texts of documents are long: this is several times as quick as json.
decode_json = msgspec.json.Decoder().decode
JSON_ERRORS = (
    msgspec.DecodeError,
    UnicodeDecodeError,
    RecursionError,
    UnreadablePostError,
    zlib.error,
)

Operation = Callable[[dict[str, Any], HttpRequest], dict[str, Any]]
Value = TypeVar("Value")


def answer(fields: dict[str, Any], status: int = 200, code: str = "") -> HttpResponse:
    """Return an answer, or an error with its code, under an id of its own."""
    headers = {"x-amzn-requestid": str(uuid.uuid4())}
    if code:
        headers["x-amzn-errortype"] = code
    # A page of traces is large: msgspec writes it several times as quickly as Django.
    body = msgspec.json.encode(fields)
    return HttpResponse(body, "application/json", status=status, headers=headers)


def answer_error(code: str, message: str, status: int) -> HttpResponse:
    """Return an error in the shape that AWS's clients read."""
    return answer({"__type": code, "Message": message}, status, code)


def answer_refusal(error: Refused) -> HttpResponse:
    """Return the error that the model has for it."""
    fields = {"__type": error.code, "Message": str(error)}
    if isinstance(error, ResourceRefused) and error.resource:
        fields["ResourceName"] = error.resource
    return answer(fields, error.status, error.code)


def operation(function: Operation) -> Callable[..., HttpResponse]:
    """Make a view of a function from a request's fields to an answer's."""

    @csrf_exempt
    @require_POST
    @functools.wraps(function)
    def view(request: HttpRequest) -> HttpResponse:
        try:
            return answer(function(_read_fields(request), request))
        except Refused as error:
            return answer_refusal(error)
        except DatabaseUnusable as error:
            return answer_error("InternalFailure", str(error), 500)
        except sqlite3.Error as error:
            return answer_error("InternalFailure", f"Cannot use the database: {error}.", 500)

    view.operation = function.__name__  # type: ignore[attr-defined]
    return view


def _read_fields(request: HttpRequest) -> dict[str, Any]:
    try:
        fields = decode_json(_read_body(request) or b"{}")
    except JSON_ERRORS as error:
        raise InvalidRequest(f"Expected a JSON object as the body, got {error}.") from error
    if not isinstance(fields, dict):
        raise InvalidRequest(f"Expected a JSON object as the body, got {show(fields)}.")
    return fields


def _read_body(request: HttpRequest) -> bytes:
    """Return the body, unpacked."""
    if request.headers.get("Content-Encoding", "").strip().lower() != "gzip":
        return request.body
    unpacker = zlib.decompressobj(GZIP)
    limit = settings.DATA_UPLOAD_MAX_MEMORY_SIZE or 0
    body = unpacker.decompress(request.body, limit)
    if unpacker.unconsumed_tail:
        raise InvalidRequest(f"Expected a body of at most {limit} bytes when it is unpacked.")
    if not unpacker.eof:
        raise InvalidRequest("Expected a body packed by gzip, got a part of one.")
    return body


def list_paths() -> list[str]:
    """Return the paths of all operations that are served, in the order of the alphabet."""
    return sorted(
        f"/{each.pattern}"
        for each in get_resolver().url_patterns
        if isinstance(each, URLPattern) and hasattr(each.callback, "operation")
    )


def answer_unknown_operation(request: HttpRequest) -> HttpResponse:
    """Refuse an operation that is not served."""
    return answer_error(
        "UnknownOperationException",
        f"This X-Ray does not serve {request.path[:200]!a}. Expected one of "
        f"{', '.join(list_paths())}.",
        404,
    )


def require(value: Value | None, key: str) -> Value:
    """Return the value of a member that has to be there. Raises InvalidRequest."""
    if value is None:
        raise InvalidRequest(f"Expected {key}, which is missing.")
    return value


def read_text(
    fields: dict[str, Any],
    key: str,
    *,
    at_least: int = 0,
    at_most: int | None = None,
    choices: Collection[str] = (),
    pattern: str = "",
) -> str | None:
    """Return a text, None where it is not there. Raises InvalidRequest.

    at_least, at_most: how many characters it may have. pattern: what all of it must match.
    """
    text = fields.get(key)
    if text is None:
        return None
    if not isinstance(text, str) or not _is_unicode(text):
        raise InvalidRequest(f"Expected a text as {key}, got {show(text)}.")
    if choices and text not in choices:
        raise InvalidRequest(f"Expected one of {', '.join(choices)} as {key}, got {show(text)}.")
    if len(text) < at_least or (at_most is not None and len(text) > at_most):
        most = "or more" if at_most is None else f"to {at_most}"
        raise InvalidRequest(
            f"Expected a text of {at_least} {most} characters as {key}, got {len(text)}: "
            f"{show(text)}."
        )
    if pattern and not re.fullmatch(pattern, text):
        raise InvalidRequest(f"Expected a text that matches {pattern} as {key}, got {show(text)}.")
    return text


def read_texts(fields: dict[str, Any], key: str, *, at_most: int | None = None) -> list[str]:
    """Return a list of texts that has to be there. Raises InvalidRequest.

    at_most: how many there may be.
    """
    texts = fields.get(key)
    if not isinstance(texts, list) or not all(
        isinstance(text, str) and (text.isascii() or _is_unicode(text)) for text in texts
    ):
        raise InvalidRequest(f"Expected a list of texts as {key}, got {show(texts)}.")
    _check_count(texts, key, at_most)
    return texts


def read_number(
    fields: dict[str, Any],
    key: str,
    *,
    at_least: float | None = None,
    at_most: float | None = None,
) -> float | None:
    """Return a number that is finite, None where it is not there. Raises InvalidRequest."""
    number = fields.get(key)
    if number is None:
        return None
    # In Python true is a number; infinity and what is not a number equal nothing within bounds.
    if isinstance(number, bool) or not isinstance(number, int | float) or not _is_finite(number):
        raise InvalidRequest(f"Expected a number as {key}, got {show(number)}.")
    if (at_least is not None and number < at_least) or (at_most is not None and number > at_most):
        bounds = " and ".join(
            f"{words} {bound:g}"
            for words, bound in (("at least", at_least), ("at most", at_most))
            if bound is not None
        )
        raise InvalidRequest(f"Expected a number of {bounds} as {key}, got {show(number)}.")
    return cast(float, number)


def read_integer(
    fields: dict[str, Any], key: str, *, at_least: int | None = None, at_most: int | None = None
) -> int | None:
    """Return a whole number of 32 bits, None where it is not there. Raises InvalidRequest."""
    most = 2**31 - 1 if at_most is None else at_most
    least = -(2**31) if at_least is None else at_least
    number = read_number(fields, key, at_least=least, at_most=most)
    if number is None or number == int(number):
        return None if number is None else int(number)
    raise InvalidRequest(f"Expected a whole number as {key}, got {show(number)}.")


def read_boolean(fields: dict[str, Any], key: str) -> bool | None:
    """Return true or false, None where it is not there. Raises InvalidRequest."""
    flag = fields.get(key)
    if flag is not None and not isinstance(flag, bool):
        raise InvalidRequest(f"Expected true or false as {key}, got {show(flag)}.")
    return flag


def read_object(fields: dict[str, Any], key: str) -> dict[str, Any] | None:
    """Return a structure or map, None where it is not there. Raises InvalidRequest."""
    value = fields.get(key)
    if value is not None and not isinstance(value, dict):
        raise InvalidRequest(f"Expected an object as {key}, got {show(value)}.")
    return value


def read_objects(
    fields: dict[str, Any], key: str, *, at_most: int | None = None
) -> list[dict[str, Any]] | None:
    """Return a list of structures, None where it is not there. Raises InvalidRequest.

    at_most: how many there may be.
    """
    values = fields.get(key)
    if values is None:
        return None
    if not isinstance(values, list) or not all(isinstance(each, dict) for each in values):
        raise InvalidRequest(f"Expected a list of objects as {key}, got {show(values)}.")
    _check_count(values, key, at_most)
    return values


def _check_count(values: list[Any], key: str, at_most: int | None) -> None:
    if at_most is not None and len(values) > at_most:
        raise InvalidRequest(f"Expected at most {at_most} members in {key}, got {len(values)}.")


def _is_unicode(text: str) -> bool:
    """Whether the text can be stored: JSON has escapes for halves of characters."""
    try:
        text.encode()
    except UnicodeEncodeError:
        return False
    return True


def _is_finite(number: float) -> bool:
    return number == number and abs(number) != float("inf")
