"""The sampler asks the daemon in a thread of its own, and no request ever notices."""

import contextlib
import json
import logging
import math
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from aws_xray_sdk import global_sdk_config

from tests.processes import find_free_port
from tests.xray_local.made import wait_until
from tests.xray_local.program import run_xray
from tracing import sampling
from tracing.sampling import RULES_PATH, TARGETS_PATH, Sampler
from tracing.sampling_rules import read_central_rule

from .conftest import ROOT
from .test_sampling_rules import make_record


class Daemon:
    """An HTTP server that answers as the daemon would, and keeps what it was asked."""

    def __init__(self, port: int = 0) -> None:
        self.records: list[Any] = [make_record()]
        self.targets: list[Any] = []
        self.modified = 0.0
        self.status = 200
        self.body: bytes | None = None
        self.next_token: str | None = None
        self.asked: list[tuple[str, dict[str, Any]]] = []
        daemon = self

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                length = int(self.headers["Content-Length"])
                fields = json.loads(self.rfile.read(length))
                daemon.asked.append((self.path, fields))
                body = daemon.body or json.dumps(daemon.answer(self.path)).encode()
                self.send_response(daemon.status)
                self.send_header("Content-Length", str(len(body)))
                self.end_headers()
                # A client may have given up waiting.
                with contextlib.suppress(ConnectionError):
                    self.wfile.write(body)

            def log_message(self, format: str, *arguments: object) -> None:
                pass

        self._server = ThreadingHTTPServer(("127.0.0.1", port), Handler)
        self.port = self._server.server_address[1]
        self._thread = threading.Thread(target=self._server.serve_forever, args=(0.01,))
        self._thread.start()

    def answer(self, path: str) -> dict[str, Any]:
        if path == RULES_PATH:
            token, self.next_token = self.next_token, None
            return {"SamplingRuleRecords": self.records, **({"NextToken": token} if token else {})}
        return {
            "SamplingTargetDocuments": self.targets,
            "LastRuleModification": self.modified,
            "UnprocessedStatistics": [],
        }

    def count(self, path: str) -> int:
        return sum(asked == path for asked, _ in self.asked)

    def reports(self) -> list[dict[str, Any]]:
        """Return every statistics document received."""
        return [
            document
            for path, fields in self.asked
            if path == TARGETS_PATH
            for document in fields["SamplingStatisticsDocuments"]
        ]

    def close(self) -> None:
        self._server.shutdown()
        self._server.server_close()
        self._thread.join()


@pytest.fixture
def daemon() -> Iterator[Daemon]:
    daemon = Daemon()
    yield daemon
    daemon.close()


class Clock:
    """Seconds that pass when a test says so."""

    def __init__(self) -> None:
        self.now = 1000.0

    def __call__(self) -> float:
        return self.now


@pytest.fixture
def clock() -> Clock:
    return Clock()


MakeSampler = Callable[..., Sampler]


@pytest.fixture
def make_sampler() -> Iterator[MakeSampler]:
    """A function that makes a sampler which asks that port; without a port, nobody."""
    made = []

    def make(port: int | None = None, **options: Any) -> Sampler:
        sampler = Sampler(**options)
        made.append(sampler)
        settle(sampler, port or find_free_port())
        return sampler

    yield make
    for sampler in made:
        sampler.stop()


def settle(sampler: Any, port: int, origin: str | None = None) -> None:
    sampler.load_settings(SimpleNamespace(tcp_ip="127.0.0.1", tcp_port=port), None, origin)


def polled(sampler: Sampler) -> Sampler:
    """Return the sampler without its thread: it asks when a test says so."""
    sampler._thread = threading.current_thread()
    sampler._poll()
    return sampler


def test_rules_come_in_the_background(daemon: Daemon, make_sampler: MakeSampler) -> None:
    sampler = make_sampler(daemon.port)
    assert daemon.asked == []

    sampler.should_trace()

    wait_until(lambda: sampler.should_trace({"path": "/"}) == "Default")
    assert daemon.asked == [(RULES_PATH, {})]


def test_the_local_xray_is_understood(
    tmp_path: Path, make_sampler: MakeSampler, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sampling, "REPORT_INTERVAL_SECONDS", 0.3)
    with run_xray(tmp_path) as xray:
        sampler = make_sampler(xray.port)
        wait_until(lambda: sampler.should_trace() == "Default")
        tally = sampler._rules.rules[0].tally

        wait_until(lambda: tally._quota == 1)

        assert 290 < tally._quota_ends - time.monotonic() <= 300
        assert tally.report_due > time.monotonic()
        assert sampler._failing is None


