"""What is where: the API's paths are AWS's, the console's are ours."""

from django.http import HttpRequest, HttpResponse
from django.urls import path, re_path

from . import console
from .api import sampling, traces, wire


def show_root(request: HttpRequest) -> HttpResponse:
    """Show the traces to a browser; tell a client that posts here what it may post."""
    if request.method == "POST":
        return wire.answer_unknown_operation(request)
    return console.show_traces(request)


def show_not_found(request: HttpRequest, exception: Exception) -> HttpResponse:
    """Answer a path that is not served, in the language of whoever asks."""
    if request.method == "POST":
        return wire.answer_unknown_operation(request)
    return console.show_not_found(request, exception)


def show_server_error(request: HttpRequest) -> HttpResponse:
    """Answer when the program itself has failed; Django logs how."""
    reason = "The local X-Ray has failed; its terminal says how."
    if request.method == "POST":
        return wire.answer_error("InternalFailure", reason, 500)
    return HttpResponse(f"{reason}\n", status=500, content_type="text/plain")


urlpatterns = [
    path("", show_root, name="traces"),
    path("traces/<str:trace_id>.json", console.download_trace, name="trace-json"),
    path("traces/<str:trace_id>", console.show_trace, name="trace"),
    path("status", console.show_status, name="status"),
    path("counts", console.show_counts, name="counts"),
    re_path(r"^assets/(?P<name>console\.css|icon\.svg)$", console.show_asset, name="asset"),
    path("TraceSegments", traces.put_trace_segments),
    path("TraceSummaries", traces.get_trace_summaries),
    path("Traces", traces.batch_get_traces),
    path("GetSamplingRules", sampling.get_sampling_rules),
    path("SamplingTargets", sampling.get_sampling_targets),
    path("TelemetryRecords", traces.put_telemetry_records),
]
handler404 = show_not_found
handler500 = show_server_error
