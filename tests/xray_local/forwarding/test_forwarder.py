"""Forwarding: what arrives goes on to AWS X-Ray, whatever that does, and harms nothing here."""

import contextlib
import json
import os
import signal
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

from tests.processes import find_free_port
from tests.xray_local.aws import TAKEN, Answer, Aws, run_aws
from tests.xray_local.conftest import make_client
from tests.xray_local.made import make_late, make_segment, wait_until
from tests.xray_local.program import AS_COMMAND, AS_MODULE, Program, is_alive, run_xray
from xray_local.address import Address
from xray_local.errors import CannotForward
from xray_local.forwarding import forwarder as forwarding
from xray_local.forwarding.count_file import CountFile
from xray_local.forwarding.forwarder import COUNTS, Forwarder, Notices
from xray_local.intake.frames import Kind, pack

FAILED: Answer = (500, {"Message": "on purpose"})
OWN = Address("127.0.0.1", 2000)


@pytest.fixture(autouse=True)
def _credentials(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """Credentials of nobody, and none of this machine's."""
    for name in [name for name in os.environ if name.startswith("AWS_")]:
        monkeypatch.delenv(name)
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.setenv("AWS_EC2_METADATA_DISABLED", "true")
    monkeypatch.setenv("AWS_REGION", "eu-west-1")
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "nobody")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "nothing")


@pytest.fixture
def quick(monkeypatch: pytest.MonkeyPatch) -> None:
    """Everything as in life, but sooner."""
    monkeypatch.setattr(forwarding, "PAUSE_MIN_SECONDS", 0.01)
    monkeypatch.setattr(forwarding, "PAUSE_MAX_SECONDS", 0.05)
    monkeypatch.setattr(forwarding, "BATCH_SECONDS", 0.05)
    monkeypatch.setattr(forwarding, "FLUSH_SECONDS", 10.0)


class Running:
    """A forwarder in a thread of the test, fed as the writer feeds it."""

    def __init__(self, backlog_max_bytes: int = 1_000_000) -> None:
        self.counts = CountFile.create(COUNTS)
        reading, self._pipe = os.pipe()
        forwarder = Forwarder(
            lambda: forwarding.make_client(OWN), self.counts, backlog_max_bytes=backlog_max_bytes
        )
        self._thread = threading.Thread(target=forwarder.run, args=[reading])
        self._thread.start()

    def send(self, *documents: dict[str, Any] | bytes) -> None:
        for each in documents:
            body = each if isinstance(each, bytes) else json.dumps(each).encode()
            os.write(self._pipe, pack(Kind.DOCUMENT, body))

    def drop(self, number: int) -> None:
        os.write(self._pipe, pack(Kind.DROPPED, str(number).encode()))

    def finish(self) -> None:
        os.close(self._pipe)
        self._thread.join(30)
        assert not self._thread.is_alive()


@contextmanager
def run_forwarder(
    aws: Aws, monkeypatch: pytest.MonkeyPatch, backlog_max_bytes: int = 1_000_000
) -> Iterator[Running]:
    monkeypatch.setenv("AWS_ENDPOINT_URL_XRAY", aws.url)
    running = Running(backlog_max_bytes)
    try:
        yield running
    finally:
        running.finish()


def fail_times(number: int) -> Callable[[list[str]], Answer]:
    """Return a behaviour that fails so often, then takes everything."""
    left = [None] * number
    lock = threading.Lock()

    def behave(documents: list[str]) -> Answer:
        with lock:
            if left:
                left.pop()
                return FAILED
        return TAKEN

    return behave


def make_many(number: int, **fields: Any) -> list[dict[str, Any]]:
    return [make_segment(**fields) for _ in range(number)]


