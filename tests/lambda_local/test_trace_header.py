"""The tracing header: what is kept of it, what is made anew."""

import re

import pytest

from lambda_local.trace_header import Sampler, Trace, read_trace

ROOT = "1-67891233-abcdef012345678912345678"
PARENT = "53995c3f42cd8ad8"


@pytest.mark.parametrize(
    ("header", "trace"),
    [
        (f"Root={ROOT}", Trace(ROOT)),
        (f"Root={ROOT};Parent={PARENT};Sampled=1", Trace(ROOT, PARENT, True)),
        (f"Sampled=0; Root={ROOT}", Trace(ROOT, None, False)),
        (f"root={ROOT.upper()};parent={PARENT.upper()};sampled=?", Trace(ROOT, PARENT, None)),
        (f"Self=1-6789-b;Root={ROOT};CalledFrom=app", Trace(ROOT)),
        (f"Root={ROOT};Parent=short", Trace(ROOT)),
    ],
)
def test_read(header: str, trace: Trace) -> None:
    assert read_trace(header) == trace


@pytest.mark.parametrize("header", [None, "", "Root=", "Root=1-2-3;Sampled=1", "=;;=", "x" * 9000])
def test_a_header_that_names_no_trace_begins_one(header: str | None) -> None:
    trace = read_trace(header)

    assert re.fullmatch(r"1-[0-9a-f]{8}-[0-9a-f]{24}", trace.root)
    assert (trace.parent_id, trace.is_sampled) == (None, None)


def test_write() -> None:
    assert Trace(ROOT).write() == f"Root={ROOT}"
    assert Trace(ROOT, PARENT, True).write() == f"Root={ROOT};Parent={PARENT};Sampled=1"
    assert re.fullmatch(
        rf"Root={ROOT};Parent={PARENT};Sampled=0;Lineage=1:[0-9a-f]{{8}}:0",
        Trace(ROOT, PARENT, False).write("arn:aws:lambda:us-east-1:1:function:f"),
    )


@pytest.mark.parametrize("is_sparing", [True, False])
def test_a_decision_stands(is_sparing: bool) -> None:
    sampler = Sampler(is_sparing=is_sparing)

    for decision in (True, False):
        assert sampler.decide(Trace(ROOT, None, decision)).is_sampled is decision
    assert sampler.decide(Trace(ROOT)).is_sampled
