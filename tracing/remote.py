"""A subsegment for each HTTP request that `requests` sends, and the trace header on it."""

from typing import Any
from urllib.parse import urlsplit

from aws_xray_sdk.core.models import http

from .context import current_entity
from .exceptions import record_failure
from .subsegments import begin, end
from .wrapping import when_imported, wrap


def install() -> None:
    """Trace `requests` when it is imported."""
    # The adapter sends each redirect on its own: every host gets its own node on the map.
    when_imported("requests.adapters", lambda module: wrap(module.HTTPAdapter, "send", trace))


def trace(send: Any) -> Any:
    """Return `HTTPAdapter.send` with a subsegment around it, named after the host."""

    def send_request(adapter: Any, request: Any, *args: Any, **kwargs: Any) -> Any:
        host = urlsplit(request.url).hostname or "unknown host"
        subsegment = begin(host, "remote", is_leaf=True)
        pass_header_on(request.headers)
        if subsegment is None:
            return send(adapter, request, *args, **kwargs)
        subsegment.put_http_meta(http.URL, request.url)
        subsegment.put_http_meta(http.METHOD, request.method)
        try:
            response = send(adapter, request, *args, **kwargs)
        except BaseException as exception:
            record_failure(subsegment, exception, is_remote=True)
            raise
        else:
            subsegment.put_http_meta(http.STATUS, response.status_code)
            length = response.headers.get("Content-Length", "")
            if length.isascii() and length.isdigit():
                subsegment.put_http_meta(http.CONTENT_LENGTH, int(length))
            return response
        finally:
            end(subsegment)

    return send_request


def pass_header_on(headers: Any) -> None:
    """Tell the service that is called which trace it is in; not sampled, as we were told ourselves.

    Source: https://docs.aws.amazon.com/xray/latest/devguide/xray-concepts.html#xray-concepts-tracingheader
    """
    entity = current_entity()
    if entity is not None and entity.trace_id:
        headers[http.XRAY_HEADER] = make_header(entity)


def make_header(entity: Any) -> str:
    """Return the tracing header for what is called beneath an entity of a trace."""
    header = entity.parent_segment.header
    if entity.sampled:
        made = f"Root={entity.trace_id};Parent={entity.id};Sampled=1"
    else:
        made = f"Root={entity.trace_id}"
        if header.parent:
            made += f";Parent={header.parent}"
        if header.sampled is not None:
            made += f";Sampled={header.sampled}"
    if header is not None and header.data:
        made += "".join([f";{key}={value}" for key, value in header.data.items()])
    return made
