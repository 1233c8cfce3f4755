"""The row of a trace."""

import pytest

from tests.xray_local.made import NOON
from xray_local.store.rows import read_id_time

DAY = 24 * 3600


@pytest.mark.parametrize(
    ("seconds", "found"),
    [
        (NOON, NOON),
        (NOON - 29 * DAY, NOON - 29 * DAY),  # it began long before its first segment
        (NOON - 31 * DAY, NOON),
        (NOON + 200, NOON + 200),  # another clock
        (NOON + 400, NOON),
        (0, NOON),
        (0xFFFF_FFFF, NOON),
    ],
)
def test_time_in_the_id(seconds: float, found: float) -> None:
    """OpenTelemetry's ids are random: what cannot be a time is none."""
    trace_id = f"1-{int(seconds):08x}-a006649127e371903a2de979"

    assert read_id_time(trace_id, NOON + 0.5) == int(found)
