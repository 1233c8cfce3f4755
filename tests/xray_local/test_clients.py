"""Traces of clients that were not written here, each in a process of its own.

aws-xray-sdk for Python and for Node, OpenTelemetry's SDK for Python (protobuf) and for Node (JSON),
and what ADOT's distribution sends by UDP. What arrives is read with boto3.
"""

import json
import os
import shutil
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import pytest

from tests.processes import ROOT
from tests.xray_local.made import wait_until
from tests.xray_local.program import Program

CLIENTS = Path(__file__).parent / "clients"
needs_node = pytest.mark.skipif(
    shutil.which("node") is None or not (ROOT / "node_modules" / "aws-xray-sdk").exists(),
    reason="Node's tracers are not installed; install Node 20 or newer with npm, then run: npm ci",
)
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
    (inner,) = outer["subsegments"]
    assert without_times(document, "aws", "service", "metadata") == {
        "name": "sdk",
        "http": {"request": {"url": "http://sdk.local/a"}, "response": {"status": 200}},
        "annotations": {"answer": 42},
        "user": "ada",
        "in_progress": False,
    }
    assert document["aws"]["xray"]["sdk"] == "X-Ray for Python"
    assert document["service"]["runtime"] == "CPython"
    assert inner["metadata"] == {"default": {"number": 0}}
    (exception,) = failing["cause"]["exceptions"]
    assert (exception["type"], exception["message"]) == ("ValueError", "on purpose")
    assert failing["fault"] is True
    summary = fetch_summary(client, trace_id)
    assert summary["Http"] == {"HttpURL": "http://sdk.local/a", "HttpStatus": 200}
    assert get_values(summary) == {"answer": 42.0}
    assert [each["UserName"] for each in summary["Users"]] == ["ada"]
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


def run_client(program: Program, command: str, script: str, *arguments: str, **others: str) -> str:
    """Run a program of the folder `clients`; return what it says."""
    ran = subprocess.run(
        [command, CLIENTS / script, *arguments],
        capture_output=True,
        text=True,
        timeout=60,
        cwd=ROOT,
        env={
            "PATH": os.environ["PATH"],
            "AWS_XRAY_DAEMON_ADDRESS": f"127.0.0.1:{program.port}",
            "OTEL_EXPORTER_OTLP_ENDPOINT": program.otlp_url,
            **others,
        },
    )
    assert ran.returncode == 0, ran.stderr
    return ran.stdout.strip()


def fetch_documents(client: Any, trace_id: str, number: int) -> list[dict[str, Any]]:
    """Return the documents of the trace as soon as they hold that many elements."""

    def find() -> Any:
        traces = client.batch_get_traces(TraceIds=[trace_id])["Traces"]
        texts = [each["Document"] for each in traces[0]["Segments"]] if traces else []
        documents = [json.loads(text) for text in texts]
        sent = [each for each in documents if not each.get("inferred")]
        return sum(map(count_elements, sent)) >= number and documents

    return list(wait_until(find))


def count_elements(document: dict[str, Any]) -> int:
    return 1 + sum(map(count_elements, document.get("subsegments", ())))


def fetch_summary(client: Any, trace_id: str, expression: str = "duration >= 0") -> dict[str, Any]:
    """Return the trace's summary, found as clients do that ask for the last minutes."""
    now = time.time()
    pages = client.get_paginator("get_trace_summaries").paginate(
        StartTime=now - 300, EndTime=now + 60, FilterExpression=expression
    )
    found = [each for page in pages for each in page["TraceSummaries"] if each["Id"] == trace_id]
    assert len(found) == 1
    return dict(found[0])


def write_trace_id(text: str) -> str:
    return f"1-{text[:8]}-{text[8:]}"


