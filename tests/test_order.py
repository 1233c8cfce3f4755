"""The longest files are begun first, and those that are listed are there."""

from types import SimpleNamespace
from typing import Any

from tests.order import LONGEST, sort_longest_first
from tests.processes import ROOT


def test_every_file_is_there() -> None:
    assert [path for path in LONGEST if not (ROOT / path).is_file()] == []


def test_the_longest_first() -> None:
    ids = ["tests/test_any.py::test_z", f"{LONGEST[1]}::test_b", f"{LONGEST[1]}::test_a"]
    ids += ["tests/test_any.py::test_a", f"{LONGEST[0]}::test_c[x::y]"]
    items: list[Any] = [SimpleNamespace(nodeid=name) for name in ids]

    sort_longest_first(items)

    assert [item.nodeid for item in items] == [ids[4], ids[1], ids[2], ids[0], ids[3]]
