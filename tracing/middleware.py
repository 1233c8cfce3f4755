"""One segment for each request or, on Lambda, one subsegment of the function's."""

from __future__ import annotations

import json
import re
import sys
from collections.abc import AsyncIterator, Callable, Iterator
from contextvars import copy_context
from functools import lru_cache
from time import perf_counter
from typing import Any

from asgiref.sync import iscoroutinefunction, markcoroutinefunction
from aws_xray_sdk import global_sdk_config
from aws_xray_sdk.core import xray_recorder
from aws_xray_sdk.core.models import http
from django.conf import settings
from django.core.exceptions import DisallowedHost
from django.core.signals import got_request_exception
from django.http import FileResponse, HttpRequest, StreamingHttpResponse
from django.http.response import HttpResponseBase
from django.utils.encoding import escape_uri_path
from django.utils.functional import LazyObject, empty

from .context import LambdaContext, get_innermost, put_current, request_entity, set_innermost
from .current import set_user
from .documents import KEPT_CHARACTERS, NOT_CLEAN_IN_A_URL, clean_http, quote
from .entities import UnsampledSegment, make_trace_id
from .exceptions import record_failure
from .harmless import tell_failure
from .header import TraceHeader, parse
from .logs import forget_request, remember_request
from .redaction import MAX_HTTP_CHARACTERS, redact_text, redact_url
from .settings import Settings
from .settings import current as current_settings

# What needs no escaping, which takes longer than all else that is said of a request.
HEADER_KEY = http.XRAY_HEADER.lower()
PLAIN_PATH = re.compile(r"[A-Za-z0-9/_.~-]*")
# In the environ of the request that gateway.warm_up makes: nobody has sent it.
WARM_UP = "gateway.is_warm_up"
_cold_starts = [True]  # taken by the first request of the process, and never given back


class XRayMiddleware:
    """Opens the segment before everything else and closes it on every path.

    It has the name of the SDK's and its place, first in MIDDLEWARE.
    """

    sync_capable = True
    async_capable = True

    def __init__(self, get_response: Callable[[HttpRequest], Any]) -> None:
        self.get_response = get_response
        self._is_async = iscoroutinefunction(get_response)
        if self._is_async:
            markcoroutinefunction(self)

    def __call__(self, request: HttpRequest) -> Any:
        if self._is_async:
            return self._answer_async(request)
        entity = begin_request(request)
        try:
            response: HttpResponseBase = self.get_response(request)
        except BaseException as exception:
            # Django turns exceptions into responses; what comes here ends the process.
            fail_request(entity, exception)
            raise
        return answer_request(entity, request, response)

    async def _answer_async(self, request: HttpRequest) -> HttpResponseBase:
        entity = begin_request(request)
        if entity is not None:
            entity.request.is_async = True
        try:
            response: HttpResponseBase = await self.get_response(request)
        except BaseException as exception:
            fail_request(entity, exception)
            raise
        return answer_request(entity, request, response)


def begin_request(request: HttpRequest) -> Any:
    """Open the request's segment, or its subsegment on Lambda, and say what is asked for.

    None where AWS_XRAY_SDK_ENABLED switches tracing off, where the path is ignored, and where
    tracing itself fails.
    """
    try:
        ids = remember_request(request)
        if not global_sdk_config.sdk_enabled():
            return None
        known = current_settings()
        if get_innermost() is not None:
            # What a request before this one may have left in the thread is not ours.
            set_innermost(None)
        if known.ignored_paths and is_ignored(request.path_info, known):
            entity = xray_recorder._context.put_untraced()
        else:
            entity = _open(request)
        is_cold = bool(_cold_starts) and WARM_UP not in request.META and take_cold_start()
        trace_id = entity.trace_id
        if trace_id:
            ids.trace_id = trace_id
        if entity.sampled:
            _describe_request(entity, request, known, is_cold)
        else:
            entity.is_silent = True
    except Exception:
        tell_failure("beginning a segment for a request")
        # The view may still ask for the current segment.
        entity = xray_recorder._context.put_untraced()
    return entity