@pytest.mark.usefixtures("quick")
def test_all_arrives_in_batches(monkeypatch: pytest.MonkeyPatch) -> None:
    segments = make_many(120, user="Zoë")
    with run_aws() as aws:
        with run_forwarder(aws, monkeypatch) as running:
            running.send(*segments)
        assert sorted(aws.ids) == sorted(each["id"] for each in segments)
        assert max(len(batch) for batch in aws.batches) <= 50
        assert json.loads(aws.batches[0][0])["user"] == "Zoë"
        assert "Credential=nobody/" in aws.headers["Authorization"]
        assert "/eu-west-1/xray/" in aws.headers["Authorization"]

    assert running.counts.read() == dict.fromkeys(COUNTS, 0) | {"forwarded": 120}


@pytest.mark.usefixtures("quick")
def test_requests_are_bounded_in_bytes(monkeypatch: pytest.MonkeyPatch) -> None:
    segments = make_many(10, metadata={"x": {"y": "z" * 60_000}})
    monkeypatch.setattr(forwarding, "BATCH_BYTES", 130_000)
    with run_aws() as aws:
        with run_forwarder(aws, monkeypatch) as running:
            running.send(*segments)

        assert len(aws.ids) == 10
        assert {len(batch) for batch in aws.batches} <= {1, 2}


@pytest.mark.usefixtures("quick")
def test_a_document_goes_out_soon_though_it_is_alone(monkeypatch: pytest.MonkeyPatch) -> None:
    with run_aws() as aws, run_forwarder(aws, monkeypatch) as running:
        running.send(make_segment())

        wait_until(lambda: aws.ids)


