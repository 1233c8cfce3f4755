"""Static files are looked up when the first is asked for."""

from contextlib import closing
from pathlib import Path
from typing import Any

import pytest
from django.http import HttpRequest, HttpResponse
from django.test import RequestFactory

from movies_site.static_files import StaticFilesMiddleware

# A response that is closed ends a request: Django looks at its connections then.
pytestmark = pytest.mark.django_db


@pytest.fixture
def folder(tmp_path: Path, settings: Any) -> Path:
    settings.STATIC_ROOT = tmp_path
    settings.WHITENOISE_AUTOREFRESH = False
    settings.WHITENOISE_USE_FINDERS = False
    return tmp_path


def answer(request: HttpRequest) -> HttpResponse:
    return HttpResponse("a page")


def read(response: HttpResponse) -> bytes:
    with closing(response):
        return b"".join(response)


def test_start_looks_at_no_file(folder: Path, rf: RequestFactory):
    middleware = StaticFilesMiddleware(answer)
    # A file that a start would not have seen.
    (folder / "late.css").write_text("p {}")

    assert read(middleware(rf.get("/movies/"))) == b"a page"
    assert middleware.files == {}
    assert read(middleware(rf.get("/static/late.css"))) == b"p {}"


def test_files_are_looked_up_once(folder: Path, rf: RequestFactory):
    middleware = StaticFilesMiddleware(answer)
    middleware(rf.get("/static/any.css"))
    (folder / "later.css").write_text("p {}")

    assert read(middleware(rf.get("/static/later.css"))) == b"a page"


def test_another_folder_is_looked_up_at_once(
    folder: Path,
    rf: RequestFactory,
    settings: Any,
    tmp_path_factory: pytest.TempPathFactory,
):
    settings.WHITENOISE_ROOT = tmp_path_factory.mktemp("root")
    (settings.WHITENOISE_ROOT / "robots.txt").write_text("User-agent: *")

    middleware = StaticFilesMiddleware(answer)

    assert read(middleware(rf.get("/robots.txt"))) == b"User-agent: *"
