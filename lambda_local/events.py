"""Requests as Lambda gets them from each service, and responses as the services take them back.

[REST] https://docs.aws.amazon.com/apigateway/latest/developerguide/set-up-lambda-proxy-integrations.html
[HTTP] https://docs.aws.amazon.com/apigateway/latest/developerguide/http-api-develop-integrations-lambda.html
[URL] https://docs.aws.amazon.com/lambda/latest/dg/urls-invocation.html
[PATH] https://github.com/middleapi/standard-server/pull/93 which services decode the path
[BASE] https://github.com/aws-powertools/powertools-lambda-python/pull/579 base paths
[REMAP] https://docs.aws.amazon.com/apigateway/latest/developerguide/api-gateway-known-issues.html
"""

import base64
import json
import time
import uuid
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import parse_qsl, unquote

from .function import ACCOUNT_ID, INTEGRATION_SECONDS

Event = dict[str, Any]
Pairs = list[tuple[str, str]]
# What the gateway itself says of a response.
CONNECTION_HEADERS = frozenset(
    {"connection", "content-length", "keep-alive", "transfer-encoding", "upgrade"}
)
# [REMAP]: a REST API gives them other names.
REMAPPED = frozenset(
    {"connection", "content-length", "content-md5", "date", "server", "www-authenticate"}
)
REMAPPED_PREFIX = "x-amzn-Remapped-"
TEXT_TYPES = ("text/", "application/json", "application/javascript", "application/xml")


class BadResponse(Exception):
    """What the function returned is no response, for this service."""


@dataclass(frozen=True, slots=True)
class Request:
    """A request as it came. path: still percent-encoded, with the stage."""

    method: str
    path: str
    query: str
    headers: Pairs
    body: bytes
    client_ip: str
    host: str
    request_id: str = field(default_factory=lambda: str(uuid.uuid4()))

    def find(self, name: str) -> str | None:
        """Return the first header of that name."""
        return next((text for known, text in self.headers if known.lower() == name), None)

    @property
    def domain(self) -> str:
        """The host without the port."""
        return self.host.partition(":")[0]


@dataclass(frozen=True, slots=True)
class Response:
    """What the client gets."""

    status: int
    headers: Pairs
    body: bytes


def add_headers(request: Request, trace_header: str) -> Pairs:
    """Return the client's headers with what each service adds. All of them have TLS alone."""
    forwarded = [text for name, text in request.headers if name.lower() == "x-forwarded-for"]
    own = {"x-forwarded-for", "x-forwarded-proto", "x-forwarded-port", "x-amzn-trace-id", "host"}
    return [
        ("Host", request.host),
        *((n, t) for n, t in request.headers if n.lower() not in own | CONNECTION_HEADERS),
        ("X-Amzn-Trace-Id", trace_header),
        ("X-Forwarded-For", ", ".join([*forwarded, request.client_ip])),
        ("X-Forwarded-Port", "443"),
        ("X-Forwarded-Proto", "https"),
    ]


def encode_body(request: Request, *, is_text: bool) -> Event:
    """Return the body: as it is, if it is text and text is passed on, else in base64."""
    if not request.body:
        return {"body": None, "isBase64Encoded": False}
    if is_text:
        try:
            return {"body": request.body.decode(), "isBase64Encoded": False}
        except UnicodeDecodeError:
            pass
    return {"body": base64.b64encode(request.body).decode(), "isBase64Encoded": True}


def group(pairs: Iterable[tuple[str, str]]) -> dict[str, list[str]]:
    """Return every text by name."""
    grouped: dict[str, list[str]] = {}
    for name, text in pairs:
        grouped.setdefault(name, []).append(text)
    return grouped


