"""One segment for each request or, on Lambda, one subsegment of the function's."""

import logging
import sys
import threading
from collections.abc import Callable, Iterator
from typing import Any

from aws_xray_sdk import global_sdk_config
from aws_xray_sdk.core import xray_recorder
from aws_xray_sdk.core.models import http
from aws_xray_sdk.core.models.entity import Entity
from aws_xray_sdk.core.models.segment import Segment
from aws_xray_sdk.core.models.traceid import TraceId
from aws_xray_sdk.ext.django.middleware import XRayMiddleware as SDKMiddleware
from aws_xray_sdk.ext.util import calculate_sampling_decision, calculate_segment_name
from django.conf import settings
from django.core.signals import got_request_exception
from django.http import FileResponse, HttpRequest, StreamingHttpResponse
from django.http.response import HttpResponseBase
from django.utils.encoding import escape_uri_path

from .context import LambdaContext, open_entities, replace_open_entities
from .current import set_user
from .exceptions import record_failure
from .header import TraceHeader, parse
from .logs import forget_request, remember_request, remember_trace

log = logging.getLogger(__name__)

_cold_start = threading.Lock()  # taken by the first request of the process, and never given back


class XRayMiddleware(SDKMiddleware):  # type: ignore[misc]
    """Opens the segment before everything else and closes it on every path.

    It keeps the SDK's name and place, first in MIDDLEWARE, and replaces what the SDK's does.
    """

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponseBase]) -> None:
        self.get_response = get_response
        self.ignored_paths = tuple(getattr(settings, "TRACING_IGNORED_PATHS", ()))
        self.annotations = dict(getattr(settings, "TRACING_ANNOTATIONS", {}))

    def __call__(self, request: HttpRequest) -> HttpResponseBase:
        remember_request(request)
        header = parse(request.META.get("HTTP_X_AMZN_TRACE_ID"))
        is_ignored = is_among(request.path_info, self.ignored_paths)
        entity = None if is_ignored else begin_request(request, header)
        if entity is None:
            try:
                return self.get_response(request)
            finally:
                forget_request()
        remember_trace(request, entity.trace_id)
        try:
            self._describe_request(entity, request)
            response = self.get_response(request)
        except BaseException as exception:
            # Django turns exceptions into responses; what comes here ends the process.
            record_failure(entity, exception)
            end_request(entity)
            raise
        try:
            describe_response(entity, request, response)
            if entity.trace_id:
                response.headers[http.XRAY_HEADER] = make_response_header(header, entity)
        except Exception:
            log.exception("Could not describe the response to %s.", request.path)
        if isinstance(response, StreamingHttpResponse) and keep_open(response):
            response.streaming_content = Body(response.streaming_content, entity)
        else:
            end_request(entity)
        return response

    def process_exception(self, request: HttpRequest, exception: Exception) -> None:
        """Do nothing: Http404 and PermissionDenied come here too, and are no faults."""

    def _describe_request(self, entity: Entity, request: HttpRequest) -> None:
        """Say who asked for what. What a client may write freely is cut, and never believed."""
        is_cold = _cold_start.acquire(blocking=False)
        if not entity.sampled:
            return
        meta = request.META
        host = meta.get("HTTP_HOST") or meta.get("SERVER_NAME", "")
        entity.put_http_meta(http.URL, f"{request.scheme}://{host}{escape_uri_path(request.path)}")
        entity.put_http_meta(http.METHOD, request.method)
        entity.put_http_meta(http.USER_AGENT, meta.get("HTTP_USER_AGENT"))
        # REMOTE_ADDR comes from the server or the gateway; X-Forwarded-For is the client's word.
        entity.put_http_meta(http.CLIENT_IP, meta.get("REMOTE_ADDR"))
        for key, value in self.annotations.items():
            entity.put_annotation(key, value)
        if is_on_lambda():
            entity.put_annotation("cold_start", is_cold)


def is_among(path: str, ignored_paths: tuple[str, ...]) -> bool:
    """Return whether a path is one of these, or lies in one that ends with a slash."""
    return any(
        path == ignored or (ignored.endswith("/") and path.startswith(ignored))
        for ignored in ignored_paths
    )


def is_on_lambda() -> bool:
    """Return whether the recorder runs in a Lambda function."""
    return isinstance(xray_recorder.context, LambdaContext)


def begin_request(request: HttpRequest, header: TraceHeader) -> Entity | None:
    """Open the request's segment, or its subsegment on Lambda.

    None where AWS_XRAY_SDK_ENABLED switches tracing off, and where tracing itself fails.
    """
    if not global_sdk_config.sdk_enabled():
        return None
    try:
        name = calculate_segment_name(request.META.get("HTTP_HOST"), xray_recorder)
        if is_on_lambda():
            return xray_recorder.begin_subsegment(name)
        # What a request before this one may have left in the thread is not ours.
        replace_open_entities(())
        segment: Entity = xray_recorder.begin_segment(
            name=name,
            traceid=header.root,
            parent_id=header.parent,
            sampling=decide_sampling(request, header, name),
        )
        if not segment.sampled:
            # Not sent, but known: the log and what is called downstream carry the true id.
            segment.trace_id = header.root or TraceId().to_id()
        segment.save_origin_trace_header(header)
    except Exception:
        log.exception("Could not begin a segment for %s; it goes untraced.", request.path)
        return None
    return segment