def _open(request: HttpRequest) -> Any:
    naming = xray_recorder._dynamic_naming
    name = naming.get_name(read_host(request)) if naming else xray_recorder._service
    context = xray_recorder._context
    if isinstance(context, LambdaContext):
        return context.begin_request(name)
    header = parse(request.META.get("HTTP_X_AMZN_TRACE_ID"))
    sampled = header.sampled
    decision = sampled if sampled in (0, 1) else decide_sampling(request, name)
    if decision:
        entity = xray_recorder.make_segment(name, header.root, header.parent, decision)
        entity.header = header
    elif header.root:
        entity = UnsampledSegment(name, header)
    else:
        known = TraceHeader(make_trace_id(), header.parent, 0, header.rest)
        entity = UnsampledSegment(name, known)
    set_innermost(entity)
    return entity


def read_host(request: HttpRequest) -> str | None:
    """Return the host that is asked for; None for one that is not among ALLOWED_HOSTS."""
    try:
        return request.get_host()
    except DisallowedHost:
        return None


def is_ignored(path: str, known: Settings) -> bool:
    """Return whether a path is one of those that make no trace, or beneath one."""
    return path in known.ignored_paths or path.startswith(known.ignored_folders)


def take_cold_start() -> bool:
    """Return True to the first that asks, in this process."""
    try:
        return _cold_starts.pop()
    except IndexError:
        return False


def decide_sampling(request: HttpRequest, name: str) -> Any:
    """Return 0, 1 or the name of the sampling rule; 1 if the sampler fails."""
    if not xray_recorder._sampling:
        return 1
    try:
        return (
            xray_recorder.sampler.should_trace(
                {
                    "host": request.META.get("HTTP_HOST"),
                    "method": request.method,
                    "path": request.path,
                    "service": name,
                }
            )
            or 0
        )
    except Exception:
        tell_failure("asking the sampler; the request is traced")
        return 1


def _describe_request(entity: Any, request: HttpRequest, known: Any, is_cold: bool) -> None:
    """Say who asked for what. What a client may write freely is cut, and never believed."""
    meta = request.META
    host = meta.get("HTTP_HOST") or meta.get("SERVER_NAME", "")
    path = request.path
    if PLAIN_PATH.fullmatch(path) is None:
        # What follows a semicolon are parameters, such as a session's id.
        path = escape_uri_path(path.partition(";")[0])
    url = f'{write_origin(request.scheme, host)}{path}"'
    if len(url) > MAX_HTTP_CHARACTERS:
        url = quote(clean_http("url", f"{request.scheme}://{host}{path}"))
    asked = f'"url":{url},"method":{write_short(request.method or "")}'
    # REMOTE_ADDR comes from the server or the gateway; X-Forwarded-For is the client's word.
    agent, address = meta.get("HTTP_USER_AGENT"), meta.get("REMOTE_ADDR")
    told = "" if agent is None else f',"user_agent":{write_agent(agent)}'
    if address:
        told += f',"client_ip":{quote(address)}'
    # The answer is put behind it, and so it is the last.
    entity.text += f',"http":{{"request":{{{asked}{told}}}}}'
    notes = known.notes
    where = known.urls_as_annotation
    is_on_lambda = entity.type == "subsegment"
    if is_on_lambda:
        notes += ',"cold_start":true' if is_cold else ',"cold_start":false'
        if where == "LAMBDA":
            notes += f",{asked}"
    if where == "ALL":
        notes += f",{asked}"
    entity.notes = notes
    if known.in_progress_first and is_on_lambda:
        xray_recorder.emitter.send_entity(entity)
        # It goes again when it has ended, in the place of this one.
        entity.is_sent = False


