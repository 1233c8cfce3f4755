"""Times and durations as people read them."""

import os
import subprocess
import sys
import time
from collections.abc import Iterator

import pytest

from tests.processes import ROOT
from tests.xray_local.made import NOON
from xray_local.console.times import (
    write_clock,
    write_difference,
    write_duration,
    write_iso,
    write_moment,
)


@pytest.mark.parametrize(
    ("milliseconds", "text"),
    [
        (0, "0.00 ms"),
        (0.1234, "0.12 ms"),
        (9.994, "9.99 ms"),
        (9.996, "10 ms"),
        (123.4, "123 ms"),
        (999.6, "1.00 s"),
        (59_990, "59.99 s"),
        (59_999, "1 min 0 s"),
        (3_599_000, "59 min 59 s"),
        (3_600_000, "1 h 0 min"),
        (1e13, "2,777,777 h 46 min"),
    ],
)
def test_write_duration(milliseconds: float, text: str) -> None:
    assert write_duration(milliseconds) == text


@pytest.fixture
def in_berlin() -> Iterator[None]:
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("TZ", "Europe/Berlin")
        time.tzset()
        yield
    time.tzset()


@pytest.mark.usefixtures("in_berlin")
def test_write_moment_in_the_time_of_this_machine() -> None:
    assert write_moment(NOON + 0.9996) == "2023-11-14 23:13:20.999 CET"
    assert write_iso(NOON + 0.5) == "2023-11-14T22:13:20.500+00:00"


@pytest.mark.usefixtures("in_berlin")
def test_write_clock() -> None:
    assert write_clock(NOON) == "2023-11-14 23:13:20.000"
    assert "-" not in write_clock(time.time())


@pytest.mark.usefixtures("in_berlin")
@pytest.mark.parametrize("seconds", [0, 253_402_300_799])
def test_the_edges_of_the_calendar(seconds: float) -> None:
    assert write_moment(seconds)
    assert write_clock(seconds)
    assert write_iso(seconds)


def test_the_server_shows_the_machines_clock() -> None:
    program = (
        "import django; django.setup(); "
        "from xray_local.console.times import write_moment; print(write_moment(0))"
    )
    result = subprocess.run(
        [sys.executable, "-c", program],
        env=os.environ | {"TZ": "Asia/Tokyo", "DJANGO_SETTINGS_MODULE": "xray_local.settings"},
        capture_output=True,
        text=True,
        check=True,
        cwd=ROOT,
    )

    assert result.stdout.strip() == "1970-01-01 09:00:00.000 JST"


@pytest.mark.parametrize(
    ("milliseconds", "text"),
    [
        (0, "0"),
        (812.4, "+812 ms"),
        (-0.5, "\N{MINUS SIGN}0.50 ms"),
        (-61_000, "\N{MINUS SIGN}1 min 1 s"),
    ],
)
def test_differences(milliseconds: float, text: str) -> None:
    assert write_difference(milliseconds) == text