def make_rest_event(
    request: Request, trace_header: str, stage: str, api_id: str, base_path: str = ""
) -> Event:
    """[REST] with `/` and `/{proxy+}`, and `*/*` as binary: every body comes in base64.

    The path stays encoded and lacks the stage; on a custom domain it has the base path, and the
    public URL has no stage [BASE]. The query is decoded.
    """
    own_path = request.path.removeprefix(base_path or f"/{stage}") or "/"
    is_root = not own_path.strip("/")
    resource = "/" if is_root else "/{proxy+}"
    spelled: dict[str, str] = {}
    headers = [(spelled.setdefault(n.lower(), n), t) for n, t in add_headers(request, trace_header)]
    query = parse_qsl(request.query, keep_blank_values=True)
    now = time.time()
    return {
        "resource": resource,
        "path": request.path if base_path else own_path,
        "httpMethod": request.method,
        "headers": dict(headers),
        "multiValueHeaders": group(headers),
        "queryStringParameters": dict(query) or None,
        "multiValueQueryStringParameters": group(query) or None,
        "pathParameters": None if is_root else {"proxy": unquote(own_path).strip("/")},
        "stageVariables": None,
        "requestContext": {
            "resourceId": "local1",
            "resourcePath": resource,
            "httpMethod": request.method,
            "extendedRequestId": request.request_id[:15] + "=",
            "requestTime": _format_time(now),
            "path": request.path,
            "accountId": ACCOUNT_ID,
            "protocol": "HTTP/1.1",
            "stage": stage,
            "domainPrefix": request.domain.partition(".")[0],
            "requestTimeEpoch": int(now * 1000),
            "requestId": request.request_id,
            "identity": {
                **dict.fromkeys(
                    (
                        *("accessKey", "accountId", "caller", "cognitoAuthenticationProvider"),
                        *("cognitoAuthenticationType", "cognitoIdentityId"),
                        *("cognitoIdentityPoolId", "principalOrgId", "user", "userArn"),
                    )
                ),
                "sourceIp": request.client_ip,
                "userAgent": request.find("user-agent"),
            },
            "domainName": request.domain,
            "deploymentId": "local1",
            "apiId": api_id,
        },
        **encode_body(request, is_text=False),
    }


def make_http_event(request: Request, trace_header: str, api_id: str) -> Event:
    """[HTTP], format 2.0, the stage `$default`. [PATH]: the path comes decoded."""
    return _make_format_2(request, trace_header, unquote(request.path), api_id, ACCOUNT_ID)


def make_url_event(request: Request, trace_header: str, api_id: str) -> Event:
    """[URL]: as an HTTP API's, but the path stays encoded."""
    return _make_format_2(request, trace_header, request.path, api_id, "anonymous")


def _make_format_2(
    request: Request, trace_header: str, path: str, api_id: str, account_id: str
) -> Event:
    headers: dict[str, str] = {}
    cookies: list[str] = []
    for spelled, text in add_headers(request, trace_header):
        name = spelled.lower()
        if name == "cookie":
            cookies += text.split("; ")
        else:
            headers[name] = f"{headers[name]},{text}" if name in headers else text
    now = time.time()
    query = group(parse_qsl(request.query, keep_blank_values=True))
    content_type = headers.get("content-type", "").lower()
    event: Event = {
        "version": "2.0",
        "routeKey": "$default",
        "rawPath": path,
        "rawQueryString": request.query,
        "headers": headers,
        "requestContext": {
            "accountId": account_id,
            "apiId": api_id,
            "domainName": request.domain,
            "domainPrefix": request.domain.partition(".")[0],
            "http": {
                "method": request.method,
                "path": path,
                "protocol": "HTTP/1.1",
                "sourceIp": request.client_ip,
                "userAgent": request.find("user-agent") or "",
            },
            "requestId": request.request_id,
            "routeKey": "$default",
            "stage": "$default",
            "time": _format_time(now),
            "timeEpoch": int(now * 1000),
        },
        **encode_body(request, is_text=content_type.startswith(TEXT_TYPES)),
    }
    # They are left out where there is nothing, rather than null.
    if cookies:
        event["cookies"] = cookies
    if query:
        event["queryStringParameters"] = {name: ",".join(texts) for name, texts in query.items()}
    if event["body"] is None:
        del event["body"]
    return event


def _format_time(seconds: float) -> str:
    return time.strftime("%d/%b/%Y:%H:%M:%S +0000", time.gmtime(seconds))


def read_rest_response(payload: bytes) -> Response:
    """[REST]: an object with a status; members that are not known make it malformed."""
    response = _read_object(payload)
    known = {"statusCode", "headers", "multiValueHeaders", "body", "isBase64Encoded"}
    if response.keys() - known:
        raise BadResponse(f"unknown members {sorted(response.keys() - known)}")
    headers: Pairs = []
    for name, text in (response.get("headers") or {}).items():
        headers.append((name, _read_text(text)))
    for name, texts in (response.get("multiValueHeaders") or {}).items():
        # Given in both, the several win.
        headers = [pair for pair in headers if pair[0].lower() != name.lower()]
        headers += [(name, _read_text(text)) for text in texts]
    headers = [
        (REMAPPED_PREFIX + name if name.lower() in REMAPPED else name, text)
        for name, text in headers
        if name.lower() not in CONNECTION_HEADERS
    ]
    return Response(_read_status(response.get("statusCode")), headers, _read_body(response))


