"""Views that do what traces are about: each is asked for by one of the tests of tracing."""

from collections.abc import Iterator
from typing import Any

from django import forms
from django.core.exceptions import PermissionDenied
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

from tracing import (
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
]