@pytest.mark.usefixtures("quick")
def test_failures_are_tried_again(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    segments = make_many(60)
    with run_aws(fail_times(7)) as aws:
        with run_forwarder(aws, monkeypatch) as running:
            running.send(*segments)
            wait_until(lambda: len(aws.ids) == 60)
        assert sorted(aws.ids) == sorted(each["id"] for each in segments)

    counts = running.counts.read()
    lines = capsys.readouterr().err.splitlines()
    assert (counts["forwarded"], counts["forward_failures"]) == (60, 7)
    assert len(lines) == 2
    assert lines[0].startswith("X-Ray: Cannot forward to AWS X-Ray: it answers 500, ")
    assert lines[0].endswith(" Trying again.")
    assert lines[1] == "X-Ray: Forwarding to AWS X-Ray again."


@pytest.mark.usefixtures("quick")
@pytest.mark.parametrize(
    ("status", "code"),
    [(429, "ThrottledException"), (403, "AccessDeniedException"), (400, "ExpiredTokenException")],
)
def test_what_may_pass_is_tried_again(
    monkeypatch: pytest.MonkeyPatch, status: int, code: str
) -> None:
    answers = [(status, {"__type": code, "message": "not now"})]
    with (
        run_aws(lambda documents: answers.pop() if answers else TAKEN) as aws,
        run_forwarder(aws, monkeypatch) as running,
    ):
        running.send(make_segment())
        wait_until(lambda: running.counts.read()["forwarded"])

    assert running.counts.read()["forward_failures"] == 1


@pytest.mark.usefixtures("quick")
def test_silence_is_tried_again(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(forwarding, "ANSWER_TIMEOUT_SECONDS", 0.2)
    end = threading.Event()
    silent = [None]

    def behave(documents: list[str]) -> Answer:
        if silent:
            silent.pop()
            end.wait(10)
        return TAKEN

    with run_aws(behave) as aws:
        with run_forwarder(aws, monkeypatch) as running:
            running.send(make_segment())
            wait_until(lambda: running.counts.read()["forwarded"])
        end.set()

    assert "Cannot forward to AWS X-Ray: Read timeout on endpoint URL" in capsys.readouterr().err


@pytest.mark.usefixtures("quick")
def test_nobody_there_yet(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    port = find_free_port()
    monkeypatch.setenv("AWS_ENDPOINT_URL_XRAY", f"http://127.0.0.1:{port}")
    running = Running()
    running.send(make_segment())
    wait_until(lambda: running.counts.read()["forward_failures"] >= 2)

    with run_aws() as aws:
        monkeypatch.setenv("AWS_ENDPOINT_URL_XRAY", aws.url)
        running.finish()
        assert len(aws.ids) == 1

    assert capsys.readouterr().err.count("Could not connect to the endpoint URL") == 1


@pytest.mark.usefixtures("quick")
def test_the_oldest_are_dropped(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    segments = make_many(300, metadata={"x": {"y": "z" * 1000}})
    is_down = True
    size = len(json.dumps(segments[0]))

    with run_aws(lambda documents: FAILED if is_down else TAKEN) as aws:
        with run_forwarder(aws, monkeypatch, backlog_max_bytes=100 * size + 1) as running:
            running.send(*segments)
            wait_until(lambda: running.counts.read()["forward_dropped"] >= 50)
            is_down = False
        assert {each["id"] for each in segments[-50:]} <= set(aws.ids)

    counts = running.counts.read()
    dropped = counts["forward_dropped"]
    assert len(aws.ids) == len(set(aws.ids)) == counts["forwarded"] == 300 - dropped
    lines = [line for line in capsys.readouterr().err.splitlines() if "Dropped" in line]
    # The first at once, the rest of the minute in one.
    assert len(lines) <= 2
    assert sum(int(line.split()[2]) for line in lines) == dropped


@pytest.mark.usefixtures("quick")
def test_what_the_outlet_dropped_is_told(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    with run_aws() as aws, run_forwarder(aws, monkeypatch) as running:
        running.drop(1234)

    assert running.counts.read()["forward_dropped"] == 1234
    assert "X-Ray: Dropped 1,234 segments, the oldest, that" in capsys.readouterr().err


@pytest.mark.usefixtures("quick")
def test_what_aws_refuses_is_told_and_not_sent_again(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    refusal = {"Id": "0" * 16, "ErrorCode": "InvalidTraceId", "Message": "too\nold \x1b[31m"}
    with run_aws(lambda documents: (200, {"UnprocessedTraceSegments": [refusal]})) as aws:
        with run_forwarder(aws, monkeypatch) as running:
            running.send(*make_many(2))
        assert aws.requests == 1

    counts = running.counts.read()
    assert (counts["forwarded"], counts["forward_refused"]) == (1, 1)
    assert capsys.readouterr().err == (
        "X-Ray: AWS X-Ray refused 1 segments; the last: "
        "InvalidTraceId too\\nold \\x1b[31m 0000000000000000.\n"
    )


@pytest.mark.usefixtures("quick")
def test_a_request_that_aws_refuses_is_not_sent_again(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    answer: Answer = (400, {"__type": "InvalidRequestException", "message": "no"})
    with run_aws(lambda documents: answer) as aws:
        with run_forwarder(aws, monkeypatch) as running:
            running.send(*make_many(3))
        assert aws.requests == 1

    assert running.counts.read()["forward_refused"] == 3
    error = capsys.readouterr().err
    assert "refused 3 segments; the last: it answers 400, InvalidRequestException no." in error


@pytest.mark.usefixtures("quick")
def test_an_answer_that_is_none(monkeypatch: pytest.MonkeyPatch) -> None:
    answers: list[Any] = [(200, ["<html>"]), (200, "<html>")]
    with (
        run_aws(lambda documents: answers.pop() if answers else TAKEN) as aws,
        run_forwarder(aws, monkeypatch) as running,
    ):
        running.send(make_segment())
        wait_until(lambda: running.counts.read()["forwarded"])

    assert running.counts.read()["forward_failures"] >= 1


def test_no_credentials(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("AWS_ACCESS_KEY_ID")

    with pytest.raises(CannotForward, match=r"no AWS credentials were found\. Expected them where"):
        forwarding.make_client(OWN)


def test_no_region(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("AWS_REGION")

    with pytest.raises(
        CannotForward, match=r"no AWS region was found\. Expected one in AWS_REGION"
    ):
        forwarding.make_client(OWN)


def test_profile_that_is_none(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AWS_PROFILE", "nowhere")

    with pytest.raises(CannotForward, match=r"config profile \(nowhere\) could not be found\.$"):
        forwarding.make_client(OWN)


@pytest.mark.parametrize("host", ["127.0.0.1", "localhost", "0.0.0.0", "127.0.0.2"])  # noqa: S104
@pytest.mark.parametrize("port", [2000, 4318])
def test_not_to_ourselves(monkeypatch: pytest.MonkeyPatch, host: str, port: int) -> None:
    """Neither by another of this machine's addresses, nor by the port for OpenTelemetry."""
    monkeypatch.setenv("AWS_ENDPOINT_URL_XRAY", f"http://{host}:{port}")

    with pytest.raises(CannotForward, match="is this X-Ray itself"):
        forwarding.make_client(OWN, Address("127.0.0.1", 4318))


@pytest.mark.parametrize("host", ["192.0.2.1", "nobody.invalid"])
def test_the_same_port_of_another(monkeypatch: pytest.MonkeyPatch, host: str) -> None:
    monkeypatch.setenv("AWS_ENDPOINT_URL_XRAY", f"http://{host}:2000")

    assert forwarding.make_client(OWN).meta.endpoint_url == f"http://{host}:2000"


def test_aws_itself() -> None:
    client = forwarding.make_client(OWN)

    assert client.meta.endpoint_url == "https://xray.eu-west-1.amazonaws.com"


def test_notices_once_a_minute(capsys: pytest.CaptureFixture[str]) -> None:
    now = 0.0
    notices = Notices(lambda: now)
    for _ in range(3):
        notices.add("Dropped {} segments.", 2)
        notices.add("Failing: because.")
    now = 61.0
    notices.add("Dropped {} segments.", 1)
    notices.add("Dropped {} segments.", 7)
    notices.finish()

    assert capsys.readouterr().err.splitlines() == [
        "X-Ray: Dropped 2 segments.",
        "X-Ray: Failing: because.",
        "X-Ray: Dropped 5 segments.",
        "X-Ray: Dropped 7 segments.",
    ]


# The whole program.


def test_to_another_xray(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """UDP and PutTraceSegments, whole, in progress and late: all of it is there as well."""
    (tmp_path / "far").mkdir()
    with run_xray(tmp_path / "far") as far:
        monkeypatch.setenv("AWS_ENDPOINT_URL_XRAY", far.url)
        with run_xray(tmp_path, "--forward", is_measured=True) as near:
            roots = make_many(70)
            opened = make_segment(end_time=None, in_progress=True)
            near.send(*roots, make_late(roots[0]), opened)
            posted = make_segment()
            make_client(near.url).put_trace_segments(TraceSegmentDocuments=[json.dumps(posted)])

            far.wait_for_count("stored", 73)
            wait_until(lambda: near.counts()["forwarded"] == 73)

            ids = [roots[0]["trace_id"], opened["trace_id"], posted["trace_id"]]
            answers = [
                make_client(url).batch_get_traces(TraceIds=ids)["Traces"]
                for url in (near.url, far.url)
            ]
            assert answers[0] == answers[1]
            assert len(near.children()) == 3
            assert "sent on to AWS X-Ray, which took them" in near.fetch("/status")
            assert near.output().count("\n") == 1
        assert "forwarded" not in far.counts()


def get_refused(program: Program) -> dict[str, int] | None:
    """Return the counts once something was refused."""
    counts = program.counts()
    return counts if counts["forward_refused"] else None


def test_two_that_forward_to_each_other(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Each refuses what the other sends, so that nothing goes round, and the other says so."""
    ports = [find_free_port(), find_free_port()]
    programs = []
    with contextlib.ExitStack() as running:
        for number, port in enumerate(ports):
            folder = tmp_path / str(number)
            folder.mkdir()
            monkeypatch.setenv("AWS_ENDPOINT_URL_XRAY", f"http://127.0.0.1:{ports[1 - number]}")
            programs.append(running.enter_context(run_xray(folder, "--forward", port=port)))
        for program in programs:
            program.send(make_segment())
        for program in programs:
            counts = wait_until(lambda each=program: get_refused(each))

            assert (counts["stored"], counts["replaced"], counts["forwarded"]) == (1, 0, 0)
            assert program.output().count("and they could go round for ever") == 1


def test_the_intake_is_unharmed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """AWS never answers; everything is stored here, and the end comes in its time."""
    end = threading.Event()

    def behave(documents: list[str]) -> Answer:
        end.wait(60)
        return TAKEN

    with run_aws(behave) as aws:
        monkeypatch.setenv("AWS_ENDPOINT_URL_XRAY", aws.url)
        with run_xray(tmp_path, "--forward") as program:
            client = make_client(program.url)
            for _ in range(20):
                documents = [json.dumps(each) for each in make_many(100)]
                client.put_trace_segments(TraceSegmentDocuments=documents)
            program.wait_for_count("stored", 2000)
            wait_until(lambda: aws.requests)
            children = program.children()
            began = time.monotonic()

            program.process.terminate()

            assert program.process.wait(20) == 0
            # Two seconds for the rest, and room for a busy machine.
            assert time.monotonic() - began < 8
            assert "last segments could not be forwarded to AWS X-Ray in time" in program.output()
            assert "Traceback" not in program.output()
            wait_until(lambda: not any(is_alive(pid) for pid in children.values()))
        end.set()


def test_the_end_sends_the_rest(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with run_aws() as aws:
        monkeypatch.setenv("AWS_ENDPOINT_URL_XRAY", aws.url)
        with run_xray(tmp_path, "--forward") as program:
            program.send(*make_many(200))
            program.wait_for_count("stored", 200)

            program.process.terminate()
            assert program.process.wait(20) == 0

        assert len(set(aws.ids)) == 200
        assert program.output().count("\n") == 1


@pytest.mark.parametrize("command", [AS_COMMAND, AS_MODULE], ids=["command", "module"])
def test_without_credentials(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, command: tuple[str, ...]
) -> None:
    """One clear line, and a laptop's X-Ray all the same."""
    monkeypatch.delenv("AWS_ACCESS_KEY_ID")
    monkeypatch.delenv("AWS_SECRET_ACCESS_KEY")
    with run_xray(tmp_path, "--forward", command=command) as program:
        program.send(*make_many(60))
        program.wait_for_count("stored", 60)
        wait_until(lambda: program.counts()["forward_failures"] >= 3)

        assert program.output().count("no AWS credentials were found") == 1
        assert program.counts()["forwarded"] == 0


def test_the_forwarding_process_is_killed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with run_aws() as aws:
        monkeypatch.setenv("AWS_ENDPOINT_URL_XRAY", aws.url)
        with run_xray(tmp_path, "--forward") as program:
            os.kill(program.children()["forwarder"], signal.SIGKILL)
            wait_until(lambda: "the forwarder ended with -9; starting it again" in program.output())
            wait_until(lambda: len(program.children()) == 3)
            program.send(make_segment())

            program.wait_for_count("stored", 1)
            wait_until(lambda: program.counts()["forwarded"] == 1)


def test_killed_leaves_nothing_behind(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with run_aws() as aws:
        monkeypatch.setenv("AWS_ENDPOINT_URL_XRAY", aws.url)
        with run_xray(tmp_path, "--forward") as program:
            children = program.children()
            assert len(children) == 3

            program.process.kill()
            program.process.wait()

            wait_until(lambda: not any(is_alive(pid) for pid in children.values()))
