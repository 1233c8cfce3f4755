"""Make the WSGI environ of an HTTP event, whichever service sent it.

What is the same in every request comes from apig-wsgi, asked once. What differs is read here, with
each source's own rules; apig-wsgi reads much of it wrong, and takes longer.

Source: https://peps.python.org/pep-3333/#environ-variables
"""

import re
import sys
from binascii import Error as Base64Error
from binascii import a2b_base64
from collections.abc import Callable
from functools import lru_cache
from io import BytesIO
from typing import Any
from urllib.parse import quote_plus, unquote_to_bytes
from wsgiref.types import StartResponse, WSGIEnvironment

from apig_wsgi import make_lambda_handler

from .errors import MalformedEvent, RequestTooLarge
from .fields import read_map, read_text, read_texts, to_wsgi_text
from .paths import quote_rest, split_path
from .sources import LIMIT_BYTES, Event, Source

# Headers that WSGI names in its own way, or that it has from elsewhere: the length is the body's.
DROPPED = ""
MAX_VARIABLES = 1000
OWN_VARIABLES = {"CONTENT_TYPE": "CONTENT_TYPE", "CONTENT_LENGTH": DROPPED}
# The variables of headers that have come before. Not a dict that finds what it lacks: a look into
# one of a class of its own takes several times as long.
VARIABLES: dict[str, str] = {}
# RFC 9110's tokens: https://www.rfc-editor.org/rfc/rfc9110#section-5.6.2
METHOD = re.compile(r"[!#$%&'*+.^_`|~0-9A-Za-z-]+")
METHODS = frozenset({"GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"})
BARE_EVENT = {
    "version": "2.0",
    "rawPath": "/",
    "rawQueryString": "",
    "headers": {},
    "requestContext": {"http": {"method": "GET", "protocol": "HTTP/1.1", "sourceIp": ""}},
}


def make_template() -> WSGIEnvironment:
    """Return what apig-wsgi makes of a request that says nothing."""
    template: WSGIEnvironment = {}

    def keep(environ: WSGIEnvironment, start_response: StartResponse) -> list[bytes]:
        template.update(environ)
        start_response("200 OK", [])
        return []

    make_lambda_handler(keep)(BARE_EVENT, None)
    # Of a request without cookies there is none.
    del template["HTTP_COOKIE"]
    return template


def make_environ(
    event: Event, context: Any, source: Source, template: WSGIEnvironment
) -> WSGIEnvironment:
    """Return the environ of an HTTP event; the event stays as it is.

    Raises MalformedEvent for fields that AWS would not send so, RequestTooLarge for a body above
    Lambda's limit, UnicodeError for half a surrogate pair.
    """
    environ = template.copy()
    read_headers(event, environ)
    request_context = read_map(event, "requestContext")
    if source.is_format_2:
        about = read_map(request_context, "http")
        method = read_text(about, "method")
        address = read_text(about, "sourceIp")
        query = quote_rest(read_text(event, "rawQueryString"))
    else:
        about = request_context
        method = read_text(event, "httpMethod")
        if source.is_load_balancer:
            address = read_last_address(environ.get("HTTP_X_FORWARDED_FOR", ""))
        else:
            address = read_text(read_map(about, "identity"), "sourceIp")
        query = read_query(event, join_encoded if source.is_load_balancer else encode_pair)
    if method not in METHODS and not METHOD.fullmatch(method):
        raise MalformedEvent(f"Expected a method such as 'GET', got {method!r}.")
    script_name, path = split_path(event, request_context, source)
    scheme = environ.get("HTTP_X_FORWARDED_PROTO")
    if scheme != "https" and scheme != "http":
        # API Gateway and function URLs have no plain HTTP; a load balancer checks health by it.
        scheme = "http" if source.is_load_balancer else "https"
    port = environ.get("HTTP_X_FORWARDED_PORT", "")
    if port != "443" and not (port.isdecimal() and port.isascii()):
        port = "443" if scheme == "https" else "80"
    if event.get("body") is None:
        environ["wsgi.input"] = BytesIO()
    else:
        body = read_body(event)
        environ["CONTENT_LENGTH"] = str(len(body))
        environ["wsgi.input"] = BytesIO(body)
    environ["REQUEST_METHOD"] = method
    environ["SCRIPT_NAME"] = decode_path(script_name) if "%" in script_name else script_name
    environ["PATH_INFO"] = decode_path(path) if "%" in path else path
    environ["QUERY_STRING"] = query
    environ["REMOTE_ADDR"] = address if address.isascii() else to_wsgi_text(address)
    # Only for a request without a Host header, such as a load balancer's health check.
    host = read_text(request_context, "domainName") or "localhost"
    environ["SERVER_NAME"] = host if host.isascii() else to_wsgi_text(host)
    environ["SERVER_PORT"] = port
    # The template's, nearly always.
    if about.get("protocol") != "HTTP/1.1":
        environ["SERVER_PROTOCOL"] = to_wsgi_text(read_text(about, "protocol")) or "HTTP/1.1"
    environ["wsgi.errors"] = sys.stderr
    environ["wsgi.url_scheme"] = scheme
    environ["apig_wsgi.full_event"] = event
    environ["apig_wsgi.request_context"] = request_context
    environ["apig_wsgi.context"] = context
    return environ


