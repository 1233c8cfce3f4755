"""The tracing header, from friend and foe."""

import pytest
from aws_xray_sdk.core.models.trace_header import TraceHeader as SDKHeader
from hypothesis import given
from hypothesis import strategies as st

from tracing.header import adopt_header, parse

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


def test_a_header_of_the_sdk_is_taken_with_what_it_passes_on() -> None:
    theirs = SDKHeader(root=ROOT, parent=PARENT, sampled=1, data={"Lineage": "1:a:3", "X": "y"})

    ours = adopt_header(theirs)

    assert (ours.root, ours.parent, ours.sampled) == (ROOT, PARENT, 1)
    assert ours.rest == ";Lineage=1:a:3;X=y"
    assert ours.data == theirs.data
    assert adopt_header(ours) is ours
    assert adopt_header(None).root is None
