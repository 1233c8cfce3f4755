"""What is taken from a document for the summary of its trace."""

import json
from typing import Any

from tests.xray_local.made import (
    NOON,
    make_facts,
    make_id,
    make_late,
    make_segment,
    make_subsegment,
    make_trace_id,
)
from xray_local.intake.schema import Aws
from xray_local.traces.facts import Facts, as_status, load_facts
from xray_local.traces.flags import FAULT, OK, THROTTLE
from xray_local.traces.services import KINDS


def gather(**fields: Any) -> Facts:
    return load_facts(json.dumps(make_segment(**fields)).encode())


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
    assert (facts.flags, facts.any_flags & (FAULT | THROTTLE)) == (FAULT, FAULT | THROTTLE)
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


def test_gather_facts_of_very_little() -> None:
    facts = gather(end_time=NOON - 5)

    assert facts.end == facts.start == NOON
    assert (facts.annotations, facts.calls, facts.links, facts.resource_arns) == ((), (), (), ())
    assert (facts.user, facts.parent_id, facts.http) == (None, None, {})
    assert (facts.flags, facts.any_flags, facts.has_throttle) == (OK, OK, False)


def test_gather_facts_of_empty_texts() -> None:
    facts = gather(
        user="",
        origin="",
        resource_arn="",
        aws={"account_id": "", "ec2": {"instance_id": ""}},
        http={"request": {"url": ""}, "response": {}},
    )

    assert facts.service == ("movies", None, None)
    assert (facts.user, facts.resource_arns, facts.instance_ids, facts.http) == (None, (), (), {})


def test_gather_facts_of_calls() -> None:
    facts = gather(
        subsegments=[
            make_subsegment("db", namespace="remote", sql={"url": "x"}, fault=True),
            make_subsegment("host", namespace="remote", end_time=None, annotations={"a": 1}),
            make_subsegment("S3", namespace="aws", aws={"bucket_name": "posters"}),
            make_subsegment("S3", namespace="local"),
            make_subsegment("host", namespace="remote", end_time=NOON - 1),
        ]
    )

    assert [call.service[:2] for call in facts.calls] == [
        ("db", "Database::SQL"),
        ("host", "remote"),
        ("posters", "AWS::S3::Bucket"),
        ("host", "remote"),
    ]
    assert [call.is_open for call in facts.calls] == [False, True, False, False]
    assert [round(call.seconds, 3) for call in facts.calls] == [0.1, 0, 0.1, 0]
    assert facts.calls[0].has_fault
    assert facts.calls[1].annotations == (("a", 1.0),)


def test_as_status() -> None:
    assert as_status(404) == 404
    assert as_status(200.0) == 200
    for other in (None, 99, 1000, 10**300, -1):
        assert as_status(other) is None


def test_gather_facts_links() -> None:
    link = {"trace_id": make_trace_id(), "id": make_id()}
    other = {"trace_id": make_trace_id(), "id": make_id(), "attributes": {"a": 1}}

    facts = gather(links=[link], subsegments=[make_subsegment(links=[other])])

    assert facts.links == ((link["trace_id"], link["id"]), (other["trace_id"], other["id"]))


def test_gather_facts_of_a_late_subsegment() -> None:
    parent = make_segment()
    late = make_late(parent, in_progress=True, end_time=None)

    facts = load_facts(json.dumps(late).encode())

    assert (facts.parent_id, facts.is_segment, facts.is_open) == (parent["id"], False, True)
    assert facts == make_facts(late)


def test_every_place_of_a_resource_is_decoded() -> None:
    """What is looked for in the block aws must be a member of it, or no such call can be read."""
    places = {key for kind in KINDS.values() for key in (*kind.keys, "resource_names")}

    assert places <= set(Aws.__struct_fields__)
