"""Whole traces, in the shape of the API."""

from tests.xray_local.made import NOON, make_late, make_segment
from xray_local.traces.whole import describe_trace, measure_duration


def test_late_parts_stand_in_their_segment_and_inferred_segments_beside_it() -> None:
    root = make_segment(name="front")
    late = make_late(root, name="s3", namespace="aws", end_time=NOON + 0.5)

    trace = describe_trace(root["trace_id"], [late, root])

    assert (trace["Id"], trace["Duration"]) == (root["trace_id"], 0.5)
    assert trace["LimitExceeded"] is False
    front, inferred = trace["Segments"]
    assert front["Id"] == front["Document"]["id"] == root["id"]
    assert [each["id"] for each in front["Document"]["subsegments"]] == [late["id"]]
    assert inferred["Id"] == inferred["Document"]["id"]
    assert inferred["Document"]["parent_id"] == late["id"]


def test_duration_is_from_the_first_start_to_the_last_end() -> None:
    first = make_segment(start_time=NOON, end_time=NOON + 1)
    last = make_segment(start_time=NOON + 0.5, end_time=NOON + 2)
    opened = make_segment(start_time=NOON + 3, end_time=None, in_progress=True)

    assert measure_duration([last, first]) == 2
    assert measure_duration([last, first, opened]) == 3
    assert measure_duration([opened]) == 0
    assert measure_duration([]) == 0
