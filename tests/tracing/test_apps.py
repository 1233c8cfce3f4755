"""What the app does when Django starts."""

import pytest

from tracing import apps, settings


def test_setting_auto_instrument_tells_of_what_fails(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    def fail() -> None:
        raise LookupError("no such hook")

    installed: list[str] = []
    monkeypatch.setattr(
        apps, "INSTRUMENTS", {"sql": fail, "templates": lambda: installed.append("templates")}
    )

    apps.instrument(settings.current())

    assert "Could not instrument sql." in caplog.text
    assert "no such hook" in caplog.text
    assert installed == ["templates"]
