"""How the X-Ray API travels: POST, JSON in and out, errors as AWS's clients read them.

botocore's service model describes every shape.
https://docs.aws.amazon.com/xray/latest/api/API_Operations.html
"""

import functools
import json
import sqlite3
from collections.abc import Callable
from typing import Any

from django.http import HttpRequest, HttpResponse, JsonResponse
from django.http.request import UnreadablePostError
from django.views.decorators.csrf import csrf_exempt
from django.views.decorators.http import require_POST

from xray_local.documents import show
from xray_local.errors import IntakeDown, InvalidRequest

Operation = Callable[[dict[str, Any], HttpRequest], dict[str, Any]]


def answer_error(code: str, message: str, status: int) -> HttpResponse:
    """Return an error in the shape that AWS's clients read."""
    return JsonResponse({"Message": message}, status=status, headers={"x-amzn-ErrorType": code})


def operation(function: Operation) -> Callable[..., HttpResponse]:
    """Make a view of a function from a request's fields to an answer's."""

    @csrf_exempt
    @require_POST
    @functools.wraps(function)
    def view(request: HttpRequest) -> HttpResponse:
        try:
            return JsonResponse(function(_read_fields(request), request))
        except InvalidRequest as error:
            return answer_error("InvalidRequestException", str(error), 400)
        except IntakeDown as error:
            return answer_error("ThrottledException", str(error), 429)
        except sqlite3.Error as error:
            return answer_error("InternalFailure", f"Cannot read the database: {error}.", 500)

    return view


def _read_fields(request: HttpRequest) -> dict[str, Any]:
    try:
        fields = json.loads(request.body or b"{}")
    except (ValueError, RecursionError, UnreadablePostError) as error:
        raise InvalidRequest(f"Expected a JSON object as the body, got {error}.") from error
    if not isinstance(fields, dict):
        raise InvalidRequest(f"Expected a JSON object as the body, got {show(fields)}.")
    return fields


def answer_unknown_operation(request: HttpRequest) -> HttpResponse:
    """Refuse an operation that is not served."""
    return answer_error(
        "UnknownOperationException",
        f"This X-Ray does not serve {request.path[:200]!a}. Expected one of "
        "/TraceSegments, /TraceSummaries, /Traces, /GetSamplingRules, /SamplingTargets, "
        "/TelemetryRecords.",
        404,
    )


def read_texts(fields: dict[str, Any], key: str) -> list[str]:
    """Return a list of texts that has to be there. Raises InvalidRequest."""
    texts = fields.get(key)
    if not isinstance(texts, list) or not all(isinstance(text, str) for text in texts):
        raise InvalidRequest(f"Expected a list of texts as {key}, got {show(texts)}.")
    return texts


def read_text(fields: dict[str, Any], key: str) -> str | None:
    """Return a text, None where it is not there. Raises InvalidRequest."""
    text = fields.get(key)
    if text is not None and not isinstance(text, str):
        raise InvalidRequest(f"Expected a text as {key}, got {show(text)}.")
    return text
