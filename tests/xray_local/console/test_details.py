"""The pane of one segment or subsegment."""

from typing import Any

from tests.xray_local.made import NOON, make_id, make_late, make_request, make_segment
from xray_local.console.details import Details, describe
from xray_local.traces.trees import build_tree


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
    assert overview["Start"].endswith(f"({NOON})")
    assert "Parent" not in overview


def test_overview_of_an_orphan_and_its_child() -> None:
    orphan = make_late(make_segment())
    (root,) = build_tree([orphan, make_late(orphan)])

    assert "(has not arrived)" in group(describe(root), "Overview")["Parent"]
    assert group(describe(root.children[0]), "Overview")["Parent"] == orphan["id"]


def test_overview_of_wrong_types() -> None:
    overview = group(
        describe_one(end_time={"a": 1}, origin=[1], user=None, links=[{"id": 1}]), "Overview"
    )

    assert overview["End"] == '{\n  "a": 1\n} (not a time)'
    assert overview["Origin"] == "[\n  1\n]"
    assert '"id": 1' in overview["Links"]


def test_overview_of_what_has_no_id() -> None:
    (root,) = build_tree([make_segment(subsegments=[{}])])

    overview = group(describe(root.children[0]), "Overview")

    assert overview["Id"] == "none"
    assert "Start" not in overview


def test_blocks() -> None:
    details = describe_one(
        http=make_request("http://a/", 200),
        aws={"operation": "Query", "retries": 0, "nested": {"a": True}},
        sql={"sanitized_query": "SELECT 1"},
        annotations={"is_sampled": False},
    )

    assert group(details, "Request") == {"url": "http://a/", "method": "GET"}
    assert group(details, "Response") == {"status": "200"}
    assert group(details, "AWS")["retries"] == "0"
    assert group(details, "SQL") == {"sanitized_query": "SELECT 1"}
    assert group(details, "Annotations") == {"is_sampled": "false"}
    assert '"operation": "Query"' in details.raw


def test_blocks_of_wrong_types() -> None:
    details = describe_one(http=1, aws=[2], sql=None, annotations="x", metadata=[])

    assert group(details, "AWS") == {"(unexpected)": "[\n  2\n]"}
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
    assert failure.frames[0] == "download (movies/posters.py:42)"
    assert failure.frames_left_out == 53


def test_failures_of_wrong_types() -> None:
    details = describe_one(
        cause={"exceptions": [1, {}, {"stack": [None, {"line": []}], "truncated": "x"}]}
    )

    assert [failure.type for failure in details.failures] == ["Exception"] * 3
    assert details.failures[2].frames == ("? (?:?)", "? (?:[])")
    assert details.failures[2].frames_left_out == 0


def test_a_cause_that_another_segment_tells() -> None:
    exception_id = make_id()

    assert describe_one(cause=exception_id).cause_id == exception_id
    assert describe_one(cause=["x"]).cause_id == ""