def read_headers(event: Event, environ: WSGIEnvironment) -> None:
    """Put an event's headers into the environ, cookies among them.

    A repeated header becomes one text, joined by a comma; cookies by a semicolon.
    Sources: https://www.rfc-editor.org/rfc/rfc9110#section-5.3
    https://www.rfc-editor.org/rfc/rfc6265#section-5.4
    """
    # Where both maps are there, the single one has only the last value of each header.
    multiple = "multiValueHeaders" in event and read_map(event, "multiValueHeaders")
    given = multiple or read_map(event, "headers")
    read_usual = _read_usual_lists if multiple else _read_usual_texts
    if not read_usual(given, environ):
        for name in given:
            environ.pop(find_variable(name), None)
        for name, values in given.items():
            _add_header(environ, find_variable(name), read_texts(values, name))
    environ.pop(DROPPED, None)
    if "cookies" in event and (cookies := read_texts(event["cookies"], "cookies")):
        known = environ.get("HTTP_COOKIE")
        text = to_wsgi_text("; ".join(cookies))
        environ["HTTP_COOKIE"] = f"{text}; {known}" if known else text


def _read_usual_lists(given: dict[str, Any], environ: WSGIEnvironment) -> bool:
    """Put headers of one ASCII text each into the environ; return whether all of them were.

    Nearly all requests are like that, and half of what an adapter costs is spent here.
    """
    before = len(environ)
    variables = VARIABLES
    try:
        for name, values in given.items():
            [text] = values
            environ[variables[name]] = text
            if type(values) is not list or not text.isascii():
                return False
    except (AttributeError, KeyError, TypeError, ValueError):
        return False
    # Else two names are one variable.
    return len(environ) == before + len(given)


def _read_usual_texts(given: dict[str, Any], environ: WSGIEnvironment) -> bool:
    """Do the same with headers that came as texts."""
    before = len(environ)
    variables = VARIABLES
    try:
        for name, text in given.items():
            environ[variables[name]] = text
            if not text.isascii():
                return False
    except (AttributeError, KeyError, TypeError):
        return False
    return len(environ) == before + len(given)


def _add_header(environ: WSGIEnvironment, variable: str, texts: list[str]) -> None:
    separator = "; " if variable == "HTTP_COOKIE" else ", "
    known = [environ[variable]] if variable in environ else []
    if known or texts:
        environ[variable] = separator.join([*known, *map(to_wsgi_text, texts)])


def find_variable(header: str) -> str:
    """Return the WSGI variable of a header; DROPPED where the application must not see it.

    With an underscore it could not be told from the same name with a hyphen, and a client could
    overwrite what API Gateway says.
    """
    if "_" in header or not header.isascii():
        return DROPPED
    name = header.upper().replace("-", "_")
    variable = OWN_VARIABLES.get(name, f"HTTP_{name}")
    # Clients may call headers what they like.
    if len(VARIABLES) < MAX_VARIABLES:
        VARIABLES[header] = variable
    return variable


def decode_path(path: str) -> str:
    """Return a percent-encoded path as WSGI wants it: each of its bytes one latin-1 character."""
    return unquote_to_bytes(path).decode("latin-1")


def read_query(event: Event, encode: Callable[[str, str], str]) -> str:
    """Return the query string of an event that has the parameters alone, encoded.

    encode: REST APIs deliver them decoded, load balancers as the client sent them.
    """
    given = read_map(event, "multiValueQueryStringParameters")
    given = given or read_map(event, "queryStringParameters")
    if not given:
        return ""
    pairs = []
    for name, values in given.items():
        if type(values) is list and len(values) == 1 and type(values[0]) is str:
            pairs.append(encode(name, values[0]))
        else:
            for text in read_texts(values, name) or ("",):
                pairs.append(encode(name, text))
    return "&".join(pairs)


@lru_cache(maxsize=200)
def encode_pair(name: str, text: str) -> str:
    """Return a parameter of a query string, encoded; the same few come again and again."""
    return f"{quote_plus(name)}={quote_plus(text)}"


def join_encoded(name: str, text: str) -> str:
    """Return a parameter of a query string that came encoded."""
    return quote_rest(f"{name}={text}")


def read_last_address(forwarded_for: str) -> str:
    """Return the address that a load balancer saw, which it adds at the end; without a port.

    Source: https://docs.aws.amazon.com/elasticloadbalancing/latest/application/x-forwarded-headers.html
    """
    address = forwarded_for.rpartition(",")[2].strip()
    if address.startswith("["):
        return address[1:].partition("]")[0]
    return address.partition(":")[0] if address.count(":") == 1 else address


def read_body(event: Event) -> bytes:
    """Return the body's bytes. Raises MalformedEvent, RequestTooLarge."""
    text = read_text(event, "body")
    if not text:
        return b""
    if len(text) > LIMIT_BYTES:
        raise RequestTooLarge(
            f"The request's body has {len(text)} characters; Lambda takes {LIMIT_BYTES} bytes."
        )
    if not event.get("isBase64Encoded"):
        return text.encode()
    try:
        return a2b_base64(text, strict_mode=True)
    except (Base64Error, ValueError) as error:
        raise MalformedEvent(f"The request's body is not base64: {error}.") from error