def test_counts_are_reported_and_quotas_taken(
    daemon: Daemon, make_sampler: MakeSampler, clock: Clock
) -> None:
    daemon.records = [make_record(FixedRate=0.0, ReservoirSize=5)]
    daemon.targets = [
        {
            "RuleName": "Default",
            "FixedRate": 0.0,
            "ReservoirQuota": 3,
            "ReservoirQuotaTTL": time.time() + 60,
            "Interval": 30,
        }
    ]
    sampler = polled(make_sampler(daemon.port, clock=clock))
    assert [sampler.should_trace() for _ in range(4)] == ["Default", False, False, False]

    clock.now += 10
    wait_seconds = sampler._poll()

    (report,) = daemon.reports()
    assert len(report.pop("ClientID")) == 24
    assert abs(report.pop("Timestamp") - time.time()) < 10
    assert report == {
        "RuleName": "Default",
        "RequestCount": 4,
        "SampledCount": 0,
        "BorrowCount": 1,
    }
    assert 30 <= wait_seconds <= 30.6
    assert [sampler.should_trace() for _ in range(4)] == ["Default"] * 3 + [False]
    clock.now += 31
    sampler._poll()
    assert [each["SampledCount"] for each in daemon.reports()] == [0, 3]
    clock.now += 61
    assert [sampler.should_trace() for _ in range(2)] == ["Default", False]  # borrowed again


def test_rules_are_asked_for_every_five_minutes(
    daemon: Daemon, make_sampler: MakeSampler, clock: Clock
) -> None:
    sampler = polled(make_sampler(daemon.port, clock=clock))

    counts = []
    for seconds in (299, 7, 294):
        clock.now += seconds
        sampler._poll()
        counts.append(daemon.count(RULES_PATH))

    assert counts == [1, 2, 2]
    assert daemon.count(TARGETS_PATH) == 0  # nothing to report


def test_changed_rules_are_asked_for_at_once(
    daemon: Daemon, make_sampler: MakeSampler, clock: Clock
) -> None:
    sampler = polled(make_sampler(daemon.port, clock=clock))
    daemon.records = [make_record("new", Priority=1), make_record()]
    daemon.modified = 5.0

    for _ in range(3):
        sampler.should_trace()
        clock.now += 11
        sampler._poll()

    assert sampler.should_trace() == "new"
    assert daemon.count(RULES_PATH) == 2


def test_rules_apply_by_priority_then_name(
    daemon: Daemon, make_sampler: MakeSampler, clock: Clock
) -> None:
    daemon.records = [
        make_record(),
        make_record("c", Priority=2, ServiceType="AWS::EC2::*"),
        make_record("b", Priority=1, URLPath="/b/?"),
        make_record("a", Priority=1, URLPath="/b/*"),
        make_record("attributes", Priority=1, Attributes={"a": "b"}),
        None,
    ]
    daemon.next_token = "more"
    sampler = polled(make_sampler(daemon.port, clock=clock))

    assert daemon.asked == [(RULES_PATH, {}), (RULES_PATH, {"NextToken": "more"})]
    assert sampler.should_trace({"path": "/b/1", "service_type": "x"}) == "a"
    assert sampler.should_trace({"path": "/c", "service_type": "aws::ec2::instance"}) == "c"
    request = {"path": "/c"}
    settle(sampler, daemon.port, "AWS::Lambda::Function")
    assert sampler.should_trace(request) == "Default"
    assert request == {"path": "/c"}


def test_rules_that_are_old_give_way_to_local_ones(
    daemon: Daemon, make_sampler: MakeSampler, clock: Clock
) -> None:
    sampler = polled(make_sampler(daemon.port, clock=clock))
    sampler.load_local_rules({"version": 2, "default": {"fixed_target": 2, "rate": 0}})

    clock.now += 3599
    assert sampler.should_trace() == "Default"
    clock.now += 1

    assert [sampler.should_trace({"path": "/"}) for _ in range(3)] == [True, True, False]


