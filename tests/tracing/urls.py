"""Views that do what traces are about: each is asked for by one of the tests of tracing."""

import asyncio
import os
from collections.abc import AsyncIterator, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from threading import Event, Thread
from typing import Any

from asgiref.sync import sync_to_async
from django import forms
from django.core.exceptions import PermissionDenied
from django.core.signals import request_finished
from django.db import DatabaseError, connection
from django.http import (
    Http404,
    HttpRequest,
    HttpResponse,
    HttpResponseBase,
    JsonResponse,
    StreamingHttpResponse,
)
from django.template import engines
from django.urls import path

from .api import (
    capture,
    current_trace,
    in_subsegment,
    put_annotation,
    record_failure,
    xray_recorder,
)


def ok(request: HttpRequest) -> HttpResponse:
    return HttpResponse("ok")


def trace(request: HttpRequest) -> JsonResponse:
    known = current_trace()
    if known is None:
        return JsonResponse({"trace_id": None, "is_sampled": False})
    return JsonResponse({"trace_id": known.trace_id, "is_sampled": known.is_sampled})


def missing(request: HttpRequest) -> HttpResponse:
    raise Http404("Nothing here.")


def forbidden(request: HttpRequest) -> HttpResponse:
    raise PermissionDenied


def broken(request: HttpRequest) -> HttpResponse:
    raise ValueError("The view broke, password=hunter2 and all.")


def host(request: HttpRequest) -> HttpResponse:
    return HttpResponse(request.get_host())


def annotated(request: HttpRequest) -> HttpResponse:
    segment: Any = xray_recorder.current_segment()
    segment.put_annotation("colour", "red")
    segment.put_metadata("shape", {"corners": 4})
    segment.set_user("alice")
    put_annotation("size", 7)
    return HttpResponse("annotated")


def leaky(request: HttpRequest) -> HttpResponse:
    xray_recorder.begin_subsegment("left open")
    xray_recorder.begin_subsegment("left open too")
    return HttpResponse("leaky")


def own_segment(request: HttpRequest) -> HttpResponse:
    with xray_recorder.in_segment("own"), xray_recorder.in_subsegment("in own"):
        pass
    return HttpResponse("own")


def cleared(request: HttpRequest) -> HttpResponse:
    xray_recorder.begin_subsegment("forgotten")
    xray_recorder.clear_trace_entities()
    return HttpResponse("cleared")


def ended(request: HttpRequest) -> HttpResponse:
    xray_recorder.end_segment()
    return HttpResponse("ended")


def queries(request: HttpRequest) -> HttpResponse:
    with connection.cursor() as cursor:
        cursor.execute("SELECT %s, 'literal secret'", ["parameter secret"])
        row = cursor.fetchone()
    return HttpResponse(row[0])


def bad_query(request: HttpRequest) -> HttpResponse:
    try:
        with connection.cursor() as cursor:
            cursor.execute("SELECT nothing FROM nowhere")
    except DatabaseError:
        return HttpResponse("handled")
    return HttpResponse("worked")


class Form(forms.Form):
    first = forms.CharField()
    second = forms.ChoiceField(choices=[(str(number), str(number)) for number in range(5)])


def template(request: HttpRequest) -> HttpResponse:
    page = engines["django"].from_string("{{ form }}{{ form.as_p }}")
    return HttpResponse(page.render({"form": Form()}, request))


def many(request: HttpRequest) -> HttpResponse:
    count = int(request.GET.get("count", "6"))
    for number in range(count):
        with in_subsegment(f"step {number}") as step:
            step.put_metadata("text", "x" * int(request.GET.get("bytes", "0")))
    return HttpResponse(str(count))


def stream(request: HttpRequest) -> StreamingHttpResponse:
    def chunks() -> Iterator[bytes]:
        for number in range(3):
            with in_subsegment(f"chunk {number}"):
                yield b"chunk\n"
        if "break" in request.GET:
            raise ValueError("The body broke.")

    return StreamingHttpResponse(chunks())


def failing_step(request: HttpRequest) -> HttpResponse:
    subsegment = xray_recorder.begin_subsegment("by hand")
    try:
        raise RuntimeError("step failed")
    except RuntimeError as error:
        record_failure(subsegment, error)
    finally:
        xray_recorder.end_subsegment()
    return HttpResponse("went on")


class Account:
    def __init__(self) -> None:
        self.name = "alice"
        self.password = "secret-20"


def secrets(request: HttpRequest) -> HttpResponse:
    """Put secrets wherever something can be put."""
    import boto3
    import requests
    import urllib3
    from botocore.config import Config
    from django.core.cache import caches

    url = "https://me:secret-21@example.com/path?token=secret-22#secret-23"
    with in_subsegment(f"call {url}") as step:
        step.put_annotation("url", url)
        step.put_annotation("password", "secret-24")
        step.put_annotation("text", "the api_key=secret-25 and Bearer secret-26")
        step.put_metadata("account", Account())
        step.put_metadata("headers", {"Authorization": "secret-27", "Cookie": "a=secret-28"})
        step.put_metadata("texts", [url, ("Set-Cookie: session=secret-29",)])
        step.put_metadata("session_key", "secret-30")
        step.put_http_meta("url", url)
        step.put_http_meta("user_agent", "agent/1 token=secret-31")
        step.set_aws({"operation": "Login", "password": "secret-32", "endpoint": url})
        step.set_sql({"sanitized_query": "SELECT 'secret-33', $$secret-34$$, E'\\'secret-35'"})
        try:
            try:
                raise ValueError(f"No answer from {url}")
            except ValueError as error:
                raise RuntimeError("Login failed: password is 'secret-36'") from error
        except RuntimeError as error:
            step.add_exception(error, [])
    config = Config(retries={"total_max_attempts": 1}, connect_timeout=1)
    keys = {"aws_access_key_id": "secret-37", "aws_secret_access_key": "secret-38"}
    endpoint = {"endpoint_url": "http://127.0.0.1:9", "region_name": "us-east-1"}
    client = boto3.client("dynamodb", config=config, **keys, **endpoint)
    with suppress(Exception):
        client.put_item(TableName="T", Item={"password": {"S": "secret-39"}})
    closed = "http://me:secret-40@127.0.0.1:9/closed?signature=secret-41"
    with suppress(Exception):
        requests.get(closed, headers={"Authorization": "secret-42"}, timeout=2)
    with suppress(Exception):
        urllib3.PoolManager().request("GET", closed, headers={"Cookie": "secret-43"}, retries=False)
    with suppress(Exception), connection.cursor() as cursor:
        cursor.execute("SELECT x FROM t WHERE a = 'secret-44' OR b = \"c\" -- secret-45")
    caches["default"].set("secret-46", "secret-47")
    return HttpResponse("kept")


