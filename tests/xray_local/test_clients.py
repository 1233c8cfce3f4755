"""Segments of a client that was not written here: aws-xray-sdk, in a process of its own."""

import json
import os
import subprocess
import sys
from typing import Any

from tests.processes import ROOT
from tests.xray_local.made import wait_until
from tests.xray_local.program import Program

PROGRAM = """
from aws_xray_sdk.core import xray_recorder

xray_recorder.configure(service="sdk", context_missing="LOG_ERROR", sampling={sampling})
with xray_recorder.in_segment("sdk") as segment:
    segment.put_http_meta("url", "http://sdk.local/a")
    segment.put_http_meta("status", 200)
    segment.put_annotation("answer", 42)
    segment.set_user("ada")
    with xray_recorder.in_subsegment("outer"):
        for number in range({number}):
            with xray_recorder.in_subsegment(f"inner {{number}}") as inner:
                inner.put_metadata("number", number)
    try:
        with xray_recorder.in_subsegment("failing"):
            raise ValueError("on purpose")
    except ValueError:
        pass
    print(segment.trace_id)
"""


def run_sdk(
    program: Program, *, number: int = 1, sampling: bool = False, **environment: str
) -> str:
    """Run a program that is traced by the SDK; return the id of its trace."""
    ran = subprocess.run(
        [sys.executable, "-c", PROGRAM.format(number=number, sampling=sampling)],
        capture_output=True,
        text=True,
        check=True,
        cwd=ROOT,
        env={
            "PATH": os.environ["PATH"],
            "AWS_XRAY_DAEMON_ADDRESS": f"127.0.0.1:{program.port}",
        },
    )
    assert "Failed" not in ran.stderr
    return ran.stdout.strip()


def wait_for_trace(program: Program, client: Any, trace_id: str) -> dict[str, Any]:
    """Return the one document of the trace, complete."""

    def find() -> Any:
        traces = client.batch_get_traces(TraceIds=[trace_id])["Traces"]
        documents = (
            [json.loads(each["Document"]) for each in traces[0]["Segments"]] if traces else []
        )
        return len(documents) == 1 and documents[0].get("end_time") and documents[0]

    return dict(wait_until(find))


def test_sdk(shared_xray: Program, client: Any) -> None:
    trace_id = run_sdk(shared_xray)

    document = wait_for_trace(shared_xray, client, trace_id)
    page = shared_xray.fetch(f"/traces/{trace_id}")

    outer, failing = document["subsegments"]
    assert outer["subsegments"][0]["metadata"] == {"default": {"number": 0}}
    assert failing["cause"]["exceptions"][0]["message"] == "on purpose"
    assert document["annotations"] == {"answer": 42}
    for text in ("ValueError", "on purpose", "inner 0", "sdk.local", "ada"):
        assert text in page


def test_sdk_streams_subsegments_before_their_segment(shared_xray: Program, client: Any) -> None:
    trace_id = run_sdk(shared_xray, number=150)

    document = wait_for_trace(shared_xray, client, trace_id)

    assert document["name"] == "sdk"
    inner = next(each for each in document["subsegments"] if each["name"] == "outer")["subsegments"]
    assert [each["name"] for each in inner] == [f"inner {number}" for number in range(150)]
    assert "in progress" not in shared_xray.fetch(f"/traces/{trace_id}")


def test_sdk_samples_by_our_rules(shared_xray: Program, client: Any) -> None:
    trace_id = run_sdk(shared_xray, sampling=True)

    assert wait_for_trace(shared_xray, client, trace_id)


def test_sdk_on_lambda_whose_segment_never_comes(shared_xray: Program, client: Any) -> None:
    root, parent = "1-5759e988-bd862e3fe1be46a994272793", "53995c3f42cd8ad8"
    script = (
        "from aws_xray_sdk.core import xray_recorder\n"
        "with xray_recorder.in_subsegment('outer'):\n"
        "    with xray_recorder.in_subsegment('inner'):\n"
        "        pass\n"
    )
    subprocess.run(
        [sys.executable, "-c", script],
        check=True,
        cwd=ROOT,
        env={
            "PATH": os.environ["PATH"],
            "LAMBDA_TASK_ROOT": "/var/task",
            "_X_AMZN_TRACE_ID": f"Root={root};Parent={parent};Sampled=1",
            "AWS_XRAY_DAEMON_ADDRESS": f"127.0.0.1:{shared_xray.port}",
        },
    )

    def find() -> Any:
        traces = client.batch_get_traces(TraceIds=[root])["Traces"]
        return traces and "subsegments" in traces[0]["Segments"][0]["Document"] and traces[0]

    (segment,) = wait_until(find)["Segments"]
    document = json.loads(segment["Document"])
    page = shared_xray.fetch(f"/traces/{root}")

    assert document["parent_id"] == parent
    assert [each["name"] for each in document["subsegments"]] == ["inner"]
    assert "flag-orphan" in page
    assert page.count("flag-orphan") == 1