def test_without_rules_one_request_a_second_and_five_percent(
    make_sampler: MakeSampler, clock: Clock, monkeypatch: pytest.MonkeyPatch
) -> None:
    sampler = polled(make_sampler(clock=clock))

    decisions = []
    for thrown in (0.5, 0.5, 0.049, 0.05):
        monkeypatch.setattr("random.random", lambda thrown=thrown: thrown)
        decisions.append(sampler.should_trace())

    assert decisions == [True, False, True, False]


def test_wrong_local_rules_change_nothing(make_sampler: MakeSampler, clock: Clock) -> None:
    sampler = polled(make_sampler(clock=clock))
    before = sampler._local_rules

    with pytest.raises(ValueError, match="got 3"):
        sampler.load_local_rules({"version": 3})

    assert sampler._local_rules is before


def test_more_rules_than_fit_one_report(
    daemon: Daemon, make_sampler: MakeSampler, clock: Clock
) -> None:
    daemon.records = [make_record(f"rule-{number}", Host=f"{number}") for number in range(30)]
    sampler = polled(make_sampler(daemon.port, clock=clock))
    for number in range(30):
        assert sampler.should_trace({"host": str(number)}) == f"rule-{number}"

    clock.now += 10
    sampler._poll()

    sizes = [len(each["SamplingStatisticsDocuments"]) for path, each in daemon.asked[1:]]
    assert sizes == [25, 5]
    assert len({each["RuleName"] for each in daemon.reports()}) == 30


def swap_during_a_request(swap: Callable[[], object]) -> dict[str, Any]:
    """Return a request that swaps the rules while a rule is sought for it."""

    class Request(dict[str, Any]):
        def get(self, key: str, default: Any = None) -> Any:
            if key == "path":
                swap()
            return super().get(key, default)

    return Request(path="/a", service_type="x")


def test_b4_rules_are_swapped_under_a_request(
    daemon: Daemon,
    make_sampler: MakeSampler,
    clock: Clock,
    caplog: pytest.LogCaptureFixture,
) -> None:
    daemon.records = [make_record("a", Priority=1, URLPath="/a"), make_record()]
    sampler = polled(make_sampler(daemon.port, clock=clock))
    before = sampler._rules
    request = swap_during_a_request(sampler._load_rules)

    assert sampler.should_trace(request) == "a"

    assert sampler._rules is not before
    assert sampler._rules.rules[0].tally.take_counts().requests == 1
    assert caplog.text == ""


B4_IN_THE_SDK = """
import time
from aws_xray_sdk.core.sampling.sampler import DefaultSampler
from aws_xray_sdk.core.sampling.sampling_rule import SamplingRule

class Request(dict):
    def get(self, key, default=None):
        if key == "path":
            swap()
        return super().get(key, default)

def swap():
    sampler._cache.load_rules([SamplingRule("a", 1, 1.0, 1, "*", "*", "/a", "*", "*")])

sampler = DefaultSampler()
sampler._started = True
sampler._cache.last_updated = int(time.time())
swap()
sampler.should_trace(Request(path="/a", service_type="x"))
"""


def test_b4_in_the_sdk() -> None:
    """What the test above would meet, so that it is known to look at the right place."""
    result = run_script(B4_IN_THE_SDK)

    assert "'NoneType' object has no attribute 'borrow_or_take'" in result.stderr


def test_b4_swaps_and_reports_among_threads_lose_no_count(
    daemon: Daemon, make_sampler: MakeSampler
) -> None:
    clock = Clock()
    sampler = polled(make_sampler(daemon.port, clock=clock))
    answers: list[Any] = []
    ended = threading.Event()
    before = sys.getswitchinterval()

    def decide() -> None:
        answers.extend([sampler.should_trace({"path": "/a"}) for _ in range(5000)])

    def renew() -> None:
        while not ended.is_set():
            rule = read_central_rule(
                make_record(), {each.answer: each.tally for each in sampler._rules.rules}
            )
            assert rule
            sampler._rules = sampler._rules._replace(rules=(rule,))
            sampler._report()

    threads = [threading.Thread(target=decide) for _ in range(4)]
    renewal = threading.Thread(target=renew)
    sys.setswitchinterval(1e-5)
    try:
        for thread in (*threads, renewal):
            thread.start()
        for thread in threads:
            thread.join()
    finally:
        ended.set()
        renewal.join()
        sys.setswitchinterval(before)
    sampler._report()

    assert answers == ["Default"] * 20_000
    assert sum(report["RequestCount"] for report in daemon.reports()) == 20_000
    assert sum(report["SampledCount"] for report in daemon.reports()) == 20_000


