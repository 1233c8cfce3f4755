"""A subsegment for each HTTP request that `requests` sends, and the trace header on it."""

from typing import Any
from urllib.parse import urlsplit

import wrapt
from aws_xray_sdk.core.models import http
from aws_xray_sdk.core.models.entity import Entity

from .exceptions import record_failure
from .subsegments import begin, end


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
    subsegment = begin(urlsplit(request.url).hostname or "unknown host", "remote")
    if subsegment is None:
        return send(*arguments, **keywords)
    inject_header(request.headers, subsegment)
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
        if subsegment.sampled:
            subsegment.put_http_meta(http.URL, request.url)
            subsegment.put_http_meta(http.METHOD, request.method)
        end(subsegment)


def inject_header(headers: Any, subsegment: Entity) -> None:
    """Tell the service that is called which trace it is in; not sampled, as we were told ourselves.

    Source: https://docs.aws.amazon.com/xray/latest/devguide/xray-concepts.html#xray-concepts-tracingheader
    """
    origin = subsegment.parent_segment.get_origin_trace_header()
    fields = [f"Root={subsegment.trace_id}"]
    if subsegment.sampled:
        fields += [f"Parent={subsegment.id}", "Sampled=1"]
    elif origin is not None:
        fields += [f"Parent={origin.parent}"] if origin.parent else []
        fields += [f"Sampled={origin.sampled}"] if origin.sampled is not None else []
    fields += [f"{key}={value}" for key, value in ((origin and origin.data) or {}).items()]
    headers[http.XRAY_HEADER] = ";".join(fields)
