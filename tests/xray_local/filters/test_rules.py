"""The guide's rules on filter expressions, one by one, where no example of a keyword states them.

https://docs.aws.amazon.com/xray/latest/devguide/xray-console-filters.html
"""

from typing import Any

import pytest

from tests.xray_local.filters.made import find, open_storage, save
from tests.xray_local.made import NOON, make_request, make_segment, make_subsegment
from xray_local.filters import read_filter
from xray_local.store.queries import list_traces

Trace = list[dict[str, Any]]


def is_found(text: str, trace: Trace) -> bool:
    with open_storage() as (connection, storage):
        save(storage, trace)
        return bool(find(connection, text))


def make_two(**fields: Any) -> Trace:
    """Return a trace of `front`, which called `api`; the fields are the api's."""
    call = make_subsegment(name="api", namespace="remote")
    front = make_segment(name="front", subsegments=[call])
    return [
        front,
        make_segment(
            **{"name": "api", "trace_id": front["trace_id"], "parent_id": call["id"]} | fields
        ),
    ]


@pytest.mark.parametrize(
    ("text", "absent", "false", "true"),
    [
        ("annotation.cold", False, False, True),
        ("!annotation.cold", True, True, False),
        ("annotation.cold = true", False, False, True),
        ("annotation.cold != true", False, True, False),
        ("annotation.cold = false", False, True, False),
        ("annotation.cold != false", False, False, True),
        ("!(annotation.cold = false)", True, False, True),
    ],
)
def test_a_boolean_annotation_is_its_value_and_not_whether_it_is_set(
    text: str, absent: bool, false: bool, true: bool
) -> None:
    """What is absent, negated, is true (the guide says nothing of that)."""
    values: list[dict[str, Any]] = [{}, {"cold": False}, {"cold": True}]

    found = [is_found(text, [make_segment(annotations=each)]) for each in values]

    assert found == [absent, false, true]


@pytest.mark.parametrize("value", [0, 0.0, "", "false"])
def test_any_other_annotation_is_whether_it_is_set(value: Any) -> None:
    assert is_found("annotation.age", [make_segment(annotations={"age": value})])
    assert not is_found("!annotation.age", [make_segment(annotations={"age": value})])


def test_annotations_of_all_segments_and_subsegments_count() -> None:
    inner = make_subsegment(annotations={"age": 3})
    trace = make_two(annotations={"age": 2}, subsegments=[make_subsegment(subsegments=[inner])])

    for age in (2, 3):
        assert is_found(f"annotation.age = {age}", trace)
    # One of several values is enough, of opposite comparisons too.
    assert is_found("annotation.age = 2 AND annotation.age != 2", trace)
    assert not is_found("annotation.age = 4", trace)


def test_more_annotations_than_x_ray_indexes() -> None:
    """X-Ray indexes 50 of a trace; here there is no bill."""
    trace = make_two(annotations={f"key_{number}": number for number in range(120)})

    assert is_found("annotation.key_0 = 0 AND annotation.key_119 = 119", trace)


def test_a_group_combines_with_other_keywords() -> None:
    groups = {"slow": "duration > 2"}

    with open_storage() as (connection, storage):
        save(storage, make_two(end_time=NOON + 3, user="ada"))
        for text, number in (
            ('group.name = "slow" AND user = "ada"', 1),
            ('group.name = "slow" AND user = "bob"', 0),
            ('!group.name = "slow" OR user = "bob"', 0),
        ):
            page = list_traces(connection, chosen=read_filter(text, groups))
            assert len(page.summaries) == number, text


def test_metadata_is_never_searched() -> None:
    trace = [make_segment(metadata={"default": {"age": 7}, "annotations": {"age": 7}})]

    for text in ("annotation.age", "annotation.age = 7", "annotation[default.age] = 7"):
        assert not is_found(text, trace)


@pytest.mark.parametrize("flag", ["fault", "error"])
def test_what_a_service_below_hid_is_found_in_braces_alone(flag: str) -> None:
    trace = make_two(**{flag: True})

    assert not is_found(flag, trace)
    assert is_found(f"service() {{ {flag} }}", trace)
    assert is_found(f'service("api") {{ {flag} }}', trace)
    assert not is_found(f'service("front") {{ {flag} }}', trace)
    # The caller's view: its call was well.
    assert not is_found(f'edge("front", "api") {{ {flag} }}', trace)


def test_a_throttle_of_the_trace_is_anybodys() -> None:
    assert is_found("throttle", make_two(error=True, throttle=True))


def test_a_trace_is_partial_while_any_segment_is_in_progress() -> None:
    trace = make_two(end_time=None, in_progress=True)

    assert is_found("partial", trace)
    assert is_found('service("api") { partial }', trace)
    assert not is_found('service("front") { partial }', trace)
    assert not is_found("partial", make_two())


