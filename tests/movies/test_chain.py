"""Tests of movies.chain: what each step did, and what the trace shows of it."""

import tempfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from movies import chain
from movies.aws import forget_clients
from movies.catalogue import get_movie
from movies.chain import Step, run_chain
from movies.errors import StepFailed
from movies.movie import SAMPLE_KEY, SAMPLE_PLOT
from movies.tables import put_sample_object
from tests.conftest import Daemon, walk
from tests.movies.films import refusing
from tests.movies.remotes import answering, serving
from tracing import xray_recorder

NAMES = ["remote", "s3", "dynamodb", "response"]


@pytest.fixture
def remote(aws: str, settings: Any) -> Any:
    """A second remote URL that answers, and all else that the chain needs."""
    put_sample_object()
    with serving(answering("HTTP/1.1 200 OK\nContent-Length: 0\n\n")) as url:
        settings.REMOTE_URL_SECOND = url
        yield url


def run_traced(daemon: Daemon) -> tuple[list[Step] | StepFailed, dict[str, dict[str, Any]]]:
    """Run the chain in a segment; return what came of it, and its subsegments by name."""
    xray_recorder.begin_segment("movies", sampling=1)
    outcome: list[Step] | StepFailed
    try:
        outcome = run_chain()
    except StepFailed as error:
        outcome = error
    assert xray_recorder.current_segment().name == "movies"
    assert xray_recorder.current_subsegment() is None
    xray_recorder.end_segment()
    (document,) = daemon.documents(1)
    assert not [entity for entity in walk(document) if entity.get("in_progress")]
    return outcome, {entity["name"]: entity for entity in document["subsegments"]}


def test_every_step(remote: str, settings: Any) -> None:
    steps = run_chain()

    assert [step.name for step in steps] == NAMES
    assert all(step.is_ok and step.duration_ms >= 0 for step in steps)
    assert [step.did for step in steps] == [
        f"{remote} answered 200.",
        f"Downloaded 219 bytes of {settings.SAMPLE_KEY} from {settings.SAMPLE_BUCKET}.",
        f"Found the table {settings.MOVIES_TABLE}, "
        "put 'The Big New Movie' (2015) into it and found it again.",
        "The chain ran from end to end.",
    ]


def test_film_is_put_each_time(remote: str) -> None:
    run_chain()
    run_chain()

    assert get_movie(SAMPLE_KEY).plot == SAMPLE_PLOT


def test_trace_of_every_step(remote: str, daemon: Daemon, settings: Any) -> None:
    _, subsegments = run_traced(daemon)

    assert list(subsegments) == NAMES
    assert not [name for name, entity in subsegments.items() if "fault" in entity]
    assert subsegments["remote"]["annotations"] == {"status": 200}
    assert subsegments["s3"]["annotations"] == {"bytes": 219}
    assert subsegments["dynamodb"]["annotations"] == {
        "table": settings.MOVIES_TABLE,
        "item_found": True,
    }
    assert subsegments["response"]["annotations"] == {"failed_steps": 0}
    calls = [entity["aws"]["operation"] for entity in subsegments["dynamodb"]["subsegments"]]
    assert calls == ["DescribeTable", "PutItem", "GetItem"]


def test_missing_table_is_created(remote: str, daemon: Daemon, settings: Any) -> None:
    settings.MOVIES_TABLE += "-new"

    steps, subsegments = run_traced(daemon)

    assert isinstance(steps, list)
    assert steps[2].did.startswith(f"Created the table {settings.MOVIES_TABLE}, ")
    calls = [entity["aws"]["operation"] for entity in subsegments["dynamodb"]["subsegments"]]
    assert calls == ["DescribeTable", "CreateTable", "DescribeTable", "PutItem", "GetItem"]
    assert "fault" not in subsegments["dynamodb"]


def test_table_in_creation_is_waited_for(remote: str, settings: Any) -> None:
    body = '{"Table": {"TableName": "x", "TableStatus": "CREATING"}}'

    with refusing("DescribeTable", body, status=200) as calls:
        steps = run_chain()

    assert len(calls) == 2
    assert steps[2].is_ok