def test_counts_that_could_not_be_reported_are_reported_later(
    daemon: Daemon, make_sampler: MakeSampler, clock: Clock
) -> None:
    sampler = polled(make_sampler(daemon.port, clock=clock))
    sampler.should_trace()
    daemon.status = 503
    clock.now += 10.3
    sampler._poll()
    sampler.should_trace()
    daemon.status = 200
    clock.now += 10.3

    sampler._poll()

    assert [report["RequestCount"] for report in daemon.reports()] == [1, 2]


FORK = """
import os, sys, time
from types import SimpleNamespace
if sys.argv[2] == "sdk":
    from aws_xray_sdk.core import xray_recorder
    from aws_xray_sdk.core.sampling.sampler import DefaultSampler as Sampler
else:
    from tracing.sampling import Sampler
    from tracing import xray_recorder

def wait_for(request, answer, seconds=5):
    decisions, deadline = 0, time.monotonic() + seconds
    while (given := sampler.should_trace(request)) != answer:
        decisions += isinstance(given, str)
        if time.monotonic() > deadline:
            sys.exit(f"{answer!r} never came")
        time.sleep(0.01)
    return decisions + 1

sampler = Sampler()
address = SimpleNamespace(tcp_ip="127.0.0.1", tcp_port=int(sys.argv[1]))
sampler.load_settings(address, xray_recorder.context)
wait_for({"host": "first.example"}, "first")
wait_for({"host": "third.example"}, "Default")
if sys.argv[2] == "ours":
    # As another thread may, at the moment of the fork.
    sampler._lock.acquire()
    sampler._rules.rules[0].tally._lock.acquire()
child = os.fork()
if child == 0:
    sampled = wait_for({"host": "second.example"}, "second")
    if sys.argv[2] == "ours":
        sampler._report()
    print(sampled, flush=True)
    os._exit(0)
_, status = os.waitpid(child, 0)
if sys.argv[2] == "ours":
    sampler._lock.release()
    sampler._rules.rules[0].tally._lock.release()
    sampler._report()
sys.exit(os.waitstatus_to_exitcode(status))
"""


class ForkDaemon(Daemon):
    """Answers each process that asks for the rules with a rule of its own."""

    def answer(self, path: str) -> dict[str, Any]:
        name = "first" if self.count(RULES_PATH) == 1 else "second"
        self.records = [
            make_record(name, Priority=1, Host=f"{name}.example"),
            make_record(),
        ]
        return super().answer(path)


def run_script(script: str, *arguments: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-c", script, *arguments],
        cwd=ROOT,
        env={"PATH": "", "PYTHONPATH": str(ROOT)},
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )


def test_l4_a_forked_child_samples_and_asks_anew() -> None:
    daemon = ForkDaemon()

    result = run_script(FORK, str(daemon.port), "ours")

    daemon.close()
    assert (result.returncode, result.stderr) == (0, "")
    reports = {report["RuleName"]: report for report in daemon.reports()}
    # The child reports what it decided, as another client, and nothing of its parent's.
    of_the_child = [
        report for report in daemon.reports() if report["ClientID"] == reports["second"]["ClientID"]
    ]
    assert reports["first"]["ClientID"] != reports["second"]["ClientID"]
    assert sum(report["RequestCount"] for report in of_the_child) == int(result.stdout)
    assert daemon.count(RULES_PATH) == 2


L4_IN_THE_SDK = """
import os, sys, threading
from types import SimpleNamespace
from aws_xray_sdk.core import xray_recorder
from aws_xray_sdk.core.sampling.sampler import DefaultSampler

sampler = DefaultSampler()
address = SimpleNamespace(tcp_ip="127.0.0.1", tcp_port=9)
sampler.load_settings(address, xray_recorder.context)
sampler.should_trace({"host": "a.example"})
child = os.fork()
if child == 0:
    sampler.should_trace({"host": "a.example"})
    print(sampler._started, threading.active_count(), flush=True)
    os._exit(0)
os.waitpid(child, 0)
"""


def test_l4_in_the_sdk() -> None:
    """In the SDK's child no thread is left that would ask, and none is started."""
    result = run_script(L4_IN_THE_SDK)

    assert result.stdout.split() == ["True", "1"], result.stderr


