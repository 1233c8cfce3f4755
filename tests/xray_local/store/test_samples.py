"""What a look at some of the traces says of all of them."""

import sqlite3

import pytest

from tests.xray_local.conftest import Store
from tests.xray_local.made import NOON, make_segment
from xray_local.filters import read_filter
from xray_local.store import samples
from xray_local.store.orders import Order
from xray_local.store.samples import Sample, take_sample
from xray_local.store.shapes import read_shapes
from xray_local.store.terms import BLOCK_TRACES

TRACES = 20 * BLOCK_TRACES


@pytest.fixture
def stored(store: Store) -> None:
    store(
        *[
            make_segment(
                start_time=NOON + number,
                end_time=NOON + number + number / 10,
                user="ada" if number % 4 == 0 else "bob",
            )
            for number in range(TRACES)
        ]
    )


def take(connection: sqlite3.Connection, order: Order, *wanted: str) -> Sample | None:
    condition = read_filter('user = "ada"').compile(lambda: read_shapes(connection))
    return take_sample(connection, ["1", *wanted], condition.values, condition, order)


@pytest.mark.usefixtures("stored")
def test_a_sample(connection: sqlite3.Connection, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(samples, "BLOCKS_SAMPLED", 5)

    sample = take(connection, Order.SLOWEST)

    assert sample is not None
    assert sample.step == 3
    # A block of each three, the slowest first.
    assert sorted(sample.places, reverse=True) == sample.places
    assert len(sample.places) == len(sample.fits) == 6 * BLOCK_TRACES
    assert sum(sample.fits) == 6 * BLOCK_TRACES / 4
    assert sample.fitting == 3 * sum(sample.fits)


@pytest.mark.usefixtures("stored")
def test_only_what_is_wanted_is_in_it(
    connection: sqlite3.Connection, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(samples, "BLOCKS_SAMPLED", 5)

    sample = take(connection, Order.FASTEST, "response_time >= 30")

    assert sample is not None
    assert sample.places[0] >= 30
    assert sorted(sample.places) == sample.places


@pytest.mark.usefixtures("stored")
def test_no_sample_of_few(connection: sqlite3.Connection) -> None:
    assert take(connection, Order.SLOWEST) is None


def test_a_place() -> None:
    # Every second fits, and each stands for ten.
    sample = Sample(10, [float(number) for number in range(100)], [0, 1] * 50)

    # Three, and the two that the twenty are twice in: the fifth that fits.
    assert sample.find_place(10) == (9.0, 10 * 10 / 5)
    assert sample.find_place(300) is None
    assert sample.fitting == 500


def test_no_place_where_hardly_any_fit() -> None:
    assert Sample(10, [1.0, 2.0, 3.0], [1, 0, 1]).find_place(1) is None
    assert Sample(10, [], []).find_place(1) is None
