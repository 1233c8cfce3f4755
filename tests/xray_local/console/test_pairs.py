"""The rows of two traces side by side: nothing in them becomes HTML."""

from typing import Any

import msgspec
import pytest

from tests.xray_local.made import NOON, make_segment, make_subsegment
from xray_local.console.comparison import Pair, compare
from xray_local.console.outline import outline
from xray_local.console.pairs import Row, write_rows
from xray_local.console.scope import Scope
from xray_local.traces.trees import build_tree

BAD = """<b a="1" a='2'>&amp;{0}{x}%s"""
ESCAPED = "&lt;b a=&quot;1&quot; a=&#x27;2&#x27;&gt;&amp;amp;{0}{x}%s"
IDS = ("1-5f84c7a1-000000000000000000000001", "1-5f84c7a1-000000000000000000000002")


@pytest.fixture(autouse=True)
def urls(settings: Any) -> None:
    settings.ROOT_URLCONF = "xray_local.urls"


@pytest.fixture
def pair() -> Pair:
    traces = []
    for seconds in (1, 1.125):
        call = make_subsegment(
            BAD,
            id="<&> 0123456789ab",
            end_time=NOON + seconds,
            namespace="aws",
            aws={"operation": BAD},
        )
        traces.append(outline(build_tree([make_segment(subsegments=[call])])))
    return compare(*traces).pairs[1]


def write(pair: Pair, scope: Scope | None = None) -> str:
    return write_rows([Row(pair, 2, 33.333, 50)], IDS, scope or Scope(NOON, NOON + 60))


def test_what_is_in_a_trace_is_escaped(pair: Pair) -> None:
    html = write(pair)

    assert "<b a" not in html
    assert "a='" not in html
    assert html.count(ESCAPED) == 2
    assert '"indent-2"' in html
    assert 'width="33.33%"' in html
    assert '<span class="slower">+125 ms</span>' in html
    assert "no. " not in html
    assert "only in" not in html


def test_the_name_leads_to_the_element(pair: Pair) -> None:
    element = "element=%3C%26%3E+0123456789ab"
    one = msgspec.structs.replace(pair, other=None)

    assert f'href="/traces/{IDS[1]}?{element}"' in write(pair)
    assert f'href="/traces/{IDS[0]}?{element}"' in write(one)
    assert f"?filter=ok&amp;{element}" in write(pair, Scope(NOON, NOON + 60, filter="ok"))
    assert pair.other is not None
    nameless = msgspec.structs.replace(pair.other, id="")
    assert f'href="/traces/{IDS[1]}"' in write(msgspec.structs.replace(pair, other=nameless))


def test_what_only_one_has(pair: Pair) -> None:
    for changes, words in (
        ({"one": None, "one_ms": 0.0}, "only in B"),
        ({"other": None, "other_ms": 0.0}, "only in A"),
    ):
        html = write(msgspec.structs.replace(pair, **changes))
        assert words in html
        assert "\N{EN DASH}</span></td>" in html
        assert "\N{MULTIPLICATION SIGN}</td>" not in html


def test_numbers(pair: Pair) -> None:
    html = write(msgspec.structs.replace(pair, occurrence=1234, one_ms=8.0, other_ms=1.0))

    assert "no. 1,234" in html
    assert '<span class="quicker">' in html
    assert "0.13 \N{MULTIPLICATION SIGN}" in html
    assert '<span class="muted">0</span>' in write(
        msgspec.structs.replace(pair, one_ms=8.0, other_ms=8.0)
    )
