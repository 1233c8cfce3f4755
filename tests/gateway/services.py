"""AWS's services as models: what they make of a request, and what a client gets of a response.

Written from AWS's documents and from captures that users published, not from the gateway's code,
so that the two can disagree:

[REST] https://docs.aws.amazon.com/apigateway/latest/developerguide/set-up-lambda-proxy-integrations.html
[HTTP] https://docs.aws.amazon.com/apigateway/latest/developerguide/http-api-develop-integrations-lambda.html
[URL] https://docs.aws.amazon.com/lambda/latest/dg/urls-invocation.html
[ALB] https://docs.aws.amazon.com/elasticloadbalancing/latest/application/lambda-functions.html
[PATH] https://github.com/middleapi/standard-server/pull/93 which services decode the path
[BASE] https://github.com/aws-powertools/powertools-lambda-python/pull/579 base paths
[STAGE] https://github.com/CodeGenieApp/serverless-express/issues/465 stages of HTTP APIs
"""

import base64
import json
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import quote, unquote

API_HOST = "a1b2c3d4e5.execute-api.eu-west-1.amazonaws.com"
URL_HOST = "a1b2c3d4e5f6.lambda-url.eu-west-1.on.aws"
DOMAIN = "movies.example.org"
CLIENT = "203.0.113.7"

Event = dict[str, Any]
Pairs = tuple[tuple[str, str], ...]


@dataclass(frozen=True)
class Request:
    """What a client sends: the path as the application should see it, decoded."""

    path: str = "/"
    method: str = "GET"
    query: Pairs = ()
    headers: Pairs = ()
    body: bytes = b""
    is_text: bool = False

    @property
    def encoded_path(self) -> str:
        return quote(self.path, safe="/")

    @property
    def encoded_query(self) -> Pairs:
        return tuple((quote(name, safe=""), quote(text, safe="")) for name, text in self.query)


@dataclass(frozen=True)
class Answer:
    """What a client gets."""

    status: int
    headers: Pairs
    body: bytes
    # Names are in lower case: HTTP tells none apart.
    cookies: list[str] = field(default_factory=list)

    def list_texts(self, name: str) -> list[str]:
        return [text for known, text in self.headers if known == name]


@dataclass(frozen=True)
class Service:
    """A service in front of the function, at one place of the public URL.

    script_name: what stands there before the application's paths, and the event tells of.
    """

    name: str
    script_name: str
    deliver: Callable[[Request], Event]
    receive: Callable[[Event, Request], Answer]

    def __repr__(self) -> str:
        return self.name


def group(pairs: Pairs) -> dict[str, list[str]]:
    grouped: dict[str, list[str]] = {}
    for name, text in pairs:
        grouped.setdefault(name, []).append(text)
    return grouped


def take_last(pairs: Pairs) -> dict[str, str] | None:
    return dict(pairs) or None


def add_headers(request: Request, host: str) -> Pairs:
    """Return the client's headers, and what the service adds to them."""
    forwarded = [text for name, text in request.headers if name.lower() == "x-forwarded-for"]
    own = {"x-forwarded-for", "x-forwarded-proto", "x-forwarded-port"}
    return (
        ("Host", host),
        *((name, text) for name, text in request.headers if name.lower() not in own),
        ("X-Forwarded-For", ", ".join([*forwarded, CLIENT])),
        ("X-Forwarded-Proto", "https"),
        ("X-Forwarded-Port", "443"),
    )


def encode_body(request: Request) -> Event:
    """A body is text where the service takes its type for text, else base64; null without one."""
    if not request.body:
        return {"body": None, "isBase64Encoded": False}
    if request.is_text:
        return {"body": request.body.decode(), "isBase64Encoded": False}
    return {"body": base64.b64encode(request.body).decode(), "isBase64Encoded": True}


