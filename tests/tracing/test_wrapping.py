"""Putting a function around another."""

import importlib
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from tracing.wrapping import when_imported, wrap


def shout(function: Any) -> Any:
    def shouted(*args: Any) -> str:
        return f"{function(*args)}!"

    return shouted


def test_a_function_is_wrapped_once() -> None:
    owner = SimpleNamespace(greet=lambda name: f"hello {name}")

    wrap(owner, "greet", shout)
    wrap(owner, "greet", shout)

    assert owner.greet("you") == "hello you!"


def test_a_module_that_lacks_what_is_traced_is_imported(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    (tmp_path / "module_of_another_version.py").touch()
    monkeypatch.syspath_prepend(tmp_path)
    when_imported("module_of_another_version", lambda module: wrap(module.Gone, "send", shout))

    assert importlib.import_module("module_of_another_version")

    assert "Could not trace module_of_another_version." in caplog.text
