"""Members of documents, whatever their type; and documents as they are stored."""

from typing import Any

import pytest

from tests.xray_local.made import make_id
from xray_local.traces.documents import as_number, as_text, as_time, load_document, show


def test_load_document() -> None:
    assert load_document('{"a": ["é", 1, 2.5, null]}'.encode()) == {"a": ["é", 1, 2.5, None]}


@pytest.mark.parametrize("number", ["1e999", "-1e400", "9" * 5000])
def test_load_document_with_a_number_that_nobody_can_hold(number: str) -> None:
    assert load_document(f'{{"a": {number}, "b": 1}}'.encode()) == {"a": None, "b": 1}


def test_as_number() -> None:
    assert as_number(3) == 3.0
    assert as_number(2.5) == 2.5
    for other in (True, None, "1", [], float("nan"), float("inf"), 10**400):
        assert as_number(other) is None


def test_as_time() -> None:
    assert as_time(0) == 0
    assert as_time(253_402_300_800) is None


def test_as_text() -> None:
    assert as_text("abc", 2) == "ab"
    assert as_text("") is None
    assert as_text(1) is None


def test_show_what_python_does_not_print() -> None:
    endless: list[Any] = []
    for _ in range(100_000):
        endless = [endless]

    assert show("é" + make_id()).isascii()
    assert show(10**5000) == "a int"
    assert show(endless) == "a list"
    assert len(show("x" * 1000)) == 80
    while endless:  # taken apart by hand: freeing it would be as deep
        endless = endless.pop()
