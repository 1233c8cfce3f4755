"""The pane of one segment or subsegment."""

from typing import Any

from tests.xray_local.made import (
    NOON,
    make_id,
    make_late,
    make_request,
    make_segment,
    make_subsegment,
    make_trace_id,
)
from xray_local.console import details
from xray_local.console.details import Details, Frame
from xray_local.console.outline import outline
from xray_local.traces.trees import Element, build_tree


def describe(element: Element) -> Details:
    root = element
    while root.parent is not None:
        root = root.parent
    return details.describe(element, outline([root]))


def describe_one(**fields: Any) -> Details:
    (root,) = build_tree([make_segment(**fields)])
    return describe(root)


def group(details: Details, title: str) -> dict[str, str]:
    (found,) = (group for group in details.groups if group.title == title)
    return dict(found.pairs)


def test_overview() -> None:
    segment_id = make_id()

    overview = group(
        describe_one(id=segment_id, origin="AWS::Lambda", user="ada", error=True), "Overview"
    )

    assert overview["Id"] == segment_id
    assert overview["Kind"] == "segment"
    assert overview["Origin"] == "AWS::Lambda"
    assert overview["Error"] == "yes"
    assert "Parent" not in overview


def test_times() -> None:
    child = make_subsegment(start_time=NOON + 0.02, end_time=NOON + 0.08)
    (root,) = build_tree([make_segment(subsegments=[child])])

    times = group(describe(root), "Times")

    assert times["Start"].endswith(f"({NOON})")
    assert times["Duration"] == "100 ms"
    assert times["Self time"] == "40 ms"
    assert times["On the critical path"] == "40 ms"
    inner = group(describe(root.children[0]), "Times")
    assert inner["After the trace's start"] == "20 ms"
    assert inner["On the critical path"] == "60 ms"
    assert "Self time" not in inner


def test_times_that_do_not_fit_the_parent() -> None:
    early = make_subsegment(start_time=NOON - 0.5, end_time=NOON + 0.3)
    late = make_subsegment(start_time=NOON, end_time=NOON + 0.3)
    (root,) = build_tree([make_segment(subsegments=[early, late])])

    first, second = (group(describe(child), "Times") for child in root.children)

    assert first["Began"].startswith("500 ms before its parent")
    assert first["Ended"].startswith("200 ms after its parent")
    assert "Began" not in second


def test_times_of_what_is_in_progress() -> None:
    times = group(describe_one(in_progress=True, end_time=None), "Times")

    assert times["Duration"] == "in progress"
    assert "End" not in times


def test_overview_of_an_orphan_and_its_child() -> None:
    orphan = make_late(make_segment())
    (root,) = build_tree([orphan, make_late(orphan)])

    assert "(has not arrived)" in group(describe(root), "Overview")["Parent"]
    assert group(describe(root.children[0]), "Overview")["Parent"] == orphan["id"]


def test_overview_of_wrong_types() -> None:
    details = describe_one(end_time={"a": 1}, origin=[1], user=None, links=[{"id": 1}, 2])

    assert group(details, "Times")["End"] == '{\n  "a": 1\n} (not a time)'
    assert group(details, "Overview")["Origin"] == "[\n  1\n]"
    assert details.links == ()


def test_links() -> None:
    link = {"trace_id": make_trace_id(), "id": make_id()}

    (found,) = describe_one(links=[link]).links

    assert (found.trace_id, found.element_id) == (link["trace_id"], link["id"])


def test_overview_of_what_has_no_id() -> None:
    (root,) = build_tree([make_segment(subsegments=[{}])])

    overview = group(describe(root.children[0]), "Overview")

    assert overview["Id"] == "none"
    assert "Times" not in [each.title for each in describe(root.children[0]).groups]


def test_blocks() -> None:
    details = describe_one(
        http=make_request("http://a/", 200),
        aws={"operation": "Query", "retries": 0, "nested": {"a": True}},
        sql={"sanitized_query": "SELECT 1 FROM a", "url": "db"},
        annotations={"is_sampled": False},
    )

    assert group(details, "Request") == {"url": "http://a/", "method": "GET"}
    assert group(details, "Response") == {"status": "200"}
    assert group(details, "Resources")["retries"] == "0"
    assert group(details, "Database") == {"url": "db"}
    assert details.query == "SELECT 1\nFROM a"
    assert group(details, "Annotations") == {"is_sampled": "false"}
    assert '"operation": "Query"' in details.raw


def test_blocks_of_wrong_types() -> None:
    details = describe_one(http=1, aws=[2], sql=None, annotations="x", metadata=[])

    assert group(details, "Resources") == {"(unexpected)": "[\n  2\n]"}
    assert group(details, "Annotations") == {"(unexpected)": "x"}
    assert details.metadata == ()


def test_metadata_as_json_for_people() -> None:
    details = describe_one(metadata={"default": {"title": "Amélie"}})

    assert details.metadata == (("default", '{\n  "title": "Amélie"\n}'),)


def test_raw_leaves_out_what_has_rows_of_its_own() -> None:
    assert "inner" not in describe_one(subsegments=[{"name": "inner"}]).raw


def test_failures() -> None:
    frame = {"path": "movies/posters.py", "line": 42, "label": "download"}
    exception = {"id": make_id(), "type": "NoSuchKey", "message": "Not there.", "remote": True}

    details = describe_one(
        cause={"exceptions": [exception | {"stack": [frame] * 150, "truncated": 3}]}
    )

    (failure,) = details.failures
    assert (failure.type, failure.message, failure.is_remote) == ("NoSuchKey", "Not there.", True)
    assert len(failure.frames) == 100
    assert failure.frames[0] == Frame("download", "movies/posters.py", "42", is_library=False)
    assert failure.frames_left_out == 53


def test_failures_of_wrong_types() -> None:
    details = describe_one(
        cause={"exceptions": [1, {}, {"stack": [None, {"line": []}], "truncated": "x"}]}
    )

    assert [failure.type for failure in details.failures] == ["Exception"] * 3
    assert details.failures[2].frames == (
        Frame("?", "?", "?", is_library=False),
        Frame("?", "?", "[]", is_library=False),
    )
    assert details.failures[2].frames_left_out == 0


def test_a_cause_that_another_segment_tells() -> None:
    exception_id = make_id()

    assert describe_one(cause=exception_id).cause_id == exception_id
    assert describe_one(cause=["x"]).cause_id == ""


def test_where_an_exception_comes_from() -> None:
    paths = [
        "/srv/.venv/lib/python3.13/site-packages/requests/models.py",
        "/usr/lib/python3.13/json/decoder.py",
        "<frozen importlib._bootstrap>",
        "/var/task/node_modules/pg/index.js",
        "/var/task/movies/views.py",
        "/var/task/movies/urls.py",
    ]
    stack = [{"path": path, "line": 1, "label": "f"} for path in paths]

    (failure,) = describe_one(cause={"exceptions": [{"stack": stack}]}).failures
    (other,) = describe_one(cause={"exceptions": [{"stack": stack[:2]}]}).failures

    assert failure.origin
    assert failure.origin.path == "/var/task/movies/views.py"
    assert other.origin == other.frames[0]