def deliver_format_1(request: Request, headers: Pairs, query: Pairs) -> Event:
    """The maps have each name once: as the client first wrote it."""
    spelled: dict[str, str] = {}
    pairs = tuple((spelled.setdefault(name.lower(), name), text) for name, text in headers)
    return {
        "httpMethod": request.method,
        "headers": take_last(pairs),
        "multiValueHeaders": group(pairs),
        "queryStringParameters": take_last(query),
        "multiValueQueryStringParameters": group(query) or None,
        "stageVariables": None,
        **encode_body(request),
    }


def deliver_rest(request: Request, host: str, path: str, public_path: str) -> Event:
    """[REST] [BASE]: the query is decoded, the path is not."""
    return {
        **deliver_format_1(request, add_headers(request, host), request.query),
        "resource": "/{proxy+}" if request.path != "/" else "/",
        "path": path,
        "pathParameters": {"proxy": request.path.strip("/")} if request.path != "/" else None,
        "requestContext": {
            "path": public_path,
            "stage": "dev",
            "domainName": host,
            "protocol": "HTTP/1.1",
            "identity": {"sourceIp": CLIENT, "user": None},
        },
    }


def deliver_http_1(request: Request, stage: str) -> Event:
    """[HTTP] [PATH]: like a REST API's, but the path is decoded and has the stage."""
    prefix = "" if stage == "$default" else f"/{stage}"
    path = prefix + unquote(request.encoded_path)
    return {
        "version": "1.0",
        **deliver_format_1(request, add_headers(request, API_HOST), request.query),
        "resource": "$default",
        "path": path,
        "pathParameters": None,
        "requestContext": {
            "path": path,
            "stage": stage,
            "domainName": API_HOST,
            "protocol": "HTTP/1.1",
            "identity": {"sourceIp": CLIENT},
        },
    }


def deliver_format_2(request: Request, host: str, path: str, stage: str) -> Event:
    """[HTTP]: names in lower case, repeated headers joined by a comma, cookies apart."""
    headers: dict[str, str] = {}
    cookies: list[str] = []
    for name, text in add_headers(request, host):
        name = name.lower()
        if name == "cookie":
            cookies += text.split("; ")
        else:
            headers[name] = f"{headers[name]},{text}" if name in headers else text
    event = {
        "version": "2.0",
        "routeKey": "$default",
        "rawPath": path,
        "rawQueryString": "&".join("=".join(pair) for pair in request.encoded_query),
        "headers": headers,
        "requestContext": {
            "domainName": host,
            "http": {
                "method": request.method,
                "path": path,
                "protocol": "HTTP/1.1",
                "sourceIp": CLIENT,
            },
            "stage": stage,
        },
        **encode_body(request),
    }
    # They are left out where there is nothing, rather than null.
    if cookies:
        event["cookies"] = cookies
    if event["body"] is None:
        del event["body"]
    return event


def deliver_load_balancer(request: Request, *, is_multi_value: bool) -> Event:
    """[ALB]: nothing is decoded; names in lower case; one map or the other."""
    headers = tuple((name.lower(), text) for name, text in add_headers(request, DOMAIN))
    event: Event = {
        "requestContext": {"elb": {"targetGroupArn": "arn:aws:elasticloadbalancing:..."}},
        "httpMethod": request.method,
        "path": request.encoded_path,
        **encode_body(request),
    }
    event["body"] = event["body"] or ""
    if is_multi_value:
        event["multiValueHeaders"] = group(headers)
        event["multiValueQueryStringParameters"] = group(request.encoded_query)
    else:
        event["headers"] = dict(headers)
        event["queryStringParameters"] = dict(request.encoded_query)
    return event


