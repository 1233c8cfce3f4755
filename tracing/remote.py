"""A subsegment for each HTTP request that Python sends, and the trace header on it.

`requests`, urllib3 and urllib.request; botocore's requests belong to its calls. One that sends for
another is not told twice: nothing is recorded beneath a request.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any
from urllib.parse import urlsplit

from aws_xray_sdk.core.models import http

from .context import begin, current_entity, get_innermost
from .exceptions import record_failure
from .harmless import harmless, tell_failure
from .subsegments import end
from .wrapping import when_imported, wrap

UNKNOWN_HOST = "unknown host"
DEFAULT_PORTS = {"http": 80, "https": 443}
BOTOCORE = "botocore.awsrequest"
# As urllib.request spells the names of headers, so that ours goes over one that is there.
URLLIB_HEADER = http.XRAY_HEADER.capitalize()


def install() -> None:
    """Trace each of the three when it is imported."""
    # The adapter sends each redirect on its own: every host gets its own node on the map.
    when_imported(
        "requests.adapters", lambda module: wrap(module.HTTPAdapter, "send", trace_requests)
    )
    when_imported(
        "urllib3.connectionpool",
        lambda module: wrap(module.HTTPConnectionPool, "urlopen", trace_urllib3),
    )
    # What sends one request; redirects, refusals and credentials are dealt with above it.
    when_imported(
        "urllib.request", lambda module: wrap(module.AbstractHTTPHandler, "do_open", trace_urllib)
    )


def trace_requests(send: Any) -> Any:
    """Return `HTTPAdapter.send` with a subsegment around it, named after the host."""

    def send_request(adapter: Any, request: Any, *args: Any, **kwargs: Any) -> Any:
        subsegment = begin(read_host(request.url), "remote", True)
        pass_header_on(request.headers)
        if subsegment is None:
            return send(adapter, request, *args, **kwargs)
        return record(
            subsegment,
            request.method,
            request.url,
            lambda: send(adapter, request, *args, **kwargs),
        )

    return send_request


def trace_urllib3(send: Any) -> Any:
    """Return `HTTPConnectionPool.urlopen` with a subsegment around it, retries included.

    A pool that is asked to follow redirects itself stays with its host, in one subsegment; a
    PoolManager asks once for each. The body of a response that is not preloaded comes later.
    """

    def urlopen(
        pool: Any,
        method: Any,
        url: Any,
        body: Any = None,
        headers: Any = None,
        *args: Any,
        **kwargs: Any,
    ) -> Any:
        entity = current_entity()
        if entity is None or entity.is_leaf or type(pool).__module__ == BOTOCORE:
            return send(pool, method, url, body, headers, *args, **kwargs)
        address = make_address(pool, url)
        subsegment = begin(read_host(address), "remote", True)
        headers = add_header(pool.headers if headers is None else headers)
        if subsegment is None:
            return send(pool, method, url, body, headers, *args, **kwargs)
        return record(
            subsegment,
            method,
            address,
            lambda: send(pool, method, url, body, headers, *args, **kwargs),
        )

    return urlopen


def trace_urllib(send: Any) -> Any:
    """Return `AbstractHTTPHandler.do_open` of urllib.request with a subsegment around it."""

    def do_open(handler: Any, http_class: Any, req: Any, **kwargs: Any) -> Any:
        if current_entity() is None:
            return send(handler, http_class, req, **kwargs)
        subsegment = begin(read_host(req.full_url), "remote", True)
        # The request is the caller's, who may send it again elsewhere.
        own = req.unredirected_hdrs
        req.unredirected_hdrs = dict(own)
        pass_header_on(req.unredirected_hdrs, URLLIB_HEADER)
        try:
            if subsegment is None:
                return send(handler, http_class, req, **kwargs)
            return record(
                subsegment,
                req.get_method(),
                req.full_url,
                lambda: send(handler, http_class, req, **kwargs),
            )
        finally:
            req.unredirected_hdrs = own

    return do_open


def record(subsegment: Any, method: Any, url: Any, send: Callable[[], Any]) -> Any:
    """Send a request, say on the subsegment what became of it, and end that."""
    try:
        subsegment.put_http_meta(http.URL, url)
        subsegment.put_http_meta(http.METHOD, method)
        response = send()
        describe_response(subsegment, response)
        return response
    except BaseException as exception:
        record_failure(subsegment, exception, is_remote=True)
        raise
    finally:
        end(subsegment)


@harmless()
def describe_response(subsegment: Any, response: Any) -> None:
    """Say what was answered."""
    status = getattr(response, "status_code", None) or getattr(response, "status", None)
    subsegment.put_http_meta(http.STATUS, status)
    length = response.headers.get("Content-Length") or ""
    if length.isascii() and length.isdigit():
        subsegment.put_http_meta(http.CONTENT_LENGTH, int(length))


def make_address(pool: Any, url: Any) -> str:
    """Return the whole URL of a path on the host of a pool; a proxy's pool is given it whole."""
    if not isinstance(url, str) or not url.startswith("/"):
        return str(url)
    host = f"[{pool.host}]" if ":" in str(pool.host) else pool.host
    is_default = pool.port is None or pool.port == DEFAULT_PORTS.get(pool.scheme)
    return f"{pool.scheme}://{host}{url if is_default else f':{pool.port}{url}'}"


def read_host(url: str) -> str:
    """Return the host that a URL names."""
    try:
        return urlsplit(url).hostname or UNKNOWN_HOST
    except ValueError:
        return UNKNOWN_HOST


def add_header(headers: Any) -> Any:
    """Return a copy of a caller's headers, which may be any mapping, with the tracing header."""
    try:
        ours: dict[str, str] = {}
        pass_header_on(ours)
        if not ours:
            return headers
        made = headers.copy() if hasattr(headers, "copy") else dict(headers)
        known = http.XRAY_HEADER.lower()
        for name in [name for name in made if isinstance(name, str) and name.lower() == known]:
            made.pop(name)
        made.update(ours)
        return made
    except Exception:
        tell_failure("passing the trace on")
        return headers


def pass_header_on(headers: Any, name: str = http.XRAY_HEADER) -> None:
    """Tell the service that is called which trace it is in; not sampled, as we were told ourselves.

    Source: https://docs.aws.amazon.com/xray/latest/devguide/xray-concepts.html#xray-concepts-tracingheader
    """
    try:
        entity = get_innermost() or current_entity()
        if entity is None:
            return
        if not entity.in_progress:
            request = entity.request
            # A thread that outlived its request is in that trace no longer.
            if request is None or not request.in_progress:
                return
        # As it came, if it is silent: nothing is to be put together.
        made = (entity.is_silent and entity.header.text) or make_header(entity)
        if made:
            headers[name] = made
    except Exception:
        tell_failure("passing the trace on")


def make_header(entity: Any) -> str:
    """Return the tracing header for what is called beneath an entity; empty outside any trace."""
    if entity.sampled:
        # Of a request; the function's segment, beneath which none is open, stands for itself.
        request = entity.request or entity
        return f"Root={request.trace_id};Parent={entity.id};Sampled=1{request.header.rest}"
    header = entity.header
    if header.text or not header.root:
        return str(header.text)
    made = f"Root={header.root}"
    if header.parent:
        made += f";Parent={header.parent}"
    if header.sampled is not None:
        made += f";Sampled={header.sampled}"
    return f"{made}{header.rest}"