@lru_cache(maxsize=512)
def write_origin(scheme: str | None, host: str) -> str:
    """Return scheme and host as the beginning of a text in JSON, without credentials."""
    origin = f"{scheme}://{host}"
    if not NOT_CLEAN_IN_A_URL.isdisjoint(origin):
        origin = redact_url(origin)
    return quote(origin)[:-1]


def write_agent(agent: str) -> str:
    """Return a client's name for itself as JSON, without secrets."""
    if len(agent) > KEPT_CHARACTERS:
        return quote(redact_text(agent)[:MAX_HTTP_CHARACTERS])
    return write_short(agent)


@lru_cache(maxsize=512)
def write_short(text: str) -> str:
    """Return a text that comes again and again as JSON, without secrets."""
    return quote(redact_text(text)[:MAX_HTTP_CHARACTERS])


def answer_request(
    entity: Any, request: HttpRequest, response: HttpResponseBase
) -> HttpResponseBase:
    """Say what was answered, and end the request, or leave that to the end of its body."""
    if entity is None:
        forget_request()
        return response
    try:
        if entity.sampled:
            describe_response(entity, request, response)
        trace_id = entity.trace_id
        if trace_id:
            # The header that tells the client its trace; one that asked gets the decision with it.
            told = f"Root={trace_id}"
            if "Sampled=?" in request.META.get("HTTP_X_AMZN_TRACE_ID", ""):
                told += f";Sampled={int(entity.sampled)}"
            # Past what Django looks for in a header: this is text, of one line.
            response.headers._store[HEADER_KEY] = (http.XRAY_HEADER, told)
        if isinstance(response, StreamingHttpResponse) and is_work(response):
            make_body = AsyncBody if response.is_async else Body
            response.streaming_content = make_body(response.streaming_content, entity)
            return response
    except Exception:
        tell_failure("describing a response")
    if entity.sampled:
        end_request(entity)
    else:
        entity.in_progress = entity.is_silent = False
        set_innermost(None)
        forget_request()
    return response


def describe_response(entity: Any, request: HttpRequest, response: HttpResponseBase) -> None:
    """Say what was answered: status, length, the route, the user."""
    if not entity.in_progress:
        return
    status = response.status_code
    if status >= 400:
        entity.apply_status_code(status)
    answered = f'"status":{status:d}'
    if not response.streaming:
        answered += f',"content_length":{len(getattr(response, "content", b""))}'
    match = request.resolver_match
    route = match.view_name if match is not None else None
    if entity.has_blocks or '"route":' in entity.notes:
        # Somebody has looked at what was said of the request, or has put something beside it.
        entity.http["response"] = json.loads(f"{{{answered}}}")
        if route:
            entity.annotations["route"] = route
    else:
        entity.text = f'{entity.text[:-1]},"response":{{{answered}}}}}'
        if route:
            entity.notes += f',"route":{quote(route)}'
    user = read_user(request)
    if user is not None:
        set_user(user)


def read_user(request: HttpRequest) -> str | None:
    """Return the id of the signed-in user, without a query if the view did not ask for the user."""
    user = request.__dict__.get("user")
    if isinstance(user, LazyObject) and user._wrapped is empty:  # type: ignore[attr-defined]
        user = getattr(request, "_acached_user", None)
    if user is not None:
        return str(user.pk) if user.is_authenticated else None
    session = getattr(request, "session", None)
    if session is None or settings.SESSION_COOKIE_NAME not in request.COOKIES:
        return None
    # One that the view did not look at stays unread.
    cached = getattr(session, "_session_cache", None) or {}
    user_id = cached.get("_auth_user_id")
    return None if user_id is None else str(user_id)


def is_work(response: StreamingHttpResponse) -> bool:
    """Return whether the body does work of its own, which belongs to the trace."""
    return not isinstance(response, FileResponse)