def test_n3_one_line_for_each_outage(
    make_sampler: MakeSampler, clock: Clock, caplog: pytest.LogCaptureFixture
) -> None:
    port = find_free_port()
    sampler = make_sampler(port, clock=clock)

    def pass_time() -> None:
        for _ in range(3):
            sampler.should_trace({"path": "/"})
            clock.now += 11
            sampler._poll()

    with caplog.at_level(logging.DEBUG):
        polled(sampler)
        for _ in range(2):
            pass_time()
            daemon = Daemon(port)
            pass_time()
            daemon.close()
        pass_time()

    said = [(record.levelname, record.getMessage()) for record in caplog.records]
    assert [level for level, _ in said] == ["WARNING", "INFO", "WARNING", "INFO", "WARNING"]
    assert f"No answer about sampling from http://127.0.0.1:{port}/" in said[0][1]
    assert "ConnectionRefusedError" in said[0][1]
    assert f"come from http://127.0.0.1:{port}/" in said[1][1]
    assert "Traceback" not in caplog.text


def test_n3_an_outage_is_not_over_while_nothing_is_asked(
    daemon: Daemon, make_sampler: MakeSampler, clock: Clock, caplog: pytest.LogCaptureFixture
) -> None:
    sampler = polled(make_sampler(daemon.port, clock=clock))
    sampler.should_trace()
    daemon.status = 500
    clock.now += 11
    sampler._poll()
    sampler._rules.rules[0].tally.take_counts()

    with caplog.at_level(logging.DEBUG):
        clock.now += 11
        sampler._poll()

    assert [record.levelname for record in caplog.records] == ["WARNING"]


def test_n3_requests_log_nothing(
    make_sampler: MakeSampler, caplog: pytest.LogCaptureFixture
) -> None:
    sampler = make_sampler()

    with caplog.at_level(logging.DEBUG):
        for _ in range(100):
            sampler.should_trace({"path": "/"})
        # It fails before it says so.
        wait_until(lambda: caplog.records)

    assert [record.levelname for record in caplog.records] == ["WARNING"]


@pytest.mark.parametrize(
    ("status", "body"),
    [
        (500, b"oh"),
        (200, b"<html>"),
        (200, b"[]"),
        (200, b"{}"),
        (200, b'{"SamplingRuleRecords": 3}'),
        (200, b'{"SamplingRuleRecords": [' + b"[" * 200_000),
    ],
)
def test_an_answer_that_is_none_leaves_the_rules(
    daemon: Daemon, make_sampler: MakeSampler, clock: Clock, status: int, body: bytes
) -> None:
    sampler = polled(make_sampler(daemon.port, clock=clock))
    daemon.status, daemon.body = status, body

    clock.now += 320
    sampler.should_trace()
    wait_seconds = sampler._poll()

    assert sampler._failing == RULES_PATH
    assert sampler.should_trace() == "Default"
    assert 10 <= wait_seconds <= 10.2


@pytest.mark.parametrize(
    "target",
    [
        {"RuleName": "unknown", "FixedRate": 0.0},
        {"RuleName": "Default"},
        {"RuleName": "Default", "FixedRate": "many", "ReservoirQuota": math.inf, "Interval": None},
    ],
)
def test_targets_that_say_nothing_change_nothing(
    daemon: Daemon, make_sampler: MakeSampler, clock: Clock, target: dict[str, Any]
) -> None:
    sampler = polled(make_sampler(daemon.port, clock=clock))
    daemon.targets = [target]
    sampler.should_trace()
    clock.now += 10

    wait_seconds = sampler._poll()

    assert sampler.should_trace() == "Default"
    assert 10 <= wait_seconds <= 10.2


def test_a_new_address_is_asked_at_once(
    daemon: Daemon, make_sampler: MakeSampler, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sampling, "RETRY_SECONDS", 60.0)
    sampler = make_sampler()
    sampler.should_trace()
    wait_until(lambda: sampler._failing)

    settle(sampler, daemon.port)

    wait_until(lambda: sampler.should_trace() == "Default", timeout_seconds=3)


@pytest.mark.parametrize("address", ["127.0.0.1:{port}", "tcp:127.0.0.1:{port} udp:127.0.0.1:1"])
def test_without_settings_the_environment_names_the_daemon(
    daemon: Daemon, monkeypatch: pytest.MonkeyPatch, address: str
) -> None:
    monkeypatch.setenv("AWS_XRAY_DAEMON_ADDRESS", address.format(port=daemon.port))
    sampler = Sampler()

    sampler.start()

    wait_until(lambda: sampler.should_trace() == "Default")
    sampler.stop()


