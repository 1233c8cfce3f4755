"""OTLP over HTTP: POST /v1/traces takes spans as protobuf or JSON, packed by gzip or not.

https://opentelemetry.io/docs/specs/otlp/#otlphttp
"""

import json
import zlib
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

from django.conf import settings
from django.core.exceptions import RequestDataTooBig
from django.http import HttpRequest, HttpResponse
from django.http.request import UnreadablePostError
from django.views.decorators.csrf import csrf_exempt

from xray_local.errors import DocumentRefused, IntakeDown, XRayLocalError
from xray_local.intake.arrivals import read_document
from xray_local.parts import get_parts

from . import json_format, protobuf
from .segments import make_documents, write_document
from .spans import SPANS_MAX, BadExport, Span

# Codes of google.rpc.Status, which go with the HTTP status.
INVALID_ARGUMENT, RESOURCE_EXHAUSTED, UNIMPLEMENTED, UNAVAILABLE = 3, 8, 12, 14
# Of those that are not taken, this many say why.
REASONS_SAID = 3
# The attributes of a resource go into each of its segments, so that little may become much.
DOCUMENTS_MAX_BYTES = 64 * 1024 * 1024
# zlib finds out by itself whether it is gzip's format or its own.
EITHER_FORMAT = zlib.MAX_WBITS | 32


@dataclass(frozen=True, slots=True)
class Encoding:
    """One of the two ways to write OTLP's messages."""

    content_type: str
    read_spans: Callable[[bytes], Iterator[Span]]
    write_status: Callable[[int, str], bytes]
    write_response: Callable[[int, str], bytes]


def _write_json(fields: dict[str, Any]) -> bytes:
    return json.dumps(fields, separators=(",", ":")).encode()


def _write_json_status(code: int, message: str) -> bytes:
    return _write_json({"code": code, "message": message})


def _write_json_response(rejected_spans: int, message: str) -> bytes:
    if not rejected_spans:
        return b"{}"
    # Numbers of 64 bits are texts in the JSON of protobuf.
    rejected = {"rejectedSpans": str(rejected_spans), "errorMessage": message}
    return _write_json({"partialSuccess": rejected})


PROTOBUF = Encoding(
    "application/x-protobuf",
    protobuf.read_spans,
    protobuf.encode_status,
    protobuf.encode_response,
)
JSON = Encoding(
    "application/json", json_format.read_spans, _write_json_status, _write_json_response
)
ENCODINGS = {encoding.content_type: encoding for encoding in (PROTOBUF, JSON)}


class _Refused(XRayLocalError):
    """The whole request cannot be answered; status: that of HTTP; code: that of google.rpc."""

    def __init__(self, message: str, status: int = 400, code: int = INVALID_ARGUMENT) -> None:
        super().__init__(message)
        self.status = status
        self.code = code


@csrf_exempt
def take_traces(request: HttpRequest) -> HttpResponse:
    """Take spans in; of those that are none, the answer has the number and the reasons."""
    encoding = _find_encoding(request)
    try:
        _check_head(request)
        documents, refused, reasons = _make_documents(encoding.read_spans(_read_body(request)))
        if documents:
            get_parts(request).send(documents)
    except BadExport as error:
        return _answer_error(encoding, _Refused(str(error)))
    except _Refused as error:
        return _answer_error(encoding, error)
    except IntakeDown as error:
        response = _answer_error(encoding, _Refused(str(error), 503, UNAVAILABLE))
        response.headers["Retry-After"] = "1"
        return response
    return HttpResponse(
        encoding.write_response(refused, " ".join(dict.fromkeys(reasons))),
        content_type=encoding.content_type,
    )


@csrf_exempt
def refuse_signal(request: HttpRequest) -> HttpResponse:
    """Refuse metrics and logs: X-Ray keeps traces only."""
    signal = request.path.rpartition("/")[2]
    reason = (
        f"This X-Ray takes traces only, at /v1/traces; set OTEL_{signal.upper()}_EXPORTER=none "
        f"where {signal} are made."
    )
    return _answer_error(_find_encoding(request), _Refused(reason, 404, UNIMPLEMENTED))


def _find_encoding(request: HttpRequest) -> Encoding:
    """Return the encoding of the request, which the answer has as well; JSON for any other."""
    return ENCODINGS.get(request.content_type or "", JSON)


def _check_head(request: HttpRequest) -> None:
    if request.method != "POST":
        raise _Refused(f"Expected POST, got {request.method!a}.", 405, UNIMPLEMENTED)
    if request.content_type not in ENCODINGS:
        raise _Refused(
            f"Expected {' or '.join(ENCODINGS)} as Content-Type, got {request.content_type!a}.", 415
        )


def _read_body(request: HttpRequest) -> bytes:
    """Return the body, unpacked."""
    try:
        body = request.body
    except UnreadablePostError as error:
        raise _Refused(f"Expected a body, got {error}.") from error
    except RequestDataTooBig as error:
        raise _Refused(str(error), 413, RESOURCE_EXHAUSTED) from error
    packing = request.headers.get("Content-Encoding", "identity").strip().lower()
    if packing == "identity":
        return body
    if packing not in ("gzip", "deflate"):
        raise _Refused(f"Expected gzip as Content-Encoding, got {packing[:80]!a}.", 415)
    return _unpack(body)


def _unpack(body: bytes) -> bytes:
    """Return what was packed, if it is no more than a body may be."""
    limit = settings.DATA_UPLOAD_MAX_MEMORY_SIZE or 0
    unpacker = zlib.decompressobj(EITHER_FORMAT)
    try:
        unpacked = unpacker.decompress(body, limit + 1)
    except zlib.error as error:
        raise _Refused(f"Expected a packed body, got {error}.") from None
    if len(unpacked) > limit:
        reason = f"Expected a body of at most {limit} bytes when unpacked."
        raise _Refused(reason, 413, RESOURCE_EXHAUSTED)
    if not unpacker.eof:
        raise _Refused("Expected a packed body, got one that ends too soon.")
    return unpacked


def _make_documents(spans: Iterator[Span]) -> tuple[list[bytes], int, list[str]]:
    """Return the documents of the spans, how many spans are none, and why the first are not."""
    accepted: list[bytes] = []
    refused = size = 0
    reasons: list[str] = []
    for number, span in enumerate(spans, 1):
        if number > SPANS_MAX or size > DOCUMENTS_MAX_BYTES:
            raise _Refused(
                f"Expected at most {SPANS_MAX} spans, of which {DOCUMENTS_MAX_BYTES} bytes of "
                "segments are made.",
                413,
                RESOURCE_EXHAUSTED,
            )
        try:
            bodies = [write_document(document) for document in make_documents(span)]
            made = [read_document(body).body for body in bodies]
        except DocumentRefused as refusal:
            refused += 1
            if refused <= REASONS_SAID:
                reasons.append(str(refusal))
        else:
            accepted += made
            size += sum(map(len, made))
    return accepted, refused, reasons


def _answer_error(encoding: Encoding, error: _Refused) -> HttpResponse:
    response = HttpResponse(
        encoding.write_status(error.code, str(error)),
        status=error.status,
        content_type=encoding.content_type,
    )
    if error.status == 405:
        response.headers["Allow"] = "POST"
    return response