def receive(response: Event, request: Request, *, reads: tuple[str, ...]) -> Answer:
    """What all services do with a response. reads: the members that this one knows."""
    response = json.loads(json.dumps(response))
    known = {"statusCode", "body", "isBase64Encoded", *reads}
    assert response.keys() <= known, f"unknown members {response.keys() - known}"
    pairs = [(name.lower(), text) for name, text in response.get("headers", {}).items()]
    for name, texts in response.get("multiValueHeaders", {}).items():
        pairs += [(name.lower(), text) for text in texts]
    cookies = [text for name, text in pairs if name == "set-cookie"]
    cookies += response.get("cookies", [])
    body = response["body"]
    content = (
        base64.b64decode(body, validate=True) if response["isBase64Encoded"] else body.encode()
    )
    assert isinstance(response["statusCode"], int)
    assert not (request.method == "HEAD" and content), "no answer to HEAD has a body"
    headers = tuple(pair for pair in pairs if pair[0] != "set-cookie")
    return Answer(response["statusCode"], headers, content, cookies)


def receive_format_1(response: Event, request: Request) -> Answer:
    return receive(response, request, reads=("headers", "multiValueHeaders"))


def receive_format_2(response: Event, request: Request) -> Answer:
    """[HTTP]: no multiValueHeaders; cookies in a list of their own, never among the headers."""
    assert "set-cookie" not in {name.lower() for name in response["headers"]}
    return receive(response, request, reads=("headers", "cookies"))


def receive_load_balancer(response: Event, request: Request) -> Answer:
    """[ALB]: the status must have its reason."""
    assert response["statusDescription"].startswith(f"{response['statusCode']} ")
    return receive(response, request, reads=("headers", "statusDescription"))


def receive_multi_value_load_balancer(response: Event, request: Request) -> Answer:
    """[ALB]: with multi-value headers on, `headers` is not read."""
    return receive(response, request, reads=("multiValueHeaders", "statusDescription"))


SERVICES = [
    Service(
        "REST API",
        "/dev",
        lambda asked: deliver_rest(
            asked, API_HOST, asked.encoded_path, f"/dev{asked.encoded_path}"
        ),
        receive_format_1,
    ),
    Service(
        "REST API on a domain",
        "",
        lambda asked: deliver_rest(asked, DOMAIN, asked.encoded_path, asked.encoded_path),
        receive_format_1,
    ),
    Service(
        "REST API on a domain with a base path",
        "/shop/v1",
        lambda asked: deliver_rest(
            asked, DOMAIN, f"/shop/v1{asked.encoded_path}", f"/shop/v1{asked.encoded_path}"
        ),
        receive_format_1,
    ),
    Service(
        "HTTP API, format 1", "", lambda asked: deliver_http_1(asked, "$default"), receive_format_1
    ),
    Service(
        "HTTP API, format 1, named stage",
        "/dev",
        lambda asked: deliver_http_1(asked, "dev"),
        receive_format_1,
    ),
    Service(
        "HTTP API",
        "",
        lambda asked: deliver_format_2(asked, API_HOST, asked.path, "$default"),
        receive_format_2,
    ),
    Service(
        "HTTP API, named stage",
        "/dev",
        lambda asked: deliver_format_2(asked, API_HOST, f"/dev{asked.path}", "dev"),
        receive_format_2,
    ),
    # [STAGE]: the stage is in the event, though not in the public URL.
    Service(
        "HTTP API, named stage on a domain",
        "",
        lambda asked: deliver_format_2(asked, DOMAIN, f"/dev{asked.path}", "dev"),
        receive_format_2,
    ),
    # [URL] [PATH]: as an HTTP API's, but the path stays encoded.
    Service(
        "function URL",
        "",
        lambda asked: deliver_format_2(asked, URL_HOST, asked.encoded_path, "$default"),
        receive_format_2,
    ),
    Service(
        "load balancer",
        "",
        lambda asked: deliver_load_balancer(asked, is_multi_value=False),
        receive_load_balancer,
    ),
    Service(
        "load balancer, multi-value",
        "",
        lambda asked: deliver_load_balancer(asked, is_multi_value=True),
        receive_multi_value_load_balancer,
    ),
]
# What takes one text for each name has the last one alone, of headers and of the query.
SINGLE_VALUE = {"load balancer"}