def test_remote_that_fails_is_its_own_failure_only(
    remote: str, daemon: Daemon, settings: Any
) -> None:
    settings.REMOTE_URL_SECOND = "http://user:hunter2@127.0.0.1:9/?key=hunter3"

    steps, subsegments = run_traced(daemon)

    assert isinstance(steps, list)
    assert [step.is_ok for step in steps] == [False, True, True, True]
    assert steps[0].did == "http://127.0.0.1:9/ failed: It refused the connection."
    assert steps[3].did == "The chain ran; failed: remote."
    assert subsegments["remote"]["fault"] is True
    assert "refused" in subsegments["remote"]["cause"]["exceptions"][0]["message"]
    assert not [datagram for datagram in daemon.datagrams if b"hunter" in datagram]


def test_remote_that_answers_badly(remote: str, settings: Any) -> None:
    with serving(answering("HTTP/1.1 503 No\nContent-Length: 0\n\n")) as url:
        settings.REMOTE_URL_SECOND = url
        steps = run_chain()

    assert (steps[0].is_ok, steps[0].did) == (False, f"{url} answered 503.")


def test_missing_object(remote: str, daemon: Daemon, settings: Any) -> None:
    settings.SAMPLE_KEY = "nowhere"

    failure, subsegments = run_traced(daemon)

    assert isinstance(failure, StepFailed)
    assert (failure.step, failure.aws_code) == ("s3", "NoSuchKey")
    assert failure.aws_message
    assert [(step.name, step.is_ok) for step in failure.steps] == [("remote", True), ("s3", False)]
    assert subsegments["s3"]["fault"] is True
    assert "dynamodb" not in subsegments


@pytest.mark.parametrize("operation", ["DescribeTable", "PutItem", "GetItem"])
def test_dynamodb_that_refuses(remote: str, daemon: Daemon, operation: str) -> None:
    body = '{"__type": "AccessDeniedException", "message": "You may not."}'

    with refusing(operation, body):
        failure, subsegments = run_traced(daemon)

    assert isinstance(failure, StepFailed)
    assert (failure.step, failure.aws_code) == ("dynamodb", "AccessDeniedException")
    assert failure.aws_message == "You may not."
    assert str(failure) == ("The step 'dynamodb' failed with AccessDeniedException: You may not.")
    assert subsegments["dynamodb"]["fault"] is True
    assert subsegments["dynamodb"]["cause"]["exceptions"][0]["type"].endswith("AWSRefused")


def test_next_trace_is_whole_after_a_failure(remote: str, daemon: Daemon) -> None:
    with refusing("PutItem", '{"__type": "AccessDeniedException", "message": "No."}'):
        run_traced(daemon)
    daemon.datagrams.clear()

    steps, subsegments = run_traced(daemon)

    assert isinstance(steps, list)
    assert list(subsegments) == NAMES


def test_aws_that_does_not_answer(settings: Any, daemon: Daemon) -> None:
    settings.AWS_ENDPOINT_URL = "http://127.0.0.1:9"
    forget_clients()

    failure, subsegments = run_traced(daemon)

    forget_clients()
    assert isinstance(failure, StepFailed)
    assert (failure.step, failure.aws_code) == ("s3", "aws_unreachable")
    assert "127.0.0.1" not in f"{failure} {failure.aws_message} {failure.steps[-1].did}"
    causes = [each["message"] for each in subsegments["s3"]["cause"]["exceptions"]]
    assert any("Could not connect to the endpoint URL" in cause for cause in causes)


def test_large_object_is_cut(remote: str, settings: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(chain, "SAMPLE_MAX_BYTES", 100)
    monkeypatch.setattr(chain, "CHUNK_BYTES", 50)

    assert run_chain()[1].did.startswith("Downloaded 100 bytes of ")


def test_download_leaves_no_file(
    remote: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))

    run_chain()

    assert list(tmp_path.iterdir()) == []


def test_bug_in_a_step_closes_its_subsegment(
    remote: str, daemon: Daemon, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(*_: object) -> Callable[..., object]:
        raise ZeroDivisionError("A bug.")

    monkeypatch.setattr(chain, "to_key", fail)
    xray_recorder.begin_segment("movies", sampling=1)

    with pytest.raises(ZeroDivisionError, match="A bug"):
        run_chain()

    assert xray_recorder.current_subsegment() is None
    xray_recorder.end_segment()
    (document,) = daemon.documents(1)
    assert document["subsegments"][-1]["fault"] is True
