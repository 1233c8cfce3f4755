"""A whole trace, in the shape Trace of the X-Ray API: what came, put together and completed.

Late subsegments stand in the documents of their parents, and inferred segments beside them.
https://docs.aws.amazon.com/xray/latest/api/API_Trace.html
"""

from collections.abc import Collection
from typing import Any

from .documents import as_time
from .inferred import infer_segments
from .trees import build_tree, merge_documents


def describe_trace(trace_id: str, documents: Collection[dict[str, Any]]) -> dict[str, Any]:
    """Return the trace; each Document in Segments is still an object, not JSON.

    documents: all of the trace, in the order of arrival.
    Duration runs from the earliest start to the latest end; what is in progress ends at its start.
    """
    roots = build_tree(documents)
    merged = merge_documents(roots)
    merged += infer_segments(trace_id, roots)
    return {
        "Id": trace_id,
        "Duration": measure_duration(documents),
        "LimitExceeded": False,
        "Segments": [{"Id": document["id"], "Document": document} for document in merged],
    }


def measure_duration(documents: Collection[dict[str, Any]]) -> float:
    """Return the seconds from the first start to the last end."""
    starts = [as_time(document.get("start_time")) or 0.0 for document in documents]
    ends = [as_time(document.get("end_time")) or 0.0 for document in documents]
    return round(max([*starts, *ends]) - min(starts), 6) if starts else 0.0
