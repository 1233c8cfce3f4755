"""A subsegment for each HTTP request that `requests` sends, and the trace header on it."""

from typing import Any
from urllib.parse import urlsplit

import wrapt
from aws_xray_sdk.core.models import http

from .context import current_entity
from .exceptions import record_failure
from .subsegments import begin_leaf, end


def install() -> None:
    """Trace `requests` when it is imported: a process that never does pays nothing."""
    wrapt.register_post_import_hook(_wrap_adapter, "requests.adapters")


def _wrap_adapter(module: Any) -> None:
    if is_wrapped(module.HTTPAdapter.send, record_request):
        return
    # The adapter sends each redirect on its own: every host gets its own node on the map.
    wrapt.wrap_function_wrapper(module, "HTTPAdapter.send", record_request)


def is_wrapped(function: Any, wrapper: Any) -> bool:
    """Return whether a function already has this wrapper."""
    return getattr(function, "_self_wrapper", None) is wrapper


def record_request(
    send: Any, adapter: Any, arguments: tuple[Any, ...], keywords: dict[str, Any]
) -> Any:
    """Send one request in a subsegment named after its host."""
    request = arguments[0] if arguments else keywords["request"]
    subsegment = begin_leaf(urlsplit(request.url).hostname or "unknown host", "remote")
    pass_header_on(request.headers)
    if subsegment is None:
        return send(*arguments, **keywords)
    try:
        response = send(*arguments, **keywords)
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
        subsegment.put_http_meta(http.URL, request.url)
        subsegment.put_http_meta(http.METHOD, request.method)
        end(subsegment)


def pass_header_on(headers: Any) -> None:
    """Tell the service that is called which trace it is in; not sampled, as we were told ourselves.

    Source: https://docs.aws.amazon.com/xray/latest/devguide/xray-concepts.html#xray-concepts-tracingheader
    """
    entity = current_entity()
    value = entity and make_header(entity)
    if value:
        headers[http.XRAY_HEADER] = value


def make_header(entity: Any) -> str:
    """Return the tracing header for what is called beneath an entity; empty without a trace."""
    if not entity.trace_id:
        return ""
    header = entity.parent_segment.header
    fields = [f"Root={entity.trace_id}"]
    if entity.sampled:
        fields += [f"Parent={entity.id}", "Sampled=1"]
    elif header is not None:
        fields += [f"Parent={header.parent}"] if header.parent else []
        fields += [f"Sampled={header.sampled}"] if header.sampled is not None else []
    fields += [f"{key}={value}" for key, value in ((header and header.data) or {}).items()]
    return ";".join(fields)
