"""PutTraceSegments as clients usually send it, answered from its bytes.

To make Django's objects of such a request takes longer than to answer it. What differs from the
usual in any way, or is wrong, is left to Django, from the first byte of its head: the answers say
the same. Only who falls silent within a body gets none.
"""

import functools
import uuid
from collections.abc import Callable, Iterable

import msgspec
from django.conf import settings
from django.http import HttpRequest, HttpResponse
from msgspec import Struct

from .api.segments import DOCUMENTS_MAX
from .api.wire import answer_refusal
from .errors import IntakeDown
from .intake.arrivals import is_usual
from .middleware import SECURITY_HEADERS, complete, find_refusal

REQUEST_LINE = b"POST /TraceSegments HTTP/1.1\r\n"
# Headers that ask for nothing but what they are asking for anyway. All others may.
USUAL_HEADERS = frozenset(
    (
        *(b"host:", b"content-length:", b"content-type:", b"user-agent:", b"connection:"),
        *(b"accept:", b"accept-encoding:", b"authorization:"),
        *(b"x-amz-date:", b"x-amz-content-sha256:", b"x-amz-security-token:"),
        *(b"x-amz-user-agent:", b"amz-sdk-invocation-id:", b"amz-sdk-request:"),
        *(b"x-amzn-trace-id:", b"x-amzn-xray-timestamp:"),
    )
)
LENGTH_MAX_DIGITS = 12
BODY = b'{"UnprocessedTraceSegments":[]}'


class _Fields(Struct, gc=False, forbid_unknown_fields=True):
    TraceSegmentDocuments: list[str]


_decode_fields = msgspec.json.Decoder(_Fields).decode


class Shortcut:
    """Reads such requests and makes the answers.

    send: passes documents that have been checked to the writer; raises IntakeDown.
    """

    def __init__(self, send: Callable[[Iterable[bytes]], None]) -> None:
        self._send = send
        self._is_ours = functools.lru_cache(100)(_is_ours)

    def read_head(self, arrived: bytes) -> tuple[int, int] | None:
        """Return how many bytes the head and the body have; None if anything is not usual.

        arrived: what follows the request line, at least the head if it is to be usual.
        """
        end = arrived.find(b"\r\n\r\n")
        if end < 0:
            return None
        lines = arrived[:end].split(b"\r\n")
        headers: dict[bytes, bytes] = {}
        for line in lines:
            name, colon, value = line.partition(b":")
            headers[name.lower() + colon] = value.strip(b" \t")
        length = headers.get(b"content-length:", b"")
        is_usual_head = (
            headers.keys() <= USUAL_HEADERS
            and len(headers) == len(lines)
            # Each where a line ends, and nowhere else: some take one of them alone for an end.
            and arrived.count(b"\r", 0, end) == arrived.count(b"\n", 0, end) == len(lines) - 1
            and b"\0" not in arrived[:end]
            and headers.get(b"connection:", b"keep-alive").lower() == b"keep-alive"
            and length.isdigit()
            and len(length) <= LENGTH_MAX_DIGITS
            and int(length) <= (settings.DATA_UPLOAD_MAX_MEMORY_SIZE or 0)
            and self._is_ours(headers.get(b"host:", b""))
        )
        return (end + 4, int(length)) if is_usual_head else None

    def take_segments(self, body: bytes) -> tuple[str, bytes] | None:
        """Pass the documents of a request on.

        Return the status of the answer, and what follows the headers that all answers begin with;
        None, with nothing done, if not all of the request is usual.
        """
        try:
            texts = _decode_fields(body).TraceSegmentDocuments
            if len(texts) > DOCUMENTS_MAX:
                return None
            documents = [text.encode() for text in texts]
        except (msgspec.DecodeError, UnicodeError, RecursionError):
            return None
        if not all(map(is_usual, documents)):
            return None
        try:
            if documents:
                self._send(documents)
        except IntakeDown as error:
            # Django would wait for the writer once more.
            return _write(complete(answer_refusal(error)))
        except Exception:
            return None  # Django tries it again, and makes an answer of what is raised then
        return "200 OK", b"x-amzn-requestid: %s\r\n%s" % (str(uuid.uuid4()).encode(), _REST)


_REST = b"".join(
    f"{name}: {value}\r\n".encode()
    for name, value in {
        "Content-Type": "application/json",
        **SECURITY_HEADERS,
        "Content-Length": str(len(BODY)),
    }.items()
) + (b"\r\n" + BODY)


def _write(response: HttpResponse) -> tuple[str, bytes]:
    headers = "".join(f"{name}: {value}\r\n" for name, value in response.headers.items())
    status = f"{response.status_code} {response.reason_phrase}"
    return status, f"{headers}\r\n".encode("latin-1") + response.content


def _is_ours(host: bytes) -> bool:
    """Whether a request that names the host, and no page that it comes from, is answered."""
    request = HttpRequest()
    request.method = "POST"
    request.META["HTTP_HOST"] = host.decode("latin-1")
    return bool(host) and find_refusal(request) is None