@pytest.mark.parametrize(
    ("text", "fields"),
    [
        ('user = "ada"', {"user": "ada"}),
        ('availabilityzone = "eu-1a"', {"aws": {"ec2": {"availability_zone": "eu-1a"}}}),
        ('instance.id = "i-1"', {"aws": {"ec2": {"instance_id": "i-1"}}}),
        ('resource.arn = "arn:aws:x"', {"resource_arn": "arn:aws:x"}),
    ],
)
def test_what_any_segment_says(text: str, fields: dict[str, Any]) -> None:
    assert is_found(text, make_two(**fields))


@pytest.mark.parametrize(
    "text",
    ["http.status = 404", 'http.url = "http://api/x"', 'http.method = "PUT"', 'name = "api"'],
)
def test_what_only_the_root_says(text: str) -> None:
    trace = make_two(http=make_request("http://api/x", 404, "PUT"))

    assert not is_found(text, trace)
    assert is_found(f'service("api") {{ {text} }}', trace)


def test_duration_is_of_the_whole_and_responsetime_of_the_root() -> None:
    trace = make_two(end_time=NOON + 3)

    assert is_found("duration = 3 AND responsetime = 0.1", trace)
    assert is_found('service("api") { responsetime = 3 }', trace)
    # The caller's view has the network in it.
    assert is_found('edge("front", "api") { responsetime = 0.1 }', trace)


def test_a_name_alone_is_every_node_of_that_name() -> None:
    """A Lambda function is two."""
    service = make_segment(name="work", origin="AWS::Lambda")
    function = make_segment(
        name="work",
        origin="AWS::Lambda::Function",
        trace_id=service["trace_id"],
        parent_id=service["id"],
        error=True,
    )
    trace = [service, function]

    assert is_found('service("work") { error }', trace)
    assert is_found('service("work") { ok }', trace)
    assert is_found('service(id(type: "AWS::Lambda::Function")) { error }', trace)
    assert not is_found('service(id(name: "work", type: "AWS::Lambda")) { error }', trace)
    assert is_found(
        'edge(id(name: "work", type: "AWS::Lambda"), id(type: "AWS::Lambda::Function"))', trace
    )
    assert not is_found(
        'edge(id(type: "AWS::Lambda::Function"), id(name: "work", type: "AWS::Lambda"))', trace
    )


def test_an_inferred_resource_has_its_own_name() -> None:
    """Whether X-Ray finds the table by its service's name as well is doubtful."""
    call = make_subsegment(name="DynamoDB", namespace="aws", aws={"table_name": "films"})
    trace = [make_segment(name="front", subsegments=[call])]

    assert is_found('service("films") { inferred AND type = "AWS::DynamoDB::Table" }', trace)
    assert not is_found('service("DynamoDB")', trace)


def test_an_inferred_host_is_of_the_type_remote() -> None:
    """Doubtful: the guide has no example."""
    trace = [make_segment(subsegments=[make_subsegment(name="api.net", namespace="remote")])]

    assert is_found('service(id(name: "api.net", type: "remote")) { inferred }', trace)


@pytest.mark.parametrize(
    ("status", "is_ok"), [(200, True), (204, True), (301, False), (404, False), (None, True)]
)
def test_ok_is_a_status_2xx_or_none(status: int | None, is_ok: bool) -> None:
    """Doubtful: of a redirect, and of what has no status, the guide says nothing."""
    http = {"response": {"status": status}} if status else None

    assert is_found("ok", [make_segment(http=http)]) is is_ok


@pytest.mark.parametrize("operator", ["contains", "Contains", "CONTAINS"])
@pytest.mark.parametrize("word", ["and", "AND", "And"])
def test_words_may_be_in_any_case_and_values_not(operator: str, word: str) -> None:
    trace = [make_segment(user="Ada", http=make_request("http://a/", 200))]

    assert is_found(f'user {operator} "Ad" {word} HTTP.Status = 200', trace)
    assert not is_found(f'user {operator} "ad"', trace)


def test_a_root_cause_of_json_leaves_out_what_may_be_anything() -> None:
    cause = {"exceptions": [{"id": "0" * 16, "type": "IOError", "message": "full"}]}
    trace = [make_segment(name="front", origin="AWS::EC2::Instance", fault=True, cause=cause)]

    for json in (
        '[{"Services": [{"Name": "front"}]}]',
        '[{"Services": [{"Type": "AWS::EC2::Instance"}], "ClientImpacting": true}]',
        '[{"Services": [{"EntityPath": [{"Exceptions": [{"Name": "IOError"}]}]}]}]',
    ):
        assert is_found(f"rootcause.json = #{json}", trace)
    for json in (
        '[{"Services": [{"Name": "back"}]}]',
        '[{"Services": [{"Name": "front"}, {"Name": "back"}]}]',
        '[{"Services": [{"Name": "front"}], "ClientImpacting": false}]',
        '[{"Services": [{"EntityPath": [{"Exceptions": [{"Name": "IO"}]}]}]}]',
    ):
        assert not is_found(f"rootcause.json = #{json}", trace)
