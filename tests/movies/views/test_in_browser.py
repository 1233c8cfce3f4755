"""Pages as Chromium shows them: nothing cut off, nothing refused, the focus always seen."""

from collections.abc import Iterator
from typing import Any

import pytest
from django.contrib.auth.models import User
from django.test import Client

from movies import catalogue, reviews
from movies.fields import MovieFields
from movies.movie import Movie
from tests.chromium import needs_chromium, run_chromium

FILM = "/movies/1999/The%20Matrix/"
PAGES = (
    "/",
    "/movies/",
    "/movies/?year=1999",
    f"/movies/?q={'w' * 150}",
    FILM,
    f"{FILM}edit/",
    f"{FILM}poster/",
    f"{FILM}review/",
    f"{FILM}delete/",
    *(
        f"/movies/1998/{'W' * 200}/{part}"
        for part in ("", "edit/", "delete/", "poster/", "review/")
    ),
    f"/movies/1997/{'ש' * 200}/",
    "/accounts/",
    "/lab/",
    "/lab/many-subsegments/",
    f"/nothing{'x' * 150}",
)

pytestmark = [
    needs_chromium,
    pytest.mark.django_db(transaction=True),
]


@pytest.fixture(scope="module")
def chromium() -> Iterator[Any]:
    """A headless Chromium."""
    with pytest.MonkeyPatch.context() as patch, run_chromium() as browser:
        # Playwright keeps an event loop in this thread, in which Django would refuse SQL.
        patch.setenv("DJANGO_ALLOW_ASYNC_UNSAFE", "true")
        yield browser


@pytest.fixture
def make_page(
    chromium: Any, live_server: Any, editor: Client, film: Movie, settings: Any, user: Any
) -> Iterator[Any]:
    """A factory of pages in which an editor is signed in, with a film that has a review."""
    settings.REMOTE_URL = live_server.url + "/healthz"
    User.objects.filter(username="morpheus").update(username="M" * 150)
    reviews.save_review(user, film.key, 9, "y" * 400)
    catalogue.add_movie(MovieFields(1999, "W" * 120, plot="m" * 300, actors=("n" * 100,)))
    catalogue.add_movie(MovieFields(1998, "W" * 200))
    catalogue.add_movie(MovieFields(1997, "ש" * 200))
    contexts = []

    def make(width: int, scheme: str = "light", **options: Any) -> Any:
        context = chromium.new_context(
            viewport={"width": width, "height": 700},
            color_scheme=scheme,
            base_url=live_server.url,
            **options,
        )
        contexts.append(context)
        name = settings.SESSION_COOKIE_NAME
        context.add_cookies(
            [{"name": name, "value": editor.cookies[name].value, "url": live_server.url}]
        )
        page = context.new_page()
        page.complaints = []
        page.on("pageerror", lambda error: page.complaints.append(str(error)))
        page.on(
            "console",
            lambda message: "status of" in message.text or page.complaints.append(message.text),
        )
        return page

    yield make
    for context in contexts:
        context.close()


@pytest.mark.parametrize("width", [320, 700, 1280])
def test_pages_never_scroll_sideways(make_page: Any, width: int) -> None:
    page = make_page(width)

    for url in PAGES:
        page.goto(url)

        assert page.evaluate("document.documentElement.scrollWidth") <= width, url
    assert page.complaints == []


def measure(page: Any, selector: str) -> dict[str, float]:
    """Return where the first of such elements is, in CSS pixels."""
    box = page.locator(selector).first.bounding_box()
    return {**box, "right": box["x"] + box["width"], "bottom": box["y"] + box["height"]}


def test_long_titles_are_cut_in_lists(make_page: Any) -> None:
    """After three lines; the whole title is there for who points at it."""
    page = make_page(1280)
    page.goto("/movies/?year=1998")
    title = page.locator(".card h3").first

    line_height = title.evaluate("element => parseFloat(getComputedStyle(element).lineHeight)")
    assert measure(page, ".card h3")["height"] == pytest.approx(3 * line_height, abs=1)
    assert page.locator(".card > a").first.get_attribute("title") == "W" * 200


def test_titles_from_right_to_left_begin_where_plots_do(make_page: Any) -> None:
    page = make_page(1280)
    page.goto(f"/movies/1997/{'ש' * 200}/")
    title = measure(page, ".film h1")
    page.goto("/movies/1999/" + "W" * 120 + "/")

    assert title["right"] == measure(page, ".plot")["right"]


def test_poster_and_title_are_close_on_a_telephone(make_page: Any) -> None:
    page = make_page(360)
    page.goto(FILM)

    gap = measure(page, ".film h1")["y"] - measure(page, ".film-poster a")["bottom"]

    assert 0 < gap <= 32


def test_trace_of_the_administration_has_a_margin(make_page: Any) -> None:
    page = make_page(1280)
    page.context.clear_cookies()
    page.goto("/admin/")

    padding = page.locator(".trace").evaluate("element => getComputedStyle(element).paddingLeft")
    assert padding == page.locator("#content").evaluate(
        "element => getComputedStyle(element).paddingLeft"
    )


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_the_focus_is_always_seen(make_page: Any, scheme: str) -> None:
    page = make_page(1280, scheme)
    page.goto(FILM)

    seen = []
    for _ in range(25):
        page.keyboard.press("Tab")
        seen.append(
            page.evaluate(
                """() => {
                    const focused = document.activeElement;
                    const shown = focused.closest(".stars label") || focused;
                    return [focused.tagName, getComputedStyle(shown).outlineStyle];
                }"""
            )
        )

    assert seen[0] == ["A", "solid"]
    assert [outline for tag, outline in seen if tag != "BODY"] == ["solid"] * len(
        [tag for tag, _ in seen if tag != "BODY"]
    )


def test_dark_is_dark_and_light_is_light(make_page: Any) -> None:
    grounds = {}
    for scheme in ("light", "dark"):
        page = make_page(1280, scheme)
        page.goto("/movies/")
        grounds[scheme] = page.evaluate("getComputedStyle(document.body).backgroundColor")

    assert grounds == {"light": "rgb(250, 246, 238)", "dark": "rgb(20, 17, 15)"}


def test_an_editor_needs_no_javascript(make_page: Any, film: Movie) -> None:
    page = make_page(375, java_script_enabled=False)
    page.goto(FILM)

    page.check('[name=stars][value="8"]', force=True)
    page.click(".vote button")
    page.click("text=Edit")
    page.fill("[name=plot]", "A program sleeps.")
    page.click("main button")

    assert page.url.endswith(FILM)
    assert "A program sleeps." in page.inner_text("main")
    assert "8.0 of 10" in page.inner_text("main")
    assert page.complaints == []