def without_times(document: dict[str, Any], *others: str) -> dict[str, Any]:
    """Return the document less its ids, its times and its subsegments, having looked at them."""
    assert len(document["id"]) == 16
    assert time.time() - 300 < document["start_time"] <= document["end_time"] < time.time()
    left_out = ("id", "trace_id", "start_time", "end_time", "subsegments", "parent_id", *others)
    return {key: value for key, value in document.items() if key not in left_out}


def get_values(summary: dict[str, Any]) -> dict[str, Any]:
    """Return the summary's annotations, each by its only value."""
    return {
        key: next(iter(found[0]["AnnotationValue"].values()))
        for key, found in summary["Annotations"].items()
    }


@needs_node
def test_sdk_for_node(shared_xray: Program, client: Any) -> None:
    url = f"{shared_xray.url}/counts?verbose=1"
    trace_id = run_client(shared_xray, "node", "xray_sdk.js", url)

    documents = fetch_documents(client, trace_id, 5)
    summary = fetch_summary(client, trace_id)

    segment = next(each for each in documents if not each.get("inferred"))
    versions = segment["service"].pop("runtime_version"), segment["aws"]["xray"].pop("sdk_version")
    assert all(versions)
    assert without_times(segment) == {
        "name": "node shop",
        "service": {"runtime": "node", "version": "unknown", "name": "unknown"},
        "aws": {"xray": {"sdk": "X-Ray for Node.js", "package": "aws-xray-sdk"}},
        "user": "ada",
        "annotations": {"answer": 42, "is_new": True},
        "metadata": {"orders": {"basket": {"tea": 2}}},
        "http": {"request": {"method": "POST", "url": "http://shop.local/order"}},
    }
    (outer,) = segment["subsegments"]
    assert without_times(outer) == {"name": "outer", "annotations": {"step": "first"}}
    inner, failing, asking = outer["subsegments"]
    assert without_times(inner) == {"name": "inner", "metadata": {"default": {"number": 7}}}
    (exception,) = failing["cause"]["exceptions"]
    assert without_times(failing, "cause") == {"name": "failing", "fault": True}
    assert failing["cause"]["working_directory"] == str(ROOT)
    assert (exception["type"], exception["message"]) == ("TypeError", "on purpose")
    assert exception["stack"][0]["path"] == str(CLIENTS / "xray_sdk.js")
    response = asking["http"].pop("response")
    assert (response["status"], response["content_length"] > 0) == (200, True)
    assert without_times(asking) == {
        "name": "127.0.0.1",
        "namespace": "remote",
        # This SDK leaves out port and query.
        "http": {"request": {"url": "http://127.0.0.1/counts", "method": "GET"}},
    }
    (inferred,) = (each for each in documents if each.get("inferred"))
    assert (inferred["name"], inferred["parent_id"]) == ("127.0.0.1", asking["id"])
    assert summary["Http"] == {"HttpURL": "http://shop.local/order", "HttpMethod": "POST"}
    assert get_values(summary) == {"answer": 42.0, "is_new": True, "step": "first"}
    assert [each["UserName"] for each in summary["Users"]] == ["ada"]
    assert summary["EntryPoint"]["Name"] == "node shop"
    assert {each["Name"] for each in summary["ServiceIds"]} == {"node shop", "127.0.0.1"}
    assert (summary["HasFault"], summary["HasError"]) == (False, False)


FILTER = (
    'annotation[is.new] = true AND annotation[otel.resource.service.name] = "shop" '
    'AND user = "ada" AND edge("shop", "127.0.0.1")'
)
GENERATED = ("telemetry.sdk.version", "service.instance.id")
RESOURCE = {
    "otel.resource.telemetry.sdk.language": "python",
    "otel.resource.telemetry.sdk.name": "opentelemetry",
    "otel.resource.service.name": "shop",
    "otel.resource.service.version": "1.2",
    "otel.resource.cloud.provider": "aws",
    "otel.resource.cloud.platform": "aws_ec2",
    "otel.resource.host.id": "i-1234",
}