def read_format_2_response(payload: bytes) -> Response:
    """[HTTP] [URL]: cookies in a list; what has no status is the body itself, as JSON."""
    try:
        response = json.loads(payload)
    except ValueError as error:
        raise BadResponse(str(error)) from error
    if not isinstance(response, dict) or "statusCode" not in response:
        body = response.encode() if isinstance(response, str) else payload
        return Response(200, [("content-type", "application/json")], body)
    headers = [
        (name, _read_text(text))
        for name, text in (response.get("headers") or {}).items()
        if name.lower() not in CONNECTION_HEADERS | {"date"}
    ]
    headers += [("set-cookie", _read_text(text)) for text in response.get("cookies") or []]
    return Response(_read_status(response["statusCode"]), headers, _read_body(response))


def _read_object(payload: bytes) -> Event:
    try:
        response = json.loads(payload)
    except ValueError as error:
        raise BadResponse(str(error)) from error
    if not isinstance(response, dict):
        raise BadResponse(f"expected an object, got {type(response).__name__}")
    return response


def _read_status(value: Any) -> int:
    if isinstance(value, str) and value.isascii() and value.isdigit():
        value = int(value)
    if not isinstance(value, int) or isinstance(value, bool) or not 100 <= value <= 599:
        raise BadResponse(f"expected a statusCode such as 200, got {value!r}")
    return value


def _read_text(value: Any) -> str:
    if isinstance(value, bool):
        return str(value).lower()
    if not isinstance(value, (str, int, float)):
        raise BadResponse(f"expected the text of a header, got {value!r}")
    return str(value)


def _read_body(response: Event) -> bytes:
    body = response.get("body")
    if body is None:
        return b""
    if not isinstance(body, str):
        raise BadResponse(f"expected the body as text, got {type(body).__name__}")
    if response.get("isBase64Encoded") is not True:
        return body.encode("utf-8", "surrogatepass")
    try:
        return base64.b64decode(body, validate=True)
    except ValueError as error:
        raise BadResponse(f"expected a body in base64: {error}") from error


@dataclass(frozen=True, slots=True)
class Service:
    """One service in front of the function: how it calls, how it reads, what it says of errors.

    The bodies and statuses are AWS's:
    https://docs.aws.amazon.com/lambda/latest/dg/services-apigateway-errors.html (REST APIs)
    https://docs.aws.amazon.com/apigateway/latest/developerguide/supported-gateway-response-types.html
    Those of HTTP APIs and function URLs are as their users report them (doubtful).
    """

    make_event: Callable[[Request, str], Event]
    read_response: Callable[[bytes], Response]
    failed: Response
    refused: Response
    throttled: Response
    timed_out: Response
    too_large: Response
    limit_seconds: float | None = INTEGRATION_SECONDS


def _tell(status: int, message: str, error_type: str = "") -> Response:
    headers = [("Content-Type", "application/json")]
    if error_type:
        headers.append(("x-amzn-ErrorType", error_type))
    return Response(status, headers, json.dumps({"message": message}).encode())


def make_rest_api(stage: str, api_id: str, base_path: str = "") -> Service:
    """Return the stage of a REST API, or the custom domain's base path that is mapped to it."""
    error = "Internal server error"
    error_type = "InternalServerErrorException"
    return Service(
        lambda request, header: make_rest_event(request, header, stage, api_id, base_path),
        read_rest_response,
        failed=_tell(502, error, error_type),
        refused=_tell(500, error, error_type),
        throttled=_tell(500, error, error_type),
        timed_out=_tell(504, "Endpoint request timed out", "InternalServerErrorException"),
        too_large=_tell(413, "Request Too Long", "RequestTooLargeException"),
    )


def make_http_api(api_id: str) -> Service:
    """Return the stage `$default` of an HTTP API."""
    return Service(
        lambda request, header: make_http_event(request, header, api_id),
        read_format_2_response,
        failed=_tell(500, "Internal Server Error"),
        refused=_tell(500, "Internal Server Error"),
        throttled=_tell(503, "Service Unavailable"),
        timed_out=_tell(503, "Service Unavailable"),
        too_large=_tell(413, "Request Entity Too Large"),
    )


def make_function_url(url_id: str) -> Service:
    """Return a function URL."""
    error = Response(502, [("Content-Type", "text/plain")], b"Internal Server Error")
    return Service(
        lambda request, header: make_url_event(request, header, url_id),
        read_format_2_response,
        failed=error,
        refused=error,
        throttled=_tell(429, "Rate Exceeded.", "TooManyRequestsException"),
        timed_out=error,
        too_large=_tell(413, "Request Too Long", "RequestTooLargeException"),
        # It waits as long as the function may take.
        limit_seconds=None,
    )


FORBIDDEN = _tell(403, "Forbidden", "ForbiddenException")
