"""Shape a reply as the service that asked wants it.

Sources:
https://docs.aws.amazon.com/apigateway/latest/developerguide/set-up-lambda-proxy-integrations.html#api-gateway-simple-proxy-for-lambda-output-format
https://docs.aws.amazon.com/apigateway/latest/developerguide/http-api-develop-integrations-lambda.html#http-api-develop-integrations-lambda.response
https://docs.aws.amazon.com/elasticloadbalancing/latest/application/lambda-functions.html#respond-to-load-balancer
"""

import json
import re
from base64 import b64encode
from functools import lru_cache
from itertools import product
from typing import Any

from .exchange import Headers, Reply
from .normalise import LIMIT_BYTES
from .sources import Source

Response = dict[str, Any]

TEXT_TYPES = re.compile(
    r"text/.*|application/(json|xml|javascript|x-javascript|ecmascript|x-www-form-urlencoded)"
    r"|.*\+(json|xml)"
)
CHARSET = re.compile(r"""charset\s*=\s*["']?([^\s;"']+)""", re.IGNORECASE)
UTF_8 = frozenset({"utf-8", "utf8", "us-ascii", "ascii"})
# JSON writes a byte as six characters at most: \u001f.
LARGEST_GROWTH = 6


def shape(reply: Reply, source: Source, method: str) -> Response:
    """Return the response for the service that sent the request."""
    response: Response = {"statusCode": reply.status_code}
    if source in (Source.REST_API, Source.MULTI_VALUE_LOAD_BALANCER):
        response["multiValueHeaders"] = group(reply.headers)
    else:
        headers = {name: ", ".join(texts) for name, texts in group(reply.headers).items()}
        cookies = [text for name, text in reply.headers if name.lower() == "set-cookie"]
        if cookies:
            headers = {name: text for name, text in headers.items() if name.lower() != "set-cookie"}
        if source is Source.LOAD_BALANCER:
            headers |= spell_apart(cookies)
        else:
            response["cookies"] = cookies
        response["headers"] = headers
    if source in (Source.LOAD_BALANCER, Source.MULTI_VALUE_LOAD_BALANCER):
        response["statusDescription"] = reply.status
    # HEAD has the headers of GET, its length among them, and no body; WSGI leaves that to us.
    # https://www.rfc-editor.org/rfc/rfc9110#section-9.3.2
    body = b"" if method == "HEAD" else reply.body
    response["body"], response["isBase64Encoded"] = encode(body, reply.headers)
    return response


def group(headers: Headers) -> dict[str, list[str]]:
    """Return every header with its values in order; names that differ by case are one."""
    names: dict[str, str] = {}
    grouped: dict[str, list[str]] = {}
    for name, text in headers:
        grouped.setdefault(names.setdefault(name.lower(), name), []).append(text)
    return grouped


def spell_apart(cookies: list[str]) -> dict[str, str]:
    """Return each cookie under a spelling of its own: set-cookie, set-cookiE, set-cookIe, ...

    No comma can join cookies, and a load balancer without multi-value headers takes one text for
    each name. It tells names apart by case, and HTTP does not.
    """
    spellings = product(*zip("setcookie", "SETCOOKIE", strict=True))
    return {
        f"{''.join(letters[:3])}-{''.join(letters[3:])}": cookie
        for letters, cookie in zip(spellings, cookies, strict=False)
    }


def encode(body: bytes, headers: Headers) -> tuple[str, bool]:
    """Return the body as text, or in base64 with True where it is not UTF-8 text."""
    if not body:
        return "", False
    found = {name.lower(): text for name, text in headers}
    if "content-encoding" not in found and is_text(found.get("content-type", "")):
        try:
            return body.decode(), False
        except UnicodeDecodeError:
            pass
    return b64encode(body).decode(), True


@lru_cache(maxsize=128)
def is_text(content_type: str) -> bool:
    """Return whether a Content-Type header promises UTF-8 text; one that is empty may be."""
    charset = CHARSET.search(content_type)
    if charset and charset[1].lower() not in UTF_8:
        return False
    media_type = content_type.partition(";")[0].strip().lower()
    return not media_type or bool(TEXT_TYPES.fullmatch(media_type))


def measure(response: Response, reply: Reply) -> int:
    """Return the response's size in bytes as Lambda's runtime client will send it.

    Where an upper bound is below the limit already, that is returned. Runtimes from Python 3.12 on
    write UTF-8, older ones would need more for text that is not ASCII.
    """
    characters = 200 + len(reply.body) + len(reply.status)
    for name, text in reply.headers:
        characters += len(name) + len(text) + len('"": [""], ')
    if characters * LARGEST_GROWTH < LIMIT_BYTES:
        return characters * LARGEST_GROWTH
    return len(json.dumps(response, ensure_ascii=False).encode())
