"""Bring an event of any source to the one form that apig-wsgi reads right.

That is format 2.0, the plainest: one text for each header, one query string, one path. What the
format cannot say goes into the environ afterwards.
"""

from binascii import Error as Base64Error
from binascii import a2b_base64
from dataclasses import dataclass
from io import BytesIO
from typing import Any
from urllib.parse import urlencode

from .errors import MalformedEvent, RequestTooLarge
from .fields import read_map, read_text, read_texts, to_wsgi_text
from .paths import quote_rest, split_path
from .sources import Event, Source

# Lambda's limit for a request and for a response, as serialised.
# https://docs.aws.amazon.com/lambda/latest/dg/gettingstarted-limits.html
LIMIT_BYTES = 6 * 1024 * 1024 + 100

# How a header's values are joined where it is repeated; a comma is right for all others.
# https://www.rfc-editor.org/rfc/rfc9110#section-5.3, https://www.rfc-editor.org/rfc/rfc6265#section-5.4
SEPARATORS = {"cookie": "; "}
# Headers that WSGI has no HTTP_ variable for.
OWN_VARIABLES = frozenset({"content-type", "content-length", "cookie"})


@dataclass(frozen=True, slots=True)
class Request:
    """An HTTP event made ready.

    event: the request in format 2.0, for apig-wsgi.
    environ: what is to be set in the environ that apig-wsgi makes of it.
    """

    source: Source
    method: str
    event: Event
    environ: dict[str, Any]


def normalise(event: Event, source: Source) -> Request:
    """Return the request of an HTTP event; the event stays as it is.

    Raises MalformedEvent for fields that AWS would not send so, RequestTooLarge for a body above
    Lambda's limit.
    """
    try:
        return _normalise(event, source)
    except UnicodeError as error:
        raise MalformedEvent(f"The event holds text that is not Unicode: {error}.") from error


def _normalise(event: Event, source: Source) -> Request:
    context = read_map(event, "requestContext")
    about = context if source is Source.REST_API else read_map(context, "http")
    is_format_2 = source in (Source.HTTP_API, Source.FUNCTION_URL)
    method = read_text(about if is_format_2 else event, "method" if is_format_2 else "httpMethod")
    if not method or not method.isascii():
        raise MalformedEvent(f"Expected a method such as 'GET', got {method!r}.")
    script_name, path = split_path(event, source)
    headers = read_headers(event)
    scheme = read_scheme(headers, source)
    cookies = read_texts(event.get("cookies"), "cookies") if is_format_2 else []
    if "cookie" in headers:
        cookies.append(headers["cookie"])
    environ: dict[str, Any] = {
        "SCRIPT_NAME": to_wsgi_text(script_name),
        # Only for a request without a Host header, such as a load balancer's health check.
        "SERVER_NAME": to_wsgi_text(read_text(context, "domainName")) or "localhost",
        "SERVER_PORT": read_port(headers, scheme),
        "wsgi.url_scheme": scheme,
        "apig_wsgi.full_event": event,
        "apig_wsgi.request_context": context,
    }
    if "content-type" in headers:
        environ["CONTENT_TYPE"] = headers["content-type"]
    body = read_body(event)
    if body:
        environ["CONTENT_LENGTH"] = str(len(body))
        environ["wsgi.input"] = BytesIO(body)
    http = {
        "method": method,
        "protocol": read_text(about, "protocol") or "HTTP/1.1",
        "sourceIp": read_client_address(context, headers, source),
    }
    format_2 = {
        "version": "2.0",
        "rawPath": path,
        "rawQueryString": read_query(event, source),
        "cookies": [to_wsgi_text("; ".join(cookies))] if cookies else [],
        "headers": {name: text for name, text in headers.items() if name not in OWN_VARIABLES},
        "requestContext": {"http": http},
    }
    return Request(source, method, format_2, environ)


def read_headers(event: Event) -> dict[str, str]:
    """Return one text for each header, by its name in lower case.

    Names with an underscore are dropped: as WSGI variables they could not be told from the same
    names with a hyphen, and a client could overwrite what API Gateway says.
    """
    headers: dict[str, str] = {}
    # Where both maps are there, the single one has only the last value of each header.
    given = read_map(event, "multiValueHeaders") or read_map(event, "headers")
    for name, values in given.items():
        if "_" in name or not name.isascii():
            continue
        key = name.lower()
        texts = read_texts(values, name)
        if key in headers:
            texts.insert(0, headers[key])
        if texts:
            joined = texts[0] if len(texts) == 1 else SEPARATORS.get(key, ", ").join(texts)
            headers[key] = to_wsgi_text(joined)
    return headers


def read_query(event: Event, source: Source) -> str:
    """Return the query string, encoded.

    REST APIs deliver the parameters decoded, load balancers as the client sent them.
    """
    if source in (Source.HTTP_API, Source.FUNCTION_URL):
        return quote_rest(read_text(event, "rawQueryString"))
    given = read_map(event, "multiValueQueryStringParameters")
    given = given or read_map(event, "queryStringParameters")
    pairs = [
        (name, text)
        for name, values in given.items()
        for text in (read_texts(values, name) or [""])
    ]
    if source is Source.REST_API:
        return urlencode(pairs)
    return quote_rest("&".join(f"{name}={text}" for name, text in pairs))


def read_scheme(headers: dict[str, str], source: Source) -> str:
    """Return http or https: what the service says of the client's connection."""
    scheme = headers.get("x-forwarded-proto")
    if scheme in ("http", "https"):
        return scheme
    # API Gateway and function URLs have no plain HTTP; a load balancer checks health by it.
    is_load_balancer = source in (Source.LOAD_BALANCER, Source.MULTI_VALUE_LOAD_BALANCER)
    return "http" if is_load_balancer else "https"


def read_port(headers: dict[str, str], scheme: str) -> str:
    """Return the port that the client connected to; never empty, as WSGI asks."""
    port = headers.get("x-forwarded-port", "")
    if port.isascii() and port.isdecimal():
        return port
    return "443" if scheme == "https" else "80"


def read_client_address(context: dict[str, Any], headers: dict[str, str], source: Source) -> str:
    """Return the client's address as the service saw it, not as the client says."""
    if source is Source.REST_API:
        address = read_text(read_map(context, "identity"), "sourceIp")
    elif source in (Source.HTTP_API, Source.FUNCTION_URL):
        address = read_text(read_map(context, "http"), "sourceIp")
    else:
        # The load balancer adds the address it sees at the end.
        # https://docs.aws.amazon.com/elasticloadbalancing/latest/application/x-forwarded-headers.html
        address = headers.get("x-forwarded-for", "").rpartition(",")[2].strip()
    return to_wsgi_text(address)


def read_body(event: Event) -> bytes:
    """Return the body's bytes. Raises MalformedEvent, RequestTooLarge."""
    body = read_text(event, "body")
    if len(body) > LIMIT_BYTES:
        raise RequestTooLarge(
            f"The request's body has {len(body)} characters; Lambda takes {LIMIT_BYTES} bytes."
        )
    if not event.get("isBase64Encoded"):
        return body.encode()
    try:
        return a2b_base64(body, strict_mode=True)
    except (Base64Error, ValueError) as error:
        raise MalformedEvent(f"The request's body is not base64: {error}.") from error