@pytest.mark.parametrize(
    ("way", "variables"),
    [
        ("http", {}),
        (
            "http",
            {
                "OTEL_EXPORTER_OTLP_COMPRESSION": "gzip",
                "OTEL_SEMCONV_STABILITY_OPT_IN": "http,database",
            },
        ),
        ("udp", {}),
    ],
    ids=["http", "http-gzip-stable", "udp"],
)
def test_opentelemetry_for_python(
    shared_xray: Program, client: Any, way: str, variables: dict[str, str]
) -> None:
    """Django's, sqlite3's and urllib's instrumentations; by UDP it is ADOT's exporter."""
    url = f"{shared_xray.url}/counts?verbose=1"
    said = run_client(shared_xray, sys.executable, "otel_django.py", way, url, **variables)
    order, worker, failed = map(write_trace_id, said.split())

    check_order(client, order, url, is_stable=bool(variables))
    check_worker(client, worker, order)
    check_failure(client, failed)


def check_order(client: Any, trace_id: str, url: str, *, is_stable: bool) -> None:
    documents = fetch_documents(client, trace_id, 3)
    (segment,) = (each for each in documents if not each.get("inferred"))
    annotations = segment["annotations"]
    versions = [annotations.pop(f"otel.resource.{key}") for key in GENERATED]
    event = segment["metadata"]["otel"]["events"][0]
    assert event.pop("time") >= segment["start_time"]
    request = {
        "url": "http://shop.local:8080/orders/7?from=mail",
        "method": "GET",
        "user_agent": "shopper/1",
        "client_ip": "192.0.2.7",
    }
    assert without_times(segment) == {
        "name": "shop",
        "origin": "AWS::EC2::Instance",
        "http": {
            "request": request | ({"x_forwarded_for": True} if is_stable else {}),
            "response": {"status": 200},
        },
        "user": "ada",
        "aws": {
            "ec2": {"instance_id": "i-1234"},
            "xray": {"sdk": "opentelemetry for python", "sdk_version": versions[0]},
        },
        "service": {"version": "1.2"},
        "annotations": RESOURCE
        | {
            "network.protocol.version" if is_stable else "http.flavor": "1.1",
            "http.route": "orders/<int:number>",
            "answer": 42,
            "half": 0.5,
            "is.new": True,
        },
        "metadata": {
            "default": {"basket": ["tea", "milk"]},
            "otel": {
                "name": "GET orders/<int:number>",
                "kind": "SERVER",
                "scope": "opentelemetry.instrumentation.django",
                "events": [{"name": "ordered", "attributes": {"number": 7}}],
            },
        },
    }
    query, asking = segment["subsegments"]
    assert without_times(query, "metadata", "type") == {
        "name": "sqlite",
        "namespace": "remote",
        "sql": {
            "url": "SELECT",
            "connection_string": "localhost/",
            "database_type": "sqlite",
            "sanitized_query": "SELECT ?",
        },
    }
    assert without_times(asking, "metadata", "type") == {
        "name": "127.0.0.1",
        "namespace": "remote",
        "http": {"request": {"url": url, "method": "GET"}, "response": {"status": 200}},
    }
    assert asking["metadata"]["otel"]["scope"] == "opentelemetry.instrumentation.urllib"
    inferred = {each["name"]: each for each in documents if each.get("inferred")}
    assert inferred["127.0.0.1"]["parent_id"] == asking["id"]

    graph = client.get_trace_graph(TraceIds=[trace_id])["Services"]
    types = {each["Name"]: each["Type"] for each in graph if each["Type"] != "client"}
    assert types == {
        "shop": "AWS::EC2::Instance",
        "sqlite": "Database::SQL",
        "127.0.0.1": "remote",
    }
    summary = fetch_summary(client, trace_id, FILTER)
    assert summary["EntryPoint"]["Name"] == "shop"
    assert summary["EntryPoint"]["Type"] == "AWS::EC2::Instance"
    assert summary["Http"] == {
        "HttpURL": request["url"],
        "HttpMethod": "GET",
        "HttpStatus": 200,
        "UserAgent": "shopper/1",
        "ClientIp": "192.0.2.7",
    }
    values = get_values(summary)
    assert (values["answer"], values["half"], values["is.new"]) == (42.0, 0.5, True)
    assert [each["UserName"] for each in summary["Users"]] == ["ada"]
    assert [each["Id"] for each in summary["InstanceIds"]] == ["i-1234"]
    assert {each["Name"] for each in summary["ServiceIds"]} >= {"shop", "127.0.0.1"}
    assert summary["Duration"] >= summary["ResponseTime"] > 0
    assert not summary["HasFault"]
    assert not summary["IsPartial"]


