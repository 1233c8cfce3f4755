"""What the services send to X-Ray: who is beneath whom, when, and what went wrong."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.conftest import Daemon
from tests.lambda_local.running import NAME, run_lambda

Documents = dict[str, dict[str, Any]]
ROOT = "1-67891233-abcdef012345678912345678"
PARENT = "53995c3f42cd8ad8"


@pytest.fixture
def receiver() -> Iterator[Daemon]:
    daemon = Daemon()
    yield daemon
    daemon.close()


def by_origin(receiver: Daemon, count: int) -> Documents:
    documents = receiver.documents(count)
    assert len(documents) == count
    return {document["origin"].removeprefix("AWS::"): document for document in documents}


def find_parts(document: dict[str, Any]) -> Documents:
    return {part["name"]: part for part in document["subsegments"]}


def test_a_request_of_the_stage(tmp_path: Path, receiver: Daemon) -> None:
    with run_lambda(tmp_path, "limits.echo_over_http", xray_address=receiver.address) as local:
        answer = local.ask("/dev/movies/?q=1", headers={"User-Agent": "tests"})
        sent = by_origin(receiver, 3)

    stage, service, function = (
        sent[origin] for origin in ("ApiGateway::Stage", "Lambda", "Lambda::Function")
    )
    root = answer.headers["X-Amzn-Trace-Id"].partition(";")[0]
    assert {f"Root={each['trace_id']}" for each in sent.values()} == {root}
    # Who is beneath whom.
    assert "parent_id" not in stage
    assert service["parent_id"] == find_parts(stage)["Lambda"]["id"]
    assert function["parent_id"] == service["id"]
    assert (stage["name"], service["name"], function["name"]) == ("api/dev", NAME, NAME)
    # What they tell.
    request = stage["http"]["request"]
    assert request["method"] == "GET"
    assert request["url"].endswith("/dev/movies/")
    assert request["user_agent"] == "tests"
    assert stage["http"]["response"] == {"status": 200, "content_length": len(answer.content)}
    assert stage["aws"]["api_gateway"]["stage"] == "dev"
    assert find_parts(stage)["Lambda"]["aws"]["function_name"] == NAME
    assert service["http"]["response"]["status"] == 200
    assert not {"fault", "error", "throttle"} & (stage.keys() | service.keys() | function.keys())
    # When: each within the one above, but for the start, which lies before.
    parts = find_parts(function)
    assert list(parts) == ["Initialization", "Invocation", "Overhead"]
    assert parts["Initialization"]["end_time"] <= function["start_time"]
    assert function["start_time"] == parts["Invocation"]["start_time"]
    assert parts["Invocation"]["end_time"] == parts["Overhead"]["start_time"]
    assert parts["Overhead"]["end_time"] == function["end_time"]
    assert stage["start_time"] <= service["start_time"] <= function["start_time"]
    assert function["end_time"] <= service["end_time"] <= stage["end_time"]


def test_what_the_function_is_told(tmp_path: Path, receiver: Daemon) -> None:
    """Its own subsegments hang beneath Invocation; a warm one has no Initialization."""
    with run_lambda(tmp_path, "limits.describe", xray_address=receiver.address) as local:
        local.invoke()
        by_origin(receiver, 2)
        receiver.datagrams.clear()
        header = local.invoke().json()["environment"]["_X_AMZN_TRACE_ID"]
        sent = by_origin(receiver, 2)

    fields = dict(field.split("=") for field in header.split(";"))
    parts = find_parts(sent["Lambda::Function"])
    assert list(parts) == ["Invocation", "Overhead"]
    assert fields["Parent"] == parts["Invocation"]["id"]
    assert fields["Root"] == sent["Lambda"]["trace_id"]
    assert fields["Sampled"] == "1"
    assert fields["Lineage"].startswith("1:")


@pytest.mark.parametrize(("sampled", "count"), [("1", 2), ("0", 0)])
def test_a_decision_that_was_made(
    tmp_path: Path, receiver: Daemon, sampled: str, count: int
) -> None:
    header = f"Root={ROOT};Parent={PARENT};Sampled={sampled}"
    with run_lambda(tmp_path, "limits.describe", xray_address=receiver.address) as local:
        answer = local.invoke(**{"X-Amzn-Trace-Id": header})
        sent = by_origin(receiver, count)

    told = answer.json()["environment"]["_X_AMZN_TRACE_ID"]
    assert told.startswith(f"Root={ROOT};Parent=")
    assert f";Sampled={sampled};" in told
    if sent:
        assert sent["Lambda"]["parent_id"] == PARENT


@pytest.mark.parametrize(
    ("handler", "type_", "message"),
    [
        ("limits.raise_error", "Oops", "too bad"),
        ("limits.kill_itself", "Runtime.ExitError", "signal: killed"),
        ("limits.sleep", "Sandbox.Timedout", "Task timed out"),
        ("raises_at_import.answer", "ValueError", "at import"),
    ],
)
def test_faults(tmp_path: Path, receiver: Daemon, handler: str, type_: str, message: str) -> None:
    with run_lambda(
        tmp_path,
        handler,
        "--timeout",
        "1" if handler == "limits.sleep" else "29",
        xray_address=receiver.address,
    ) as local:
        assert local.ask("/dev/").status_code == 502
        sent = by_origin(receiver, 3)

    function = sent["Lambda::Function"]
    [exception] = function["cause"]["exceptions"]
    assert function["fault"]
    assert exception["type"] == type_
    assert message in exception["message"]
    if handler == "limits.raise_error":
        assert exception["stack"][-1]["label"] == "raise_error"
    assert sent["ApiGateway::Stage"]["fault"]
    assert sent["ApiGateway::Stage"]["http"]["response"]["status"] == 502
    # To invoke it went well.
    assert "fault" not in sent["Lambda"]
    assert sent["Lambda"]["http"]["response"]["status"] == 200


def test_throttled(tmp_path: Path, receiver: Daemon) -> None:
    with run_lambda(
        tmp_path, "limits.echo", "--concurrency", "0", xray_address=receiver.address
    ) as local:
        local.ask("/dev/")
        sent = by_origin(receiver, 2)

    assert sent["Lambda"]["throttle"]
    assert sent["Lambda"]["http"]["response"]["status"] == 429
    assert find_parts(sent["ApiGateway::Stage"])["Lambda"]["throttle"]


@pytest.mark.parametrize("host", ["http-api.localhost", "f.lambda-url.localhost"])
def test_other_services_have_no_segment(tmp_path: Path, receiver: Daemon, host: str) -> None:
    header = f"Root={ROOT};Parent={PARENT};Sampled=1"
    with run_lambda(tmp_path, "limits.echo", xray_address=receiver.address) as local:
        local.ask("/", headers={"Host": host, "X-Amzn-Trace-Id": header})
        sent = by_origin(receiver, 2)

    assert sent["Lambda"]["parent_id"] == PARENT
    assert set(sent) == {"Lambda", "Lambda::Function"}


def test_sparing_sampling(tmp_path: Path, receiver: Daemon) -> None:
    """One a second and 5 % of the others; what is left out is told so to the function."""
    with run_lambda(
        tmp_path, "limits.describe", "--sampling", xray_address=receiver.address
    ) as local:
        told = [local.invoke().json()["environment"]["_X_AMZN_TRACE_ID"] for _ in range(40)]

    sampled = [header for header in told if ";Sampled=1;" in header]
    assert 1 <= len(sampled) <= 20
    assert len(told) - len(sampled) == sum(";Sampled=0;" in header for header in told)
    assert len(receiver.documents()) == 2 * len(sampled)
