"""Shape a reply as the service that asked wants it.

Sources:
https://docs.aws.amazon.com/apigateway/latest/developerguide/set-up-lambda-proxy-integrations.html#api-gateway-simple-proxy-for-lambda-output-format
https://docs.aws.amazon.com/apigateway/latest/developerguide/http-api-develop-integrations-lambda.html#http-api-develop-integrations-lambda.response
https://docs.aws.amazon.com/elasticloadbalancing/latest/application/lambda-functions.html#respond-to-load-balancer
"""

import json
import os
import re
from binascii import b2a_base64
from functools import lru_cache
from itertools import product
from typing import Any

from .exchange import Reply
from .fields import from_wsgi_text
from .sources import Source

Response = dict[str, Any]
Grouped = dict[str, list[str]]

TEXT_TYPES = re.compile(
    r"text/.*|application/(json|xml|javascript|x-javascript|ecmascript|x-www-form-urlencoded)"
    r"|.*\+(json|xml)"
)
CHARSET = re.compile(r"""charset\s*=\s*["']?([^\s;"']+)""", re.IGNORECASE)
UTF_8 = frozenset({"utf-8", "utf8", "us-ascii", "ascii"})
UTF_8_RUNTIME = re.compile(r"AWS_Lambda_python3\.(1[2-9]|[2-9]\d)")
# JSON writes a byte in six at most: \u001f.
LARGEST_GROWTH = 6


def shape(reply: Reply, source: Source, method: str) -> tuple[Response, int]:
    """Return the response for the service that sent the request, and its size as `measure` says."""
    # Names that differ by case are one, and spelled as the first of them.
    spelled: dict[str, str] = {}
    headers: Grouped = {}
    characters = len(reply.body) + 200
    for name, text in reply.headers:
        characters += len(name) + len(text) + 10  # "": [""],
        if not text.isascii():
            text = from_wsgi_text(text)
        key = name.lower()
        if key in spelled:
            headers[spelled[key]].append(text)
        else:
            spelled[key] = name
            headers[name] = [text]
    # HEAD has the headers of GET, its length among them, and no body; WSGI leaves that to us.
    # https://www.rfc-editor.org/rfc/rfc9110#section-9.3.2
    body, is_base64 = ("", False) if method == "HEAD" else encode(reply.body, headers, spelled)
    response: Response = {
        "statusCode": read_code(reply.status),
        "body": body,
        "isBase64Encoded": is_base64,
    }
    if source.is_multi_value:
        response["multiValueHeaders"] = headers
    else:
        cookies = headers.pop(spelled["set-cookie"]) if "set-cookie" in spelled else []
        response["headers"] = {name: ", ".join(texts) for name, texts in headers.items()}
        if source.is_format_2:
            response["cookies"] = cookies
        elif cookies:
            response["headers"] |= spell_apart(cookies)
    if source.is_load_balancer:
        response["statusDescription"] = reply.status
    # By far the most responses cannot be too large, however JSON writes them.
    greatest = characters * LARGEST_GROWTH
    return response, greatest if greatest <= source.limit_bytes else measure(response)


@lru_cache(maxsize=128)
def read_code(status: str) -> int:
    """Return the number of a status such as '200 OK'."""
    return int(status[:3])


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


def encode(body: bytes, headers: Grouped, spelled: dict[str, str]) -> tuple[str, bool]:
    """Return the body as text, or in base64 with True where it is not UTF-8 text."""
    if not body:
        return "", False
    if "content-encoding" not in spelled:
        name = spelled.get("content-type")
        if is_text(headers[name][-1] if name else ""):
            try:
                return body.decode(), False
            except UnicodeDecodeError:
                pass
    return b2a_base64(body, newline=False).decode(), True


@lru_cache(maxsize=128)
def is_text(content_type: str) -> bool:
    """Return whether a Content-Type header promises UTF-8 text; one that is empty may be."""
    charset = CHARSET.search(content_type)
    if charset and charset[1].lower() not in UTF_8:
        return False
    media_type = content_type.partition(";")[0].strip().lower()
    return not media_type or bool(TEXT_TYPES.fullmatch(media_type))


def measure(response: Response) -> int:
    """Return a response's size in bytes as Lambda's runtime client will send it.

    Source: https://github.com/aws/aws-lambda-python-runtime-interface-client/blob/main/awslambdaric/lambda_runtime_marshaller.py
    """
    # Older runtimes, and images without this variable, write ASCII alone.
    is_utf_8 = UTF_8_RUNTIME.match(os.environ.get("AWS_EXECUTION_ENV", ""))
    text = json.dumps(response, ensure_ascii=not is_utf_8)
    return len(text) if text.isascii() else len(text.encode())
