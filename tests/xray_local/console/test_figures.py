"""Numbers, written for people."""

import pytest

from xray_local.console.figures import write_count, write_rate, write_share, write_size


@pytest.mark.parametrize(
    ("per_minute", "written"),
    [(0, "0.00/min"), (0.05, "0.05/min"), (0.1, "0.1/min"), (9.9, "9.9/min"), (9.96, "10/min")],
)
def test_rates(per_minute: float, written: str) -> None:
    assert write_rate(per_minute) == written
    assert write_rate(per_minute, "short") == written.replace("/min", "/m")


@pytest.mark.parametrize(
    ("percent", "written"),
    [(0, "0 %"), (0.01, "< 1 %"), (0.95, "1 %"), (99.4, "99 %"), (100, "100 %")],
)
def test_shares(percent: float, written: str) -> None:
    assert write_share(percent) == written


def test_counts() -> None:
    assert write_count(1_234_567) == "1,234,567"


@pytest.mark.parametrize(
    ("size_bytes", "written"),
    [
        (0, "0 B"),
        (999, "999 B"),
        (1000, "1.0 KB"),
        (9949, "9.9 KB"),
        (12_345, "12 KB"),
        (5_000_000, "5.0 MB"),
        (1_234_000_000, "1.2 GB"),
        (5e12, "5,000.0 GB"),
    ],
)
def test_sizes(size_bytes: float, written: str) -> None:
    assert write_size(size_bytes) == written
