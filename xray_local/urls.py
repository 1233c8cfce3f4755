"""What is where: the API's paths are AWS's, the console's are ours."""

from django.http import HttpRequest, HttpResponse
from django.http.response import HttpResponseBase
from django.urls import path, re_path

from .api import (
    encryption,
    graphs,
    groups,
    insights,
    policies,
    retrieval,
    sampling,
    search,
    segments,
    tags,
    traces,
    wire,
)
from .console import (
    analytics_page,
    assets,
    compare_page,
    groups_page,
    insights_page,
    live_page,
    map_page,
    sampling_page,
    services_page,
    settings_page,
    start_page,
    trace_page,
    traces_page,
    view,
)
from .otlp import endpoint


def show_root(request: HttpRequest) -> HttpResponseBase:
    """Show the map to a browser; tell a client that posts here what it may post."""
    if request.method == "POST":
        return wire.answer_unknown_operation(request)
    return map_page.show_map(request)


def show_not_found(request: HttpRequest, exception: Exception) -> HttpResponse:
    """Answer a path that is not served, in the language of whoever asks."""
    if request.method == "POST":
        return wire.answer_unknown_operation(request)
    return view.show_not_found(request, exception)


def show_server_error(request: HttpRequest) -> HttpResponse:
    """Answer when the program itself has failed; Django logs how."""
    reason = "The local X-Ray has failed; its terminal says how."
    if request.method == "POST":
        return wire.answer_error("InternalFailure", reason, 500)
    return HttpResponse(f"{reason}\n", status=500, content_type="text/plain")


urlpatterns = [
    path("", show_root, name="map"),
    path("traces", traces_page.show_traces, name="traces"),
    path("chosen", traces_page.show_chosen, name="chosen"),
    path("completions", traces_page.show_completions, name="completions"),
    path("traces/<str:trace_id>.json", trace_page.download_trace, name="trace-json"),
    path("traces/<str:trace_id>", trace_page.show_trace, name="trace"),
    path("analytics", analytics_page.show_analytics, name="analytics"),
    path("live", live_page.show_live, name="live"),
    path("services", services_page.show_services, name="services"),
    path("compare", compare_page.show_comparison, name="compare"),
    path("sampling", sampling_page.show_rules, name="sampling"),
    path("groups", groups_page.show_groups, name="groups"),
    path("settings", settings_page.show_settings, name="settings"),
    path("export", settings_page.download_traces, name="export"),
    path("start", start_page.show_start, name="start"),
    path("insights", insights_page.show_insights, name="insights"),
    path("insights/<str:insight_id>", insights_page.show_insight, name="insight"),
    path("status", settings_page.show_settings, name="status"),
    path("counts", settings_page.show_counts, name="counts"),
    path("assets/<str:name>", assets.show_asset, name="asset"),
    path("TraceSegments", segments.put_trace_segments),
    path("TelemetryRecords", segments.put_telemetry_records),
    path("TraceSummaries", traces.get_trace_summaries),
    path("Traces", traces.batch_get_traces),
    path("TraceGraph", graphs.get_trace_graph),
    path("ServiceGraph", graphs.get_service_graph),
    path("TimeSeriesServiceStatistics", graphs.get_time_series_service_statistics),
    path("Insight", insights.get_insight),
    path("InsightSummaries", insights.get_insight_summaries),
    path("InsightEvents", insights.get_insight_events),
    path("InsightImpactGraph", insights.get_insight_impact_graph),
    path("CreateGroup", groups.create_group),
    path("GetGroup", groups.get_group),
    path("Groups", groups.get_groups),
    path("UpdateGroup", groups.update_group),
    path("DeleteGroup", groups.delete_group),
    path("GetSamplingRules", sampling.get_sampling_rules),
    path("CreateSamplingRule", sampling.create_sampling_rule),
    path("UpdateSamplingRule", sampling.update_sampling_rule),
    path("DeleteSamplingRule", sampling.delete_sampling_rule),
    path("SamplingTargets", sampling.get_sampling_targets),
    path("SamplingStatisticSummaries", sampling.get_sampling_statistic_summaries),
    path("StartTraceRetrieval", retrieval.start_trace_retrieval),
    path("ListRetrievedTraces", retrieval.list_retrieved_traces),
    path("GetRetrievedTracesGraph", retrieval.get_retrieved_traces_graph),
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
    path("v1/traces", endpoint.take_traces),
    re_path("^v1/(?:metrics|logs)$", endpoint.refuse_signal),
]
handler404 = show_not_found
handler500 = show_server_error
