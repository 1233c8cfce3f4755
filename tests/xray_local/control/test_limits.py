"""How much is kept."""

from pathlib import Path

from xray_local.control.choices import set_choice
from xray_local.control.database import changing
from xray_local.control.limits import USUAL, find_limits, keep_limits
from xray_local.intake.pipeline import Limits


def test_the_usual_ones_until_others_are_set(tmp_path: Path) -> None:
    traces = tmp_path / "traces"
    assert find_limits(traces) == USUAL

    with changing(traces) as connection:
        keep_limits(connection, Limits(1000, 20))

    assert find_limits(traces) == Limits(1000, 20)


def test_the_age_that_was_set(tmp_path: Path) -> None:
    traces = tmp_path / "traces"
    with changing(traces) as connection:
        keep_limits(connection, Limits(1000, 20, 24))

    assert find_limits(traces) == Limits(1000, 20, 24)
    assert find_limits(traces, max_hours=0) == Limits(1000, 20)


def test_those_that_were_set_when_there_was_no_age(tmp_path: Path) -> None:
    traces = tmp_path / "traces"
    with changing(traces) as connection:
        set_choice(connection, "limits", (1000, 20))

    assert find_limits(traces) == Limits(1000, 20)


def test_what_the_command_says_holds(tmp_path: Path) -> None:
    traces = tmp_path / "traces"
    with changing(traces) as connection:
        keep_limits(connection, Limits(1000, 20))

    assert find_limits(traces, max_traces=7) == Limits(1000, 7)
    assert find_limits(traces, max_bytes=8) == Limits(8, 20)
