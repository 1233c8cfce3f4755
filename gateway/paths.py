"""Where the application stands, and which of its paths is asked for.

SCRIPT_NAME is what stands before the application's own paths in the public URL: the stage, or the
base path of a custom domain. With it every link and redirect of the application is right, and it
is found in the event itself.
"""

import re
from typing import Any
from urllib.parse import quote, unquote

from .fields import read_map, read_text
from .sources import Event, Source

# Looked up at each event: an Enum's own way takes longer.
REST_API, HTTP_API, FUNCTION_URL = Source.REST_API, Source.HTTP_API, Source.FUNCTION_URL
HTTP_API_FORMAT_1 = Source.HTTP_API_FORMAT_1
PARAMETER = re.compile(r"\{(\w+)\+?\}")
# With the percent sign: what is encoded already must not be encoded again.
URL_CHARACTERS = "".join(map(chr, range(ord("!"), ord("~") + 1)))


def split_path(event: Event, context: dict[str, Any], source: Source) -> tuple[str, str]:
    """Return SCRIPT_NAME and the rest of the path, both percent-encoded: ('/dev', '/movies/').

    context: the event's requestContext.
    """
    if source is REST_API:
        path = read_text(event, "path") or "/"
        public_path = read_text(context, "path")
        if (
            path != "/"
            and public_path.endswith(path)
            and public_path != path
            and public_path.isascii()
            and public_path.isprintable()
        ):
            # By far the most requests: the API's own host, and nothing to be quoted.
            return public_path[: -len(path)], path
        prefix, script_name = find_rest_prefix(event, context, path, public_path)
    elif source is HTTP_API or source is HTTP_API_FORMAT_1:
        path = read_text(event, "rawPath" if source.is_format_2 else "path") or "/"
        prefix, script_name = find_http_prefix(event, context, path)
        # It is delivered decoded: its percent signs are characters of its own.
        # https://github.com/middleapi/standard-server/pull/93
        path = path.replace("%", "%25")
        prefix = prefix.replace("%", "%25")
        script_name = script_name.replace("%", "%25")
    else:
        # A function URL and a load balancer pass the public path on as it is.
        path = read_text(event, "rawPath" if source is FUNCTION_URL else "path") or "/"
        prefix = script_name = ""
    if prefix:
        path = path.removeprefix(prefix) or "/"
    return quote_rest(script_name), quote_rest(path)


def quote_rest(text: str) -> str:
    """Return text with what no URL may hold percent-encoded, and all else as it is."""
    return text if text.isascii() and text.isprintable() else quote(text, safe=URL_CHARACTERS)


def find_rest_prefix(
    event: Event, context: dict[str, Any], path: str, public_path: str
) -> tuple[str, str]:
    """Return what precedes the application's paths on a REST API: in `path`, in the public URL.

    On the API's own host `path` lacks the stage, and requestContext.path has it. On a custom
    domain both have the base path, which is what the resource does not account for.
    Source: https://github.com/aws-powertools/powertools-lambda-python/pull/579
    """
    if path == "/" and public_path:
        public_path = public_path.rstrip("/") + "/"
    if public_path != path:
        if public_path.endswith(path):
            return "", public_path[: -len(path)]
        if is_api_host(context):
            return "", f"/{read_text(context, 'stage')}".rstrip("/")
    resource = read_text(event, "resource")
    base_path = find_base_path(path, resource, read_map(event, "pathParameters"))
    return base_path, base_path


def find_http_prefix(event: Event, context: dict[str, Any], path: str) -> tuple[str, str]:
    """Return what precedes the application's paths on an HTTP API: in its path, in the public URL.

    The path has a named stage even on a custom domain, whose public URL does not have it; whether
    that has a mapping's key in its place, no event tells.
    Sources: https://github.com/aws-powertools/powertools-lambda-python/issues/621
    https://github.com/CodeGenieApp/serverless-express/issues/465
    """
    stage = read_text(context, "stage")
    # 'ANY /{proxy+}' or '$default'; in format 1.0 without the method.
    route = read_text(event, "routeKey") or read_text(event, "resource")
    if "/" in route:
        route = route.rpartition(" ")[2]
        prefix = find_base_path(path, route, read_map(event, "pathParameters"))
    elif stage and stage != "$default" and f"{path}/".startswith(f"/{stage}/"):
        prefix = f"/{stage}"
    else:
        return "", ""
    is_public = prefix != f"/{stage}" or is_api_host(context)
    return prefix, prefix if is_public else ""


def is_api_host(context: dict[str, Any]) -> bool:
    """Return whether the request came to the API's own host, where the stage is in the URL."""
    return ".execute-api." in read_text(context, "domainName")


def find_base_path(path: str, resource: str, parameters: dict[str, Any]) -> str:
    """Return what stands in the path before the resource, filled with its parameters.

    `/shop/movies/` less `/{proxy+}` with `movies` is `/shop`. The parameters may come decoded.
    """

    def fill(match: re.Match[str]) -> str:
        return read_text(parameters, match[1]) or match[0]

    filled = PARAMETER.sub(fill, resource).rstrip("/")
    for candidate in (path.rstrip("/"), unquote(path).rstrip("/")):
        if resource and candidate.endswith(filled):
            base_path = candidate.removesuffix(filled).rstrip("/")
            return base_path if path.startswith(base_path) else ""
    return ""