def fail_request(entity: Any, exception: BaseException) -> None:
    """End a request that was not answered."""
    if entity is None:
        forget_request()
        return
    record_failure(entity, exception)
    end_request(entity)


def end_request(entity: Any) -> None:
    """End the request with all that the view left open, and leave nothing behind."""
    try:
        if not entity.sampled:
            entity.in_progress = entity.is_silent = False
        elif entity.in_progress:
            if get_innermost() is entity and not entity.iterations and not entity.is_sent:
                # By far the most: nothing is open beneath it.
                entity.end_time = entity.clock + perf_counter()
                entity.in_progress = False
                xray_recorder._emitter.send_entity(entity)
            else:
                xray_recorder.end_entity(entity)
    except Exception:
        tell_failure("ending a request")
    finally:
        set_innermost(None)
        forget_request()


class _Body:
    """A streaming body that is part of its request's trace: it ends the segment when it ends."""

    def __init__(self, chunks: Any, entity: Any) -> None:
        self._chunks = chunks
        self._entity = entity
        # Between two chunks the thread may serve somebody else: the trace is put away.
        self._inner = put_current(None)
        self._is_open = True

    def _finish(self) -> None:
        if self._is_open:
            self._is_open = False
            end_request(self._entity)

    def _abandon(self) -> None:
        """End the segment from anywhere: this may be another's thread, in the midst of its work."""
        if self._is_open:
            copy_context().run(self._finish_inner)

    def _finish_inner(self) -> None:
        set_innermost(self._inner)
        self._finish()

    def __del__(self) -> None:
        self._abandon()


class Body(_Body):
    """The body of a synchronous view."""

    def __init__(self, chunks: Any, entity: Any) -> None:
        super().__init__(chunks, entity)
        self._iterator: Iterator[bytes] = iter(chunks)

    def __iter__(self) -> Body:
        return self

    def __next__(self) -> bytes:
        before = put_current(self._inner)
        try:
            return next(self._iterator)
        except StopIteration:
            self._finish()
            raise
        except BaseException as exception:
            record_failure(self._entity, exception)
            self._finish()
            raise
        finally:
            self._inner = put_current(before)

    def close(self) -> None:
        """End the segment, if the client went away before the body ended."""
        before = put_current(self._inner)
        try:
            close = getattr(self._chunks, "close", None)
            if close is not None:
                close()
        finally:
            self._finish()
            put_current(before)


class AsyncBody(_Body):
    """The body of an asynchronous view."""

    def __init__(self, chunks: Any, entity: Any) -> None:
        super().__init__(chunks, entity)
        self._iterator: AsyncIterator[bytes] = aiter(chunks)
        # A middleware that is not asynchronous does not know.
        entity.request.is_async = True

    def __aiter__(self) -> AsyncBody:
        return self

    async def __anext__(self) -> bytes:
        before = put_current(self._inner)
        try:
            return await anext(self._iterator)
        except StopAsyncIteration:
            self._finish()
            raise
        except BaseException as exception:
            record_failure(self._entity, exception)
            self._finish()
            raise
        finally:
            self._inner = put_current(before)

    def close(self) -> None:
        """End the segment, if the client went away between two chunks: Django closes nothing else.

        The chunks themselves are closed by the event loop, when nobody holds them any more.
        """
        self._abandon()

    async def aclose(self) -> None:
        """End the segment, if the client went away before the body ended."""
        before = put_current(self._inner)
        try:
            close = getattr(self._iterator, "aclose", None)
            if close is not None:
                await close()
        finally:
            self._finish()
            put_current(before)


def record_unhandled(sender: object, request: HttpRequest | None = None, **kwargs: object) -> None:
    """Put an exception that nobody handled, in a view or in a middleware, on the request."""
    exception = sys.exc_info()[1]
    if exception is not None:
        record_failure(request_entity(), exception)


got_request_exception.connect(record_unhandled, dispatch_uid="tracing.middleware")

__all__ = ["XRayMiddleware"]