class Odd:
    """Nothing that JSON knows, and nothing that wants to be asked."""

    def __repr__(self) -> str:
        raise ValueError("no words")

    __str__ = __repr__


def odd(request: HttpRequest) -> HttpResponse:
    with in_subsegment("odd" * 100 + "?<>") as step:
        step.put_annotation("not a key", 1)
        step.put_annotation("number", float("nan"))
        step.put_annotation("odd", Odd())
        numbers = iter([1, 2, 3])
        step.put_metadata("values", [Odd(), {Odd(): numbers}, float("inf"), b"x", ValueError("no")])
        text = str(list(numbers))
    return HttpResponse(text)


def threads(request: HttpRequest) -> HttpResponse:
    def work() -> None:
        with in_subsegment("in thread"):
            connection.close()

    thread = Thread(target=work)
    thread.start()
    thread.join()
    with ThreadPoolExecutor(1) as pool:
        pool.submit(work).result()
    return HttpResponse("done")


def outlived(request: HttpRequest) -> HttpResponse:
    begun = Event()

    def work() -> None:
        with in_subsegment("working on"):
            begun.set()
            answered.wait(10)
            with in_subsegment("begun in time"):
                pass
        with in_subsegment("begun too late"):
            pass

    answered.clear()
    Thread(target=work).start()
    begun.wait(10)
    request_finished.connect(lambda **_: answered.set(), weak=False)
    return HttpResponse("answered")


answered = Event()


@capture("captured")
def _captured() -> str:
    return "captured"


def captured(request: HttpRequest) -> HttpResponse:
    return HttpResponse(_captured())


def remote(request: HttpRequest) -> HttpResponse:
    import requests

    try:
        answer = requests.get(request.GET["url"], timeout=2)
    except requests.RequestException as error:
        return HttpResponse(f"failed: {type(error).__name__}")
    return HttpResponse(f"{answer.status_code} {answer.text}")


async def asynchronous(request: HttpRequest) -> HttpResponse:
    name = request.GET.get("name", "")

    def work() -> None:
        with xray_recorder.in_subsegment(f"thread {name}"):
            pass

    async def step(number: int) -> None:
        async with xray_recorder.in_subsegment_async(f"step {name}"):
            await asyncio.sleep(0.01 * number)

    with xray_recorder.in_subsegment(f"view {name}"):
        await asyncio.sleep(0.01)
        await sync_to_async(work)()
        await asyncio.gather(step(1), step(2))
    return HttpResponse(name)


async def asynchronous_stream(request: HttpRequest) -> StreamingHttpResponse:
    async def chunks() -> AsyncIterator[bytes]:
        for number in range(3):
            with in_subsegment(f"chunk {number}"):
                await asyncio.sleep(0.001)
            yield b"chunk "

    return StreamingHttpResponse(chunks())


def killed(request: HttpRequest) -> HttpResponse:
    with in_subsegment("in the view"):
        os._exit(0)


def user_agent(get_response: Any) -> Any:
    """Fail in a middleware, where no view is near."""

    def middleware(request: HttpRequest) -> HttpResponseBase:
        if request.GET.get("middleware") == "break":
            raise LookupError("The middleware broke.")
        response: HttpResponseBase = get_response(request)
        return response

    return middleware


urlpatterns = [
    path("ok", ok, name="ok"),
    path("healthz", ok, name="healthz"),
    path("trace", trace, name="trace"),
    path("missing", missing, name="missing"),
    path("forbidden", forbidden, name="forbidden"),
    path("broken", broken, name="broken"),
    path("host", host, name="host"),
    path("annotated", annotated, name="annotated"),
    path("leaky", leaky, name="leaky"),
    path("own-segment", own_segment, name="own-segment"),
    path("cleared", cleared, name="cleared"),
    path("ended", ended, name="ended"),
    path("queries", queries, name="queries"),
    path("bad-query", bad_query, name="bad-query"),
    path("template", template, name="template"),
    path("many", many, name="many"),
    path("stream", stream, name="stream"),
    path("failing-step", failing_step, name="failing-step"),
    path("captured", captured, name="captured"),
    path("remote", remote, name="remote"),
    path("async", asynchronous, name="async"),
    path("async-stream", asynchronous_stream, name="async-stream"),
    path("killed", killed, name="killed"),
    path("odd", odd, name="odd"),
    path("secrets", secrets, name="secrets"),
    path("threads", threads, name="threads"),
    path("outlived", outlived, name="outlived"),
]
