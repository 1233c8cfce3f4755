"""The operations that retrieve traces as Transaction Search does.

https://docs.aws.amazon.com/xray/latest/api/API_StartTraceRetrieval.html

Only a retrieval that is COMPLETE has traces. A page has up to five; a trace of more than a hundred
spans goes on with the next of them, under the same id.

A service of the graph has the links that its segments received, up to a hundred: from the trace
that sent, to those that received. The model names no ReferenceType, so it is `link` (doubtful).
"""

import json
import sqlite3
import time
from collections.abc import Iterator
from typing import Any

from django.http import HttpRequest

from xray_local import tokens
from xray_local.control import retrievals
from xray_local.control.database import changing
from xray_local.control.database import reading as reading_settings
from xray_local.control.retrievals import Retrieval
from xray_local.errors import InvalidRequest
from xray_local.parts import get_parts
from xray_local.store.database import reading
from xray_local.store.queries import get_documents
from xray_local.traces.documents import TRACE_ID, as_list, as_mapping, as_text, as_time, show
from xray_local.traces.services import Service, name_service
from xray_local.traces.spans import make_spans
from xray_local.traces.trees import Element, build_tree, walk_tree
from xray_local.traces.whole import describe_trace

from .graphs import make_trace_graph, read_times
from .pages import decode_key, refuse_token, take_page
from .wire import operation, read_text, read_texts, require

TRACES_MAX = 100
TOKEN_MAX = 1020
PAGE_TRACES = 5
PAGE_SPANS = 100
PAGE_SERVICES = 1000
LINKS_MAX = 100
XRAY = "XRAY"
OTEL = "OTEL"


@operation
def start_trace_retrieval(fields: dict[str, Any], request: HttpRequest) -> dict[str, Any]:
    """Begin to retrieve traces, of which nothing need be known yet."""
    trace_ids = read_texts(fields, "TraceIds", at_most=TRACES_MAX)
    for trace_id in trace_ids:
        if not TRACE_ID.fullmatch(trace_id):
            raise InvalidRequest(
                "Expected trace ids like '1-58406520-a006649127e371903a2de979' in TraceIds, "
                f"got {show(trace_id)}."
            )
    start, end = read_times(fields)
    with changing(get_parts(request).database) as connection:
        token = retrievals.start_retrieval(connection, trace_ids, start, end, time.time())
    return {"RetrievalToken": token}


@operation
def list_retrieved_traces(fields: dict[str, Any], request: HttpRequest) -> dict[str, Any]:
    """Return the traces of a retrieval, as segments or as spans of OpenTelemetry."""
    form = read_text(fields, "TraceFormat", choices=(XRAY, OTEL)) or XRAY
    token = read_text(fields, "NextToken")
    retrieval = find_retrieval(fields, request)
    answer: dict[str, Any] = {"RetrievalStatus": retrieval.status, "TraceFormat": form}
    answer["Traces"] = []
    if retrieval.status == retrievals.COMPLETE:
        with reading(get_parts(request).database) as connection:
            answer["Traces"], next_token = _take_traces(connection, retrieval, form, token)
        if next_token:
            answer["NextToken"] = next_token
    return answer


@operation
def get_retrieved_traces_graph(fields: dict[str, Any], request: HttpRequest) -> dict[str, Any]:
    """Return the services of the traces of a retrieval."""
    token = read_text(fields, "NextToken")
    retrieval = find_retrieval(fields, request)
    answer: dict[str, Any] = {"RetrievalStatus": retrieval.status, "Services": []}
    if retrieval.status == retrievals.COMPLETE:
        with reading(get_parts(request).database) as connection:
            services = _list_services(connection, retrieval)
        page, next_token = take_page(
            services, lambda each: [each["Service"]["ReferenceId"]], token, PAGE_SERVICES
        )
        answer["Services"] = page
        if next_token:
            answer["NextToken"] = next_token
    return answer


@operation
def cancel_trace_retrieval(fields: dict[str, Any], request: HttpRequest) -> dict[str, Any]:
    """End a retrieval."""
    with changing(get_parts(request).database) as connection:
        retrievals.cancel_retrieval(connection, _read_token(fields), time.time())
    return {}


