"""The tracing header, from friend and foe."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tracing.header import parse

ROOT = "1-5759e988-bd862e3fe1be46a994272793"
PARENT = "53995c3f42cd8ad8"


@pytest.mark.parametrize(
    "header",
    [
        f"Root={ROOT};Parent={PARENT};Sampled=1",
        f"Root={ROOT};Parent={PARENT};Sampled=1;",
        f" Root={ROOT} ; Parent={PARENT} ; Sampled=1",
        f"root={ROOT};parent={PARENT};sampled=1",
        f"Self=1-1-1;Root={ROOT};Parent={PARENT};Sampled=1;nonsense",
        f"Root={ROOT.upper()};Parent={PARENT.upper()};Sampled=1",
    ],
)
def test_w15_parse_is_tolerant(header: str) -> None:
    parsed = parse(header)

    assert (parsed.root, parsed.parent, parsed.sampled) == (ROOT, PARENT, 1)
    assert parsed.data == {}


def test_parse_keeps_what_is_passed_on() -> None:
    assert parse(f"Root={ROOT};Lineage=1:a=b:3").data == {"Lineage": "1:a=b:3"}


@pytest.mark.parametrize(
    "header", [None, "", ";;", "Root", "Root=;Parent=", "Root=abc;Parent=53995c3f42cd8ad8", "é" * 9]
)
def test_parse_takes_nonsense_for_nothing(header: str | None) -> None:
    parsed = parse(header)

    assert (parsed.root, parsed.parent, parsed.sampled) == (None, None, None)


@given(st.text())
def test_parse_never_fails(header: str) -> None:
    parsed = parse(header)

    assert parsed.root is None or len(parsed.root) == 35
    assert all(" " not in value for value in parsed.data.values())
