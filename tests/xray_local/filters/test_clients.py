"""Filters as clients send them: boto3, the AWS CLI, and a browser."""

import json
import os
import shutil
import subprocess
from typing import Any

import pytest

from tests.xray_local.conftest import Console, Store
from tests.xray_local.console.test_pages import Elements
from tests.xray_local.made import (
    NOON,
    TRACES,
    make_request,
    make_segment,
    make_subsegment,
    wait_until,
)
from tests.xray_local.program import Program
from xray_local.store import queries

LATER = NOON + 5000


def put(client: Any, *documents: dict[str, Any]) -> None:
    client.put_trace_segments(TraceSegmentDocuments=[json.dumps(each) for each in documents])
    ids = [each["trace_id"] for each in documents]
    wait_until(lambda: len(client.batch_get_traces(TraceIds=ids)["Traces"]) == len(set(ids)))


def find(client: Any, expression: str) -> list[str]:
    pages = client.get_paginator("get_trace_summaries").paginate(
        StartTime=LATER - 1, EndTime=LATER + 1, FilterExpression=expression
    )
    return [each["Id"] for page in pages for each in page["TraceSummaries"]]


def test_boto3(client: Any) -> None:
    call = make_subsegment(name="S3", namespace="aws", aws={"bucket_name": "boto3"}, error=True)
    good = make_segment(start_time=LATER, annotations={"case": "boto3"}, subsegments=[call])
    bad = make_segment(
        start_time=LATER,
        fault=True,
        annotations={"case": "boto3"},
        http=make_request("http://boto3/é", 500),
    )
    put(client, good, bad)

    assert find(client, 'annotation.case = "boto3" AND fault') == [bad["trace_id"]]
    assert find(client, 'http.url = "http://boto3/é"') == [bad["trace_id"]]
    assert find(client, 'service("boto3") { error }') == [good["trace_id"]]
    assert find(client, 'edge("movies", "boto3")') == [good["trace_id"]]
    assert find(client, 'rootcause.error.service { last AND name = "boto3" }') == [good["trace_id"]]
    assert sorted(find(client, 'annotation[case] = "boto3"')) == sorted(
        each["trace_id"] for each in (good, bad)
    )


def run_aws(program: Program, expression: str) -> subprocess.CompletedProcess[str]:
    aws = shutil.which("aws")
    if aws is None:
        pytest.skip("needs the AWS CLI")
    return subprocess.run(
        [
            *(aws, "xray", "get-trace-summaries", "--endpoint-url", program.url),
            *("--start-time", str(int(LATER) - 1), "--end-time", str(int(LATER) + 1)),
            *("--filter-expression", expression, "--query", "TraceSummaries[].Id"),
            *("--output", "json", "--region", "us-east-1"),
        ],
        capture_output=True,
        text=True,
        env={
            "PATH": os.environ["PATH"],
            "HOME": str(program.database.parent),
            "AWS_ACCESS_KEY_ID": "local",
            "AWS_SECRET_ACCESS_KEY": "local",
        },
    )


def test_aws_cli(shared_xray: Program, client: Any) -> None:
    segment = make_segment(start_time=LATER, user="cli", throttle=True)
    put(client, segment, make_segment(start_time=LATER))

    found = run_aws(shared_xray, 'user = "cli" throttle')

    assert json.loads(found.stdout) == [segment["trace_id"]]


def test_aws_cli_wrong_expression(shared_xray: Program) -> None:
    refused = run_aws(shared_xray, "user = cli")

    assert "InvalidRequestException" in refused.stderr
    assert "at character 8: expected a text in quotation marks, got 'cli'." in refused.stderr


@pytest.mark.parametrize("expression", [5, ["fault"], {}])
def test_api_expression_that_is_no_text(console: Console, expression: Any) -> None:
    fields = {"StartTime": 1, "EndTime": 2, "FilterExpression": expression}

    response = console.post("/TraceSummaries", fields)

    if expression:
        assert response.status_code == 400
        assert "Expected a text as FilterExpression" in response.json()["Message"]


