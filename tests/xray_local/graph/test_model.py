"""The graph that traces make, in the shapes of the API."""

from typing import Any

import pytest

from tests.xray_local.made import NOON, make_late, make_request, make_segment, make_subsegment
from tests.xray_local.traces.test_elements import gather
from xray_local.graph import build_graph
from xray_local.traces.services import Service
from xray_local.traces.tallies import Shape, Tally, tally_trace

Documents = list[dict[str, Any]]


def draw(*traces: Documents) -> dict[tuple[str, str], dict[str, Any]]:
    """Return the services by name and type."""
    graph = build_graph(tally for trace in traces for tally in tally_trace(gather(*trace)))
    return {(each["Name"], each.get("Type", "")): each for each in graph.to_api()}


def list_edges(services: dict[tuple[str, str], dict[str, Any]]) -> set[tuple[str, str]]:
    """Return who calls whom, by name; clients are called so."""
    names = {
        each["ReferenceId"]: "client" if each.get("Type") == "client" else each["Name"]
        for each in services.values()
    }
    return {
        (names[each["ReferenceId"]], names[edge["ReferenceId"]])
        for each in services.values()
        for edge in each["Edges"]
    }


def make_answered() -> Documents:
    """Return a front that calls an API, which took 0.3 s of the 0.5 s that its caller waited."""
    call = make_subsegment("api.local", namespace="remote", end_time=NOON + 0.5)
    front = make_segment(
        name="front", origin="AWS::EC2::Instance", end_time=NOON + 1, subsegments=[call]
    )
    api = make_segment(
        name="api",
        origin="AWS::ECS::Container",
        parent_id=call["id"],
        trace_id=front["trace_id"],
        start_time=NOON + 0.1,
        end_time=NOON + 0.4,
        fault=True,
    )
    return [front, api]


def test_a_client_calls_the_root() -> None:
    services = draw(make_answered())

    client = services["front", "client"]
    assert client["Name"] == "front"
    assert client["Names"] == ["front"]
    assert client["State"] == "unknown"
    assert "SummaryStatistics" not in client
    assert "Root" not in client
    (edge,) = client["Edges"]
    assert edge["ReferenceId"] == services["front", "AWS::EC2::Instance"]["ReferenceId"]
    assert edge["SummaryStatistics"]["TotalCount"] == 1
    assert edge["SummaryStatistics"]["TotalResponseTime"] == 1.0
    assert list_edges(services) == {("client", "front"), ("front", "api")}


def test_the_root_is_active_and_so_is_every_service_that_sends_segments() -> None:
    services = draw(make_answered())

    front, api = services["front", "AWS::EC2::Instance"], services["api", "AWS::ECS::Container"]
    assert (front["Root"], front["State"]) == (True, "active")
    assert (api.get("Root"), api["State"]) == (None, "active")


def test_a_node_has_its_own_statistics_and_an_edge_its_callers() -> None:
    services = draw(make_answered())

    api = services["api", "AWS::ECS::Container"]
    (edge,) = services["front", "AWS::EC2::Instance"]["Edges"]
    assert api["SummaryStatistics"]["FaultStatistics"]["TotalCount"] == 1
    assert api["SummaryStatistics"]["TotalResponseTime"] == pytest.approx(0.3)
    assert edge["SummaryStatistics"]["OkCount"] == 1
    assert edge["SummaryStatistics"]["TotalResponseTime"] == pytest.approx(0.5)
    (own,), (seen,) = api["ResponseTimeHistogram"], edge["ResponseTimeHistogram"]
    assert own["Value"] == pytest.approx(0.3, rel=0.11)
    assert seen["Value"] == pytest.approx(0.5, rel=0.11)
    assert api["DurationHistogram"] == api["ResponseTimeHistogram"]
    assert edge["Aliases"] == []


def test_resources_of_aws_and_remote_hosts_are_inferred() -> None:
    calls = [
        make_subsegment("DynamoDB", namespace="aws", aws={"table_name": "Movies"}, error=True),
        make_subsegment("sns", namespace="aws"),
        make_subsegment("example.com", namespace="remote"),
        make_subsegment("movies@db", namespace="remote", sql={"url": "postgresql://db/movies"}),
    ]

    services = draw([make_segment(name="front", subsegments=calls)])

    inferred = [each for each in services.values() if each["Name"] != "front"]
    assert {(each["Name"], each["Type"], each["State"]) for each in inferred} == {
        ("Movies", "AWS::DynamoDB::Table", "unknown"),
        ("SNS", "AWS::SNS", "unknown"),
        ("example.com", "remote", "unknown"),
        ("movies@db", "Database::SQL", "unknown"),
    }
    movies = services["Movies", "AWS::DynamoDB::Table"]
    (edge,) = (
        edge
        for edge in services["front", ""]["Edges"]
        if edge["ReferenceId"] == movies["ReferenceId"]
    )
    # All that is known of the node is what its caller saw.
    assert movies["SummaryStatistics"] == edge["SummaryStatistics"]
    assert movies["SummaryStatistics"]["ErrorStatistics"]["OtherCount"] == 1


