"""Reading without collecting garbage meanwhile."""

import gc

import pytest

from xray_local.console.pauses import without_collecting


def test_nothing_is_collected_meanwhile() -> None:
    with without_collecting():
        assert not gc.isenabled()

    assert gc.isenabled()


def test_whatever_happens() -> None:
    with pytest.raises(ValueError, match="x"), without_collecting():
        raise ValueError("x")

    assert gc.isenabled()


def test_one_in_another() -> None:
    with without_collecting():
        with without_collecting():
            pass
        assert not gc.isenabled()

    assert gc.isenabled()


def test_another_that_ends_while_one_begins(monkeypatch: pytest.MonkeyPatch) -> None:
    is_enabled = gc.isenabled
    other = without_collecting()
    other.__enter__()

    def look() -> bool:
        was_on = is_enabled()
        other.__exit__(None, None, None)
        return was_on

    monkeypatch.setattr(gc, "isenabled", look)
    with without_collecting():
        pass

    assert is_enabled()