def test_api_pages_count_what_did_not_fit(console: Console, store: Store) -> None:
    # Every fifth of 1,000; a page holds 100.
    store(*[make_segment(start_time=NOON + n, fault=n % 5 == 0 or None) for n in range(1000)])
    fields = {"StartTime": NOON, "EndTime": NOON + 1000, "FilterExpression": "fault"}

    first = console.post("/TraceSummaries", fields).json()
    second = console.post("/TraceSummaries", fields | {"NextToken": first["NextToken"]}).json()

    assert [len(each["TraceSummaries"]) for each in (first, second)] == [100, 100]
    # Down to the 500th, the newest first, then the rest.
    assert [each["TracesProcessedCount"] for each in (first, second)] == [500, 500]
    assert first["ApproximateTime"] == NOON + 500
    assert "NextToken" not in second


def test_api_page_that_python_decides_on_is_cut_where_it_takes_long(
    console: Console, store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(queries, "EXAMINED_MAX", 10)
    segments = [make_segment(start_time=NOON + n, fault=True) for n in range(25)]
    segments[3]["name"] = "rare"
    store(*segments)
    fields: dict[str, Any] = {
        "StartTime": NOON,
        "EndTime": NOON + 100,
        "FilterExpression": 'rootcause.fault.service { name = "rare" }',
    }

    pages = []
    while True:
        pages.append(console.post("/TraceSummaries", fields).json())
        if "NextToken" not in pages[-1]:
            break
        fields["NextToken"] = pages[-1]["NextToken"]

    assert [len(page["TraceSummaries"]) for page in pages] == [0, 0, 1]
    assert [page["TracesProcessedCount"] for page in pages] == [10, 10, 5]
    # ApproximateTime says how far the page came, though it found nothing.
    assert [page["ApproximateTime"] for page in pages[:2]] == [NOON + 15, NOON + 5]


def test_console_filters(console: Console, store: Store) -> None:
    good = make_segment(start_time=NOON)
    bad = [make_segment(start_time=NOON + n, fault=True) for n in range(60)]
    store(good, *bad)

    page = console.page(f"{TRACES}&filter=fault")

    assert good["trace_id"] not in page
    assert bad[-1]["trace_id"] in page
    (following,) = (
        attributes["href"]
        for tag, attributes in Elements(page).found
        if tag == "a" and "after=" in (attributes.get("href") or "")
    )
    assert following is not None
    assert "&filter=fault&" in following
    assert bad[0]["trace_id"] in console.page(f"/traces{following}")


def test_console_filter_box_holds_what_was_asked(console: Console, store: Store) -> None:
    store(make_segment())
    expression = 'user = "<b>"'

    page = console.page(f"{TRACES}&filter=user+%3D+%22%3Cb%3E%22")

    (box,) = (
        attributes for _, attributes in Elements(page).found if attributes.get("id") == "filter"
    )
    assert box["value"] == expression
    assert "No trace fits the filter" in page
    assert "<b>" not in page


def test_console_wrong_filter(console: Console) -> None:
    page = console.page("/traces?filter=duration+%3E+fast")

    assert "at character 12: expected a number, got" in page
    assert 'aria-invalid="true"' in page
    assert "duration &gt; fast" in page


def test_console_knows_the_groups(console: Console, store: Store) -> None:
    bad, good = make_segment(fault=True), make_segment()
    store(bad, good)
    console.post("/CreateGroup", {"GroupName": "broken", "FilterExpression": "fault"})

    page = console.page(f"{TRACES}&filter=group.name+%3D+%22broken%22")

    assert bad["trace_id"] in page
    assert good["trace_id"] not in page


def test_console_nothing_found_so_far(
    console: Console, store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(queries, "EXAMINED_MAX", 2)
    store(*[make_segment(start_time=NOON + n, fault=True) for n in range(5)])

    page = console.page(f"{TRACES}&filter=rootcause.fault.entity+%7B+name+%3D+%22x%22+%7D")

    assert "None of the 2 traces looked at fits" in page
    assert "Search the others" in page