def check_worker(client: Any, trace_id: str, order: str) -> None:
    (segment,) = fetch_documents(client, trace_id, 1)
    (ordered,) = (each for each in fetch_documents(client, order, 3) if each["name"] == "shop")

    assert segment["name"] == "orders process"
    assert segment["links"] == [
        {"trace_id": order, "id": ordered["id"], "attributes": {"messaging.system": "sqs"}}
    ]


def check_failure(client: Any, trace_id: str) -> None:
    (segment,) = fetch_documents(client, trace_id, 1)
    summary = fetch_summary(client, trace_id)

    top, cause = segment["cause"]["exceptions"]
    assert segment["fault"] is True
    assert (top["type"], top["message"], top["remote"]) == ("ValueError", "on purpose", False)
    assert (cause["type"], cause["message"], cause["id"]) == ("KeyError", "'tea'", top["cause"])
    assert top["stack"][0] == cause["stack"][0] | {"line": top["stack"][0]["line"]}
    assert top["stack"][0]["path"] == str(CLIENTS / "otel_django.py")
    assert top["stack"][0]["label"] == "fail"
    assert summary["HasFault"]
    assert summary["Http"]["HttpStatus"] == 500
    (service,) = summary["FaultRootCauses"][0]["Services"]
    assert service["Name"] == "shop"
    assert service["EntityPath"][0]["Exceptions"][0]["Name"] == "ValueError"


@needs_node
@pytest.mark.parametrize("compression", ["none", "gzip"])
def test_opentelemetry_for_node(shared_xray: Program, client: Any, compression: str) -> None:
    """Its exporter writes JSON, and sends it in chunks."""
    trace_id = write_trace_id(
        run_client(shared_xray, "node", "otlp.js", OTEL_EXPORTER_OTLP_COMPRESSION=compression)
    )

    documents = fetch_documents(client, trace_id, 3)
    summary = fetch_summary(client, trace_id)

    (segment,) = (each for each in documents if not each.get("inferred"))
    assert without_times(segment, "annotations", "aws") == {
        "name": "node shop",
        "fault": True,
        "http": {
            "request": {"method": "POST", "url": "http://shop.local/order"},
            "response": {"status": 500},
        },
        "metadata": {
            "default": {"basket": ["tea", "milk"]},
            "otel": {"name": "POST /order", "kind": "SERVER", "scope": "shop"},
        },
    }
    assert segment["aws"]["xray"]["sdk"] == "opentelemetry for nodejs"
    annotations = {"answer": 42, "half": 0.5, "is.new": True}
    assert annotations.items() <= segment["annotations"].items()
    work, asking = segment["subsegments"]
    (exception,) = work["cause"]["exceptions"]
    assert (work["name"], work["fault"]) == ("work", True)
    assert (exception["type"], exception["message"]) == ("TypeError", "on purpose")
    assert exception["stack"][0]["path"] == str(CLIENTS / "otlp.js")
    assert (asking["name"], asking["namespace"]) == ("stock.local", "remote")
    assert asking["http"] == {"request": {"url": "http://stock.local/a"}}
    assert get_values(summary) | annotations == get_values(summary)
    assert {each["Name"] for each in summary["ServiceIds"]} == {"node shop", "stock.local"}
    assert summary["HasFault"]
