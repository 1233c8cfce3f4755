"""The screens that the bar on every page leads to."""

import html
import re

import pytest

from tests.xray_local.conftest import Console
from xray_local.console.navigation import SCREENS, Screen


@pytest.mark.parametrize("screen", SCREENS, ids=[screen.route for screen in SCREENS])
def test_every_page_leads_to_every_screen_about_the_same(console: Console, screen: Screen) -> None:
    traces = console.page("/traces?range=6h&filter=ok")
    (link,) = re.findall(f'<a href="([^"]+)" data-key="g {screen.key}"', traces)

    page = console.page(html.unescape(link))

    assert link.endswith("?range=6h&amp;filter=ok")
    assert re.search(f'data-key="g {screen.key}" aria-current="page">{screen.label}</a>', page)


def test_keys_and_labels_tell_screens_apart() -> None:
    assert len({screen.key for screen in SCREENS}) == len(SCREENS)
    assert len({screen.label for screen in SCREENS}) == len(SCREENS)