def test_a_lambda_function_has_a_node_of_the_service_before_it() -> None:
    service = make_segment(name="resize", origin="AWS::Lambda")
    function = make_segment(
        name="resize",
        origin="AWS::Lambda::Function",
        parent_id=service["id"],
        trace_id=service["trace_id"],
    )

    services = draw([service, function])

    assert set(services) == {
        ("resize", "AWS::Lambda"),
        ("resize", "AWS::Lambda::Function"),
        ("resize", "client"),
    }
    (edge,) = services["resize", "AWS::Lambda"]["Edges"]
    assert edge["ReferenceId"] == services["resize", "AWS::Lambda::Function"]["ReferenceId"]
    assert services["resize", "AWS::Lambda"]["Root"] is True
    assert "Root" not in services["resize", "AWS::Lambda::Function"]


def test_the_same_services_of_many_traces_are_one_node_each() -> None:
    services = draw(*[make_answered() for _ in range(5)])

    assert len(services) == 3
    assert services["api", "AWS::ECS::Container"]["SummaryStatistics"]["TotalCount"] == 5
    assert services["front", "client"]["Edges"][0]["SummaryStatistics"]["TotalCount"] == 5


def test_what_is_in_progress_is_drawn_but_not_counted() -> None:
    services = draw([make_segment(name="front", end_time=None, in_progress=True)])

    assert services["front", ""]["SummaryStatistics"]["TotalCount"] == 0
    assert services["front", ""]["State"] == "active"


def test_accounts_are_told_apart() -> None:
    traces = [[make_segment(name="front", aws={"account_id": account})] for account in ("1", "2")]

    graph = build_graph(tally for trace in traces for tally in tally_trace(gather(*trace)))

    accounts = [each["AccountId"] for each in graph.to_api() if each.get("Type") != "client"]
    assert accounts == ["1", "2"]


def test_numbers_are_the_same_in_whatever_order_traces_came() -> None:
    traces = [make_answered(), [make_segment(name="other")], [make_segment(name="another")]]

    forward, backward = draw(*traces), draw(*reversed(traces))

    numbers = {key: each["ReferenceId"] for key, each in forward.items()}
    assert numbers == {key: each["ReferenceId"] for key, each in backward.items()}
    assert sorted(numbers.values()) == list(range(len(numbers)))


def test_numbers_begin_with_roots_and_end_with_clients() -> None:
    services = draw(
        [make_segment(name="z")],
        make_answered(),
        [make_late(make_segment(), name="a", namespace="remote")],
    )

    order = sorted(services, key=lambda key: services[key]["ReferenceId"])
    assert order == [
        ("front", "AWS::EC2::Instance"),
        ("z", ""),
        ("api", "AWS::ECS::Container"),
        ("a", "remote"),
        ("front", "client"),
        ("z", "client"),
    ]


def test_a_service_that_calls_itself() -> None:
    call = make_subsegment("front", namespace="remote")
    root = make_segment(name="front", subsegments=[call])
    again = make_segment(name="front", parent_id=call["id"], trace_id=root["trace_id"])

    services = draw([root, again])

    assert list_edges(services) == {("client", "front"), ("front", "front")}
    assert services["front", ""]["SummaryStatistics"]["TotalCount"] == 2
    # Only one of the two requests came from the client.
    assert services["front", "client"]["Edges"][0]["SummaryStatistics"]["TotalCount"] == 1


def test_a_call_whose_caller_never_came_has_no_edge() -> None:
    lost = make_late(make_segment(), name="S3", namespace="aws")

    services = draw([lost])

    assert set(services) == {("S3", "AWS::S3")}
    assert list_edges(services) == set()


def test_a_redirect_counts_as_ok_so_that_the_parts_add_up() -> None:
    services = draw([make_segment(name="front", http=make_request("http://a/", 302))])

    statistics = services["front", ""]["SummaryStatistics"]
    assert (statistics["OkCount"], statistics["TotalCount"]) == (1, 1)


def test_times_reach_from_the_first_start_to_the_last_end() -> None:
    early = [make_segment(name="front", start_time=NOON, end_time=NOON + 1)]
    late = [make_segment(name="front", start_time=NOON + 5, end_time=NOON + 9)]

    services = draw(late, early)

    for each in services.values():
        assert (each["StartTime"], each["EndTime"]) == (NOON, NOON + 9)


def test_a_call_whose_ends_are_not_counted_has_its_times() -> None:
    front, api = (Service(name, None, None) for name in ("front", "api"))
    shape = Shape(front, api, False, True, *(False,) * 6)

    services = build_graph([Tally(shape, 1, 0.1, {0: 1}, NOON, NOON + 1)]).to_api()

    assert [(each["StartTime"], each["EndTime"]) for each in services] == [(NOON, NOON + 1)] * 2
    assert [each["SummaryStatistics"]["TotalCount"] for each in services] == [0, 0]