def decide_sampling(request: HttpRequest, header: TraceHeader, name: str) -> Any:
    """Return 0, 1 or the name of the sampling rule; 1 if the sampler fails."""
    try:
        return calculate_sampling_decision(
            trace_header=header,
            recorder=xray_recorder,
            sampling_req={
                "host": request.META.get("HTTP_HOST"),
                "method": request.method,
                "path": request.path,
                "service": name,
            },
        )
    except Exception:
        log.exception("The sampler failed; the request is traced.")
        return 1


def describe_response(entity: Entity, request: HttpRequest, response: HttpResponseBase) -> None:
    """Say what was answered: status, length, the route, the user."""
    if not entity.sampled or not entity.in_progress:
        return
    entity.put_http_meta(http.STATUS, response.status_code)
    if not response.streaming:
        entity.put_http_meta(http.CONTENT_LENGTH, len(getattr(response, "content", b"")))
    match = request.resolver_match
    if match is not None and match.view_name:
        entity.put_annotation("route", match.view_name)
    user = read_user(request)
    if user is not None:
        set_user(user)


def read_user(request: HttpRequest) -> str | None:
    """Return the id of the signed-in user, without a query if the view did not ask for the user."""
    user = getattr(request, "_cached_user", None)
    if user is not None:
        return str(user.pk) if user.is_authenticated else None
    session = getattr(request, "session", None)
    if session is None or settings.SESSION_COOKIE_NAME not in request.COOKIES:
        return None
    user_id = session.get("_auth_user_id")
    return None if user_id is None else str(user_id)


def make_response_header(header: TraceHeader, entity: Entity) -> str:
    """Return the header that tells the client its trace."""
    value = f"Root={entity.trace_id}"
    # A client that asked gets the decision with it.
    return f"{value};Sampled={int(bool(entity.sampled))}" if header.sampled == "?" else value


def keep_open(response: StreamingHttpResponse) -> bool:
    """Return whether the body does work of its own, which belongs to the trace."""
    return not response.is_async and not isinstance(response, FileResponse)


def end_request(entity: Entity) -> None:
    """Close what the view left open, then the request itself, and leave nothing behind."""
    try:
        close_beneath(entity)
        # A view may have begun a segment of its own, or ended ours: neither must lose the request.
        if entity.in_progress:
            replace_open_entities((entity,))
            if isinstance(entity, Segment):
                xray_recorder.end_segment()
            else:
                xray_recorder.end_subsegment()
    except Exception:
        log.exception("Could not end the segment %r.", entity.name)
    finally:
        xray_recorder.clear_trace_entities()
        forget_request()


def close_beneath(entity: Entity) -> None:
    """Close every subsegment that is still open, the innermost first."""
    for child in list(entity.subsegments):
        close_beneath(child)
        if child.in_progress:
            child.close()


class Body:
    """A streaming body that is part of its request's trace: it ends the segment when it ends."""

    def __init__(self, chunks: Any, entity: Entity) -> None:
        self._chunks: Iterator[bytes] = iter(chunks)
        self._entity = entity
        # Between two chunks the thread may serve somebody else: the trace is put away.
        self._entities = replace_open_entities(())
        self._is_open = True

    def __iter__(self) -> "Body":
        return self

    def __next__(self) -> bytes:
        before = replace_open_entities(self._entities)
        try:
            return next(self._chunks)
        except StopIteration:
            self._finish()
            raise
        except BaseException as exception:
            record_failure(self._entity, exception)
            self._finish()
            raise
        finally:
            self._entities = replace_open_entities(before)

    def close(self) -> None:
        """End the segment, if the client went away before the body ended."""
        before = replace_open_entities(self._entities)
        try:
            close = getattr(self._chunks, "close", None)
            if close is not None:
                close()
        finally:
            self._finish()
            replace_open_entities(before)

    def _finish(self) -> None:
        if self._is_open:
            self._is_open = False
            end_request(self._entity)


def record_unhandled(sender: object, request: HttpRequest | None = None, **kwargs: object) -> None:
    """Put an exception that nobody handled, in a view or in a middleware, on the request."""
    exception = sys.exc_info()[1]
    entities = open_entities()
    if exception is not None and entities:
        record_failure(entities[0], exception)


got_request_exception.connect(record_unhandled, dispatch_uid="tracing.middleware")

__all__ = ["XRayMiddleware"]
