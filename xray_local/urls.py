"""What is where: the API's paths are AWS's, the console's are ours."""

from django.http import HttpRequest, HttpResponse
from django.urls import path, re_path

from . import console
from .api import (
    encryption,
    groups,
    policies,
    retrieval,
    sampling,
    search,
    tags,
    traces,
    wire,
)


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
    path("CreateGroup", groups.create_group),
    path("GetGroup", groups.get_group),
    path("Groups", groups.get_groups),
    path("UpdateGroup", groups.update_group),
    path("DeleteGroup", groups.delete_group),
    path("CreateSamplingRule", sampling.create_sampling_rule),
    path("UpdateSamplingRule", sampling.update_sampling_rule),
    path("DeleteSamplingRule", sampling.delete_sampling_rule),
    path("SamplingStatisticSummaries", sampling.get_sampling_statistic_summaries),
    path("StartTraceRetrieval", retrieval.start_trace_retrieval),
    path("ListRetrievedTraces", retrieval.list_retrieved_traces),
    path("CancelTraceRetrieval", retrieval.cancel_trace_retrieval),
    path("GetTraceSegmentDestination", search.get_trace_segment_destination),
    path("UpdateTraceSegmentDestination", search.update_trace_segment_destination),
    path("GetIndexingRules", search.get_indexing_rules),
    path("UpdateIndexingRule", search.update_indexing_rule),
    path("EncryptionConfig", encryption.get_encryption_config),
    path("PutEncryptionConfig", encryption.put_encryption_config),
    path("PutResourcePolicy", policies.put_resource_policy),
    path("ListResourcePolicies", policies.list_resource_policies),
    path("DeleteResourcePolicy", policies.delete_resource_policy),
    path("TagResource", tags.tag_resource),
    path("UntagResource", tags.untag_resource),
    path("ListTagsForResource", tags.list_tags_for_resource),
]
handler404 = show_not_found
handler500 = show_server_error
