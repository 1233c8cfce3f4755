"""Environments: cold, warm, frozen, killed, replaced, and as many as are needed."""

import os
import signal
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from tests.lambda_local.running import Local, run_lambda
from tests.scripts.runs import wait_until


@pytest.fixture
def counting(tmp_path: Path) -> Iterator[Local]:
    with run_lambda(tmp_path, "limits.count") as local:
        yield local


def test_an_environment_stays_warm(counting: Local) -> None:
    first, second = counting.invoke().json(), counting.invoke().json()

    assert first["pid"] == second["pid"]
    assert [first["calls"], second["calls"]] == [1, 2]
    assert counting.read_log().count("INIT_START") == 1
    assert counting.read_log().count("Init Duration") == 1


def test_it_is_frozen_between_two_events(tmp_path: Path) -> None:
    """A thread of the function's stands still: time jumps for it."""
    with run_lambda(tmp_path, "limits.count_ticks") as local:
        local.invoke()
        [pid] = local.find_environments()
        wait_until(lambda: read_state(pid) == "T", "A frozen process")
        before = local.invoke().json()
        time.sleep(1)
        after = local.invoke().json()

    assert after["now"] - before["now"] >= 1
    assert after["ticks"] - before["ticks"] < 30


def read_state(pid: int) -> str:
    return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0]


def test_one_that_was_killed_in_its_sleep_is_replaced(counting: Local) -> None:
    pid = counting.invoke().json()["pid"]

    os.kill(pid, signal.SIGKILL)

    again = counting.invoke()
    assert again.status_code == 200
    assert "X-Amz-Function-Error" not in again.headers
    assert again.json()["pid"] != pid
    assert again.json()["calls"] == 1


def test_events_at_once_have_environments_of_their_own(tmp_path: Path) -> None:
    with run_lambda(tmp_path, "limits.sleep") as local, ThreadPoolExecutor(4) as pool:
        answers = list(pool.map(lambda _: local.invoke({"seconds": 5}), range(4)))

        assert [answer.json() for answer in answers] == ["slept"] * 4
        assert len(local.find_environments()) == 4
        # One is enough for what comes one after the other: the others are kept, frozen.
        local.invoke({"seconds": 0.01})
        assert len(local.find_environments()) == 4


def test_more_events_than_there_may_be_are_throttled(tmp_path: Path) -> None:
    with (
        run_lambda(tmp_path, "limits.sleep", "--concurrency", "1") as local,
        ThreadPoolExecutor(1) as pool,
    ):
        busy = pool.submit(local.invoke, {"seconds": 6})
        wait_until(lambda: "START" in local.read_log(), "An event on its way")

        refused = local.invoke()
        by_api = local.ask("/dev/")
        by_http_api = local.ask("/", headers={"Host": "http-api.localhost"})
        by_url = local.ask("/", headers={"Host": "f.lambda-url.localhost"})

        assert busy.result().json() == "slept"
    assert (refused.status_code, refused.headers["x-amzn-ErrorType"]) == (
        429,
        "TooManyRequestsException",
    )
    assert (by_api.status_code, by_api.json()) == (500, {"message": "Internal server error"})
    assert (by_http_api.status_code, by_http_api.json()) == (
        503,
        {"message": "Service Unavailable"},
    )
    assert by_url.status_code == 429


def test_idle_ones_end(tmp_path: Path) -> None:
    with run_lambda(tmp_path, "limits.count", "--idle", "0.5") as local:
        local.invoke()

        wait_until(lambda: not local.find_environments(), "The end of an idle environment")


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGKILL])
def test_nothing_is_left(tmp_path: Path, number: signal.Signals) -> None:
    """However the program ends, the function's processes do, the frozen ones too."""
    with run_lambda(tmp_path, "limits.sleep") as local, ThreadPoolExecutor(2) as pool:
        local.invoke({"seconds": 0})
        waiting = pool.submit(lambda: pool.submit(local.invoke, {"seconds": 60}).exception())
        wait_until(lambda: local.read_log().count("START Req") == 2, "An event on its way")
        pids = local.find_environments()
        assert pids

        local.process.send_signal(number)

        wait_until(lambda: not any(is_running(pid) for pid in pids), "The end of the function")
        local.process.wait(10)
        waiting.result()


def is_running(pid: int) -> bool:
    """Whether it runs; what nobody has reaped yet does not."""
    try:
        return read_state(pid) != "Z"
    except OSError:
        return False


def test_what_it_starts_goes_with_it(tmp_path: Path) -> None:
    with run_lambda(tmp_path, "limits.start_child") as local:
        child = local.invoke().json()
        wait_until(lambda: read_state(child) == "T", "A frozen child")
        [pid] = local.find_environments()

        os.kill(pid, signal.SIGKILL)

        wait_until(lambda: not is_running(child), "The end of the child")