def find_retrieval(fields: dict[str, Any], request: HttpRequest) -> Retrieval:
    """Return the retrieval that a request names. Raises InvalidRequest, ResourceNotFound."""
    with reading_settings(get_parts(request).database) as connection:
        return retrievals.get_retrieval(connection, _read_token(fields), time.time())


def get_retrieved(
    connection: sqlite3.Connection, retrieval: Retrieval, trace_id: str
) -> list[dict[str, Any]]:
    """Return the documents of a trace; none if it is unknown or outside of the range of time."""
    documents = get_documents(connection, trace_id)
    times = [
        moment
        for document in documents
        for key in ("start_time", "end_time")
        if (moment := as_time(document.get(key))) is not None
    ]
    if not times or min(times) > retrieval.end or max(times) < retrieval.start:
        return []
    return documents


def _take_traces(
    connection: sqlite3.Connection, retrieval: Retrieval, form: str, token: str | None
) -> tuple[list[dict[str, Any]], str | None]:
    """Return a page of the shape RetrievedTrace, and the token for the rest."""
    number, offset = _read_place(token)
    page: list[dict[str, Any]] = []
    for here in range(number, len(retrieval.trace_ids)):
        documents = get_retrieved(connection, retrieval, retrieval.trace_ids[here])
        if not documents:
            continue
        trace = describe_trace(retrieval.trace_ids[here], documents)
        spans = list(_list_spans(trace, form))
        for first in range(offset if here == number else 0, len(spans), PAGE_SPANS):
            if len(page) == PAGE_TRACES:
                return page, tokens.encode([here, first])
            part = spans[first : first + PAGE_SPANS]
            page.append({"Id": trace["Id"], "Duration": trace["Duration"], "Spans": part})
    return page, None


def _list_spans(trace: dict[str, Any], form: str) -> Iterator[dict[str, str]]:
    for segment in trace["Segments"]:
        document = segment["Document"]
        made = make_spans(document) if form == OTEL else [document]
        for each in made:
            yield {"Id": each.get("spanId") or each["id"], "Document": json.dumps(each)}


def _list_services(connection: sqlite3.Connection, retrieval: Retrieval) -> list[dict[str, Any]]:
    """Return a list of the shape RetrievedService."""
    traces = {
        trace_id: documents
        for trace_id in retrieval.trace_ids
        if (documents := get_retrieved(connection, retrieval, trace_id))
    }
    links = _collect_links(traces)
    graph = make_trace_graph(connection, list(traces))
    return [
        {
            "Service": service,
            "Links": [
                {"ReferenceType": "link", "SourceTraceId": source, "DestinationTraceIds": ids}
                for source, ids in list(links.get(node.service, {}).items())[:LINKS_MAX]
            ],
        }
        for node, service in zip(graph.list_nodes(), graph.to_api(), strict=True)
    ]


def _collect_links(
    traces: dict[str, list[dict[str, Any]]],
) -> dict[Service, dict[str, list[str]]]:
    """Return for each service from which traces it received something, and in which."""
    found: dict[Service, dict[str, list[str]]] = {}
    for trace_id, documents in traces.items():
        for element, _ in walk_tree(build_tree(documents)):
            for link in map(as_mapping, as_list(element.content.get("links"))):
                segment: Element | None = element
                while segment is not None and not segment.is_segment:
                    segment = segment.parent
                source = as_text(link.get("trace_id"))
                if segment is None or source is None:
                    continue
                targets = found.setdefault(name_service(segment.content), {})
                ids = targets.setdefault(source, [])
                if trace_id not in ids:
                    ids.append(trace_id)
    return found


def _read_place(token: str | None) -> tuple[int, int]:
    place = [0, 0] if token is None else decode_key(token)
    if len(place) != 2 or not all(type(each) is int and each >= 0 for each in place):
        raise refuse_token(token or "")
    return int(place[0]), int(place[1])


def _read_token(fields: dict[str, Any]) -> str:
    return require(read_text(fields, "RetrievalToken", at_most=TOKEN_MAX), "RetrievalToken")