def test_an_address_that_is_none_is_told_and_survived(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setenv("AWS_XRAY_DAEMON_ADDRESS", "nowhere")
    sampler = Sampler()

    sampler._use_default_address()

    assert "Invalid daemon address nowhere" in caplog.text


def test_a_daemon_that_hangs_holds_no_request(
    daemon: Daemon, make_sampler: MakeSampler, monkeypatch: pytest.MonkeyPatch
) -> None:
    released = threading.Event()
    monkeypatch.setattr(daemon, "answer", lambda path: {"waited": released.wait(10)})
    monkeypatch.setattr(sampling, "TIMEOUT_SECONDS", 2)
    sampler = make_sampler(daemon.port)

    started = time.perf_counter()
    sampler.should_trace()
    wait_until(lambda: daemon.asked)
    sampler.should_trace()
    # Far from a measurement: whoever waited would have waited for two seconds.
    assert time.perf_counter() - started < 1.5

    wait_until(lambda: sampler._failing)
    released.set()


def test_switched_off_nothing_is_traced_and_no_thread_starts(
    make_sampler: MakeSampler, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(global_sdk_config, "sdk_enabled", lambda: False)
    sampler = make_sampler()

    sampler.start()

    assert sampler.should_trace() is False
    assert sampler._thread is None


def test_one_thread_that_can_be_stopped(daemon: Daemon, make_sampler: MakeSampler) -> None:
    sampler = make_sampler(daemon.port)
    starters = [threading.Thread(target=sampler.start) for _ in range(8)]
    for starter in starters:
        starter.start()
    for starter in starters:
        starter.join()
    thread = sampler._thread
    assert thread
    assert thread.daemon
    assert [each.name for each in threading.enumerate()].count("xray-sampling") == 1

    sampler.stop()

    thread.join(5)
    assert not thread.is_alive()


def test_no_more_threads_can_be_started(
    make_sampler: MakeSampler, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    def refuse(thread: threading.Thread) -> None:
        raise RuntimeError("can't start new thread")

    monkeypatch.setattr(threading.Thread, "start", refuse)
    sampler = make_sampler(clock=Clock())

    decisions = [sampler.should_trace() for _ in range(2)]

    assert decisions[0] is True
    assert caplog.text.count("can't start new thread") == 1


def test_a_failure_of_the_sampler_is_no_failure_of_the_request(
    make_sampler: MakeSampler, caplog: pytest.LogCaptureFixture
) -> None:
    def fail() -> float:
        raise OSError("no clock")

    sampler = make_sampler(clock=fail)
    sampler._thread = threading.current_thread()

    assert [sampler.should_trace() for _ in range(3)] == [False, False, False]

    assert [record.levelname for record in caplog.records] == ["WARNING"]


PATCHED = """
import logging, sys, time
from types import SimpleNamespace
from aws_xray_sdk.core import patch
from tracing import xray_recorder
from tracing.sampling import Sampler

logging.basicConfig(level=logging.INFO)
xray_recorder.configure(sampling=False, context_missing="RUNTIME_ERROR")
patch(["httplib"])
sampler = Sampler()
address = SimpleNamespace(tcp_ip="127.0.0.1", tcp_port=int(sys.argv[1]))
sampler.load_settings(address, xray_recorder.context)
deadline = time.monotonic() + 5
while sampler.should_trace() != "Default":
    assert time.monotonic() < deadline
    time.sleep(0.01)
"""


def test_the_calls_themselves_are_not_traced(daemon: Daemon) -> None:
    result = run_script(PATCHED, str(daemon.port))

    assert result.returncode == 0, result.stderr
    assert "sampling" not in result.stderr


IMPORT = """
import sys, types
tracing = types.ModuleType("tracing")
tracing.__path__ = ["tracing"]  # the package without what else it imports
sys.modules["tracing"] = tracing
from tracing.sampling import Sampler
Sampler()
import threading
assert threading.active_count() == 1
print(*sorted(sys.modules))
"""


def test_the_import_loads_neither_botocore_nor_http() -> None:
    result = run_script(IMPORT)

    assert result.returncode == 0, result.stderr
    loaded = set(result.stdout.split())
    unwanted = {"botocore", "urllib", "http", "email", "socket", "ssl", "aws_xray_sdk.core"}
    assert "tracing.sampling" in loaded
    assert not loaded & unwanted
