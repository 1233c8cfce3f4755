"""What is taken from a document for the summary of its trace."""

import json
from typing import Any

from tests.xray_local.made import NOON, make_id, make_segment, make_subsegment, make_trace_id
from xray_local.facts import Facts, as_status, gather_facts, load_facts


def gather(**fields: Any) -> Facts:
    segment = make_segment(**fields)
    return gather_facts(segment["id"], segment, is_open=False)


def test_gather_facts_of_the_whole_document() -> None:
    inner = make_subsegment(throttle=True, annotations={"b": 2, "c": False})
    outer = make_subsegment("S3", namespace="aws", subsegments=[inner])

    facts = gather(
        annotations={"a": "x"},
        user="ada",
        fault=True,
        resource_arn="arn:x",
        aws={"ec2": {"instance_id": "i-1", "availability_zone": "z"}},
        http={"request": {"method": "GET", "url": "/", "user_agent": "u", "client_ip": "::1"}},
        subsegments=[outer],
    )

    assert facts.is_segment
    assert (facts.start, facts.end) == (NOON, NOON + 0.1)
    assert (facts.has_fault, facts.has_error, facts.has_throttle) == (True, False, True)
    assert sorted(facts.annotations) == [("a", "x"), ("b", 2.0), ("c", False)]
    assert set(facts.ids) == {facts.id, outer["id"], inner["id"]}
    assert facts.calls[0].id == outer["id"]
    assert facts.user == "ada"
    assert (facts.resource_arns, facts.instance_ids, facts.zones) == (("arn:x",), ("i-1",), ("z",))
    assert facts.http == {
        "HttpMethod": "GET",
        "HttpURL": "/",
        "UserAgent": "u",
        "ClientIp": "::1",
    }


def test_gather_facts_of_wrong_types() -> None:
    facts = gather(
        annotations=[1],
        user={},
        fault="yes",
        throttle=1,
        aws=3,
        http={"request": "GET", "response": {"status": "200"}},
        subsegments={"a": 1},
        end_time=NOON - 5,
    )

    assert facts.end == facts.start
    assert facts.annotations == ()
    assert facts.user is None
    assert not facts.has_fault
    assert not facts.has_throttle
    assert facts.http == {}


def test_gather_facts_leaves_out_annotations_that_cannot_be_searched() -> None:
    facts = gather(
        annotations={"": 1, "k" * 501: 1, "list": [], "huge": 10**400, "long": "x" * 2000},
        subsegments=[1, None, "x", make_subsegment(id=[], namespace="remote")],
    )

    assert facts.annotations == (("long", "x" * 1000),)
    assert facts.calls[0].id == ""


def test_as_status() -> None:
    assert as_status(404) == 404
    assert as_status(200.0) == 200
    for other in (None, "200", 99, 1000, 10**400, True):
        assert as_status(other) is None


def test_gather_facts_links() -> None:
    link = {"trace_id": make_trace_id(), "id": make_id()}
    other = {"trace_id": make_trace_id(), "id": make_id(), "attributes": {"a": 1}}

    facts = gather(
        links=[link, 1, {}, {"trace_id": "1-2-3", "id": make_id()}, link | {"id": 5}],
        subsegments=[make_subsegment(links=[other])],
    )

    assert facts.links == ((link["trace_id"], link["id"]), (other["trace_id"], other["id"]))


def test_load_facts() -> None:
    segment = make_segment(in_progress=True, end_time=None, user="ada")

    assert load_facts(json.dumps(segment).encode()) == gather_facts(
        segment["id"], segment, is_open=True
    )
