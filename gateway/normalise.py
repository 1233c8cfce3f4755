"""Bring an event of any source to the one form that apig-wsgi reads right.

That is format 2.0, the plainest: one text for each header, one query string, one path. What the
format cannot say goes into the environ afterwards.
"""

from binascii import Error as Base64Error
from binascii import a2b_base64
from dataclasses import dataclass
from functools import lru_cache
from io import BytesIO
from typing import Any
from urllib.parse import quote_plus

from .errors import MalformedEvent, RequestTooLarge
from .fields import read_map, read_text, read_texts, to_wsgi_text
from .paths import quote_rest, split_path
from .sources import Event, Source

# Lambda's limit for a request and for a response, as serialised.
# https://docs.aws.amazon.com/lambda/latest/dg/gettingstarted-limits.html
LIMIT_BYTES = 6 * 1024 * 1024 + 100

# Headers that WSGI names in its own way, or that it has from elsewhere: the length is the body's.
# https://peps.python.org/pep-3333/#environ-variables
OWN_VARIABLES = {"CONTENT_TYPE": "CONTENT_TYPE", "CONTENT_LENGTH": None}


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
    is_format_2 = source in (Source.HTTP_API, Source.FUNCTION_URL)
    about = read_map(context, "http") if is_format_2 else context
    method = read_text(about, "method") if is_format_2 else read_text(event, "httpMethod")
    if not method or not method.isascii():
        raise MalformedEvent(f"Expected a method such as 'GET', got {method!r}.")
    environ: dict[str, Any] = read_headers(event)
    scheme = read_scheme(environ, source)
    script_name, path = split_path(event, source)
    environ["SCRIPT_NAME"] = to_wsgi_text(script_name)
    # Only for a request without a Host header, such as a load balancer's health check.
    environ["SERVER_NAME"] = to_wsgi_text(read_text(context, "domainName")) or "localhost"
    environ["SERVER_PORT"] = read_port(environ, scheme)
    environ["wsgi.url_scheme"] = scheme
    environ["apig_wsgi.full_event"] = event
    environ["apig_wsgi.request_context"] = context
    body = read_body(event)
    if body:
        environ["CONTENT_LENGTH"] = str(len(body))
        environ["wsgi.input"] = BytesIO(body)
    http = {
        "method": method,
        "protocol": read_text(about, "protocol") or "HTTP/1.1",
        "sourceIp": read_client_address(about, environ, source),
    }
    format_2 = {
        "version": "2.0",
        "rawPath": path,
        "rawQueryString": read_query(event, source),
        "headers": {},
        "requestContext": {"http": http},
    }
    return Request(source, method, format_2, environ)


def read_headers(event: Event) -> dict[str, str]:
    """Return the WSGI variables of an event's headers, cookies among them.

    A repeated header becomes one text, joined by a comma; cookies by a semicolon.
    Sources: https://www.rfc-editor.org/rfc/rfc9110#section-5.3
    https://www.rfc-editor.org/rfc/rfc6265#section-5.4
    """
    variables: dict[str, str] = {}
    # Where both maps are there, the single one has only the last value of each header.
    given = read_map(event, "multiValueHeaders") or read_map(event, "headers")
    for name, values in given.items():
        variable = name_variable(name)
        if variable is None:
            continue
        for text in read_texts(values, name):
            if not text.isascii():
                text = to_wsgi_text(text)
            if variable in variables:
                separator = "; " if variable == "HTTP_COOKIE" else ", "
                text = variables[variable] + separator + text
            variables[variable] = text
    cookies = read_texts(event.get("cookies"), "cookies")
    if cookies:
        if "HTTP_COOKIE" in variables:
            cookies = [*cookies, variables["HTTP_COOKIE"]]
        variables["HTTP_COOKIE"] = "; ".join(map(to_wsgi_text, cookies))
    return variables


@lru_cache(maxsize=1024)
def name_variable(header: str) -> str | None:
    """Return the WSGI variable of a header, or None for one that the application must not see.

    With an underscore it could not be told from the same name with a hyphen, and a client could
    overwrite what API Gateway says.
    """
    if "_" in header or not header.isascii():
        return None
    name = header.upper().replace("-", "_")
    return OWN_VARIABLES.get(name, f"HTTP_{name}")


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
        return "&".join(f"{quote_plus(name)}={quote_plus(text)}" for name, text in pairs)
    return quote_rest("&".join(f"{name}={text}" for name, text in pairs))


def read_scheme(variables: dict[str, str], source: Source) -> str:
    """Return http or https: what the service says of the client's connection."""
    scheme = variables.get("HTTP_X_FORWARDED_PROTO")
    if scheme in ("http", "https"):
        return scheme
    # API Gateway and function URLs have no plain HTTP; a load balancer checks health by it.
    is_load_balancer = source in (Source.LOAD_BALANCER, Source.MULTI_VALUE_LOAD_BALANCER)
    return "http" if is_load_balancer else "https"


def read_port(variables: dict[str, str], scheme: str) -> str:
    """Return the port that the client connected to; never empty, as WSGI asks."""
    port = variables.get("HTTP_X_FORWARDED_PORT", "")
    if port.isascii() and port.isdecimal():
        return port
    return "443" if scheme == "https" else "80"


def read_client_address(about: dict[str, Any], variables: dict[str, str], source: Source) -> str:
    """Return the client's address as the service saw it, not as the client says."""
    if source is Source.REST_API:
        return to_wsgi_text(read_text(read_map(about, "identity"), "sourceIp"))
    if source in (Source.HTTP_API, Source.FUNCTION_URL):
        return to_wsgi_text(read_text(about, "sourceIp"))
    # The load balancer adds the address it sees at the end.
    # https://docs.aws.amazon.com/elasticloadbalancing/latest/application/x-forwarded-headers.html
    return variables.get("HTTP_X_FORWARDED_FOR", "").rpartition(",")[2].strip()


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
