"""Style sheets, scripts and drawings."""

import importlib.util
import re

import pytest

from tests.xray_local.conftest import Console
from xray_local.console.assets import FOLDER, HTMX, find_htmx, link_asset, list_files


@pytest.mark.parametrize("name", sorted(list_files()))
def test_assets_are_kept_by_their_version(console: Console, name: str) -> None:
    response = console.get(link_asset(name))

    assert response.status_code == 200
    assert response.headers["Cache-Control"].endswith("immutable")
    assert response.headers["Content-Type"].startswith(("text/css", "text/javascript", "image/svg"))
    assert response.headers["X-Content-Type-Options"] == "nosniff"


@pytest.mark.parametrize("query", ["", "?v=", "?v=0123456789ab"])
def test_what_has_another_version_is_asked_for_again(console: Console, query: str) -> None:
    assert console.get(f"/assets/console.css{query}").headers["Cache-Control"] == "no-cache"


@pytest.mark.parametrize("name", ["other.css", "..%2Fsettings.py", "%00", "__init__.py", "."])
def test_nothing_else_is_served(console: Console, name: str) -> None:
    assert console.get(f"/assets/{name}").status_code == 404


def test_every_file_in_the_folder_is_served() -> None:
    assert {path.name for path in FOLDER.iterdir()} | {HTMX} == set(list_files())


def test_htmx_is_whole() -> None:
    assert re.match(rb"var htmx=", find_htmx().read_bytes())


def test_without_the_package(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(importlib.util, "find_spec", lambda name: None)

    with pytest.raises(ModuleNotFoundError, match=r"pip install -r requirements-local\.txt"):
        find_htmx()
