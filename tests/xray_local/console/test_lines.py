"""A trace in one line."""

import json
import sqlite3
from typing import Any

import pytest

from tests.xray_local.conftest import Store
from tests.xray_local.made import NOON, make_request, make_segment
from xray_local.console.lines import TraceLine, make_lines
from xray_local.store.queries import list_traces


@pytest.fixture
def line(connection: sqlite3.Connection, store: Store) -> Any:
    def line(**fields: Any) -> TraceLine:
        store(make_segment(**fields))
        return make_lines(list_traces(connection))[0]

    return line


@pytest.mark.parametrize(
    ("url", "origin", "title"),
    [
        ("http://a:1/b?c", "http://a:1", "/b?c"),
        ("https://a/", "https://a", "/"),
        ("http://a", "", "http://a"),
        ("/b", "", "/b"),
        ("javascript://x/%0aalert(1)", "", "javascript://x/%0aalert(1)"),
    ],
)
def test_url(line: Any, url: str, origin: str, title: str) -> None:
    found = line(http=make_request(url, 200))

    assert (found.origin, found.title) == (origin, title)
    assert (found.method, found.status) == ("GET", 200)


def test_without_url(line: Any) -> None:
    found = line(name="worker")

    assert (found.title, found.method, found.status) == ("worker", "", None)


@pytest.mark.parametrize(
    ("fields", "flags"),
    [
        ({}, ("ok",)),
        ({"fault": True}, ("fault",)),
        ({"error": True, "throttle": True}, ("error", "throttle")),
        ({"in_progress": True, "end_time": None}, ("in progress",)),
    ],
)
def test_flags(line: Any, fields: dict[str, Any], flags: tuple[str, ...]) -> None:
    assert line(**fields).flags == flags


def test_annotations(line: Any) -> None:
    found = line(annotations=json.loads('{"a": 1, "b": 1.5, "c": true, "d": false, "e": "x"}'))

    assert found.annotations == (
        ("a", "1"),
        ("b", "1.5"),
        ("c", "true"),
        ("d", "false"),
        ("e", "x"),
    )
    assert found.annotations_left_out == 0


def test_too_many_annotations(line: Any) -> None:
    found = line(annotations={f"k{number}": number for number in range(10)})

    assert len(found.annotations) == 6
    assert found.annotations_left_out == 4


def test_bars_against_the_slowest(connection: sqlite3.Connection, store: Store) -> None:
    store(make_segment(end_time=NOON + 4), make_segment(end_time=NOON + 1))

    lines = make_lines(list_traces(connection))

    assert sorted(line.bar_width for line in lines) == [25, 100]


def test_bars_of_traces_that_took_no_time(line: Any) -> None:
    assert line(end_time=NOON).bar_width == 1
