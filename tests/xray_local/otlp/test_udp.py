"""The datagrams of ADOT: T1S or T1U, and the spans' protobuf in base64."""

import base64
import urllib.error

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.xray_local.made import HEADER
from tests.xray_local.otlp.made import encode_protobuf, make_span
from tests.xray_local.program import Program
from xray_local.errors import DocumentRefused
from xray_local.otlp import read_udp
from xray_local.otlp.segments import make_documents


def test_sampled() -> None:
    spans = [make_span(), make_span()]

    documents = read_udp(b"T1S" + base64.b64encode(encode_protobuf(*spans)))

    assert documents == [document for span in spans for document in make_documents(span)]


def test_unsampled() -> None:
    """X-Ray makes metrics of them and no traces."""
    assert read_udp(b"T1U" + base64.b64encode(encode_protobuf(make_span()))) == []


def test_spans_that_are_none() -> None:
    good, bad = make_span(), make_span(id="")

    refusal, document = read_udp(b"T1S" + base64.b64encode(encode_protobuf(bad, good)))

    assert isinstance(refusal, DocumentRefused)
    assert refusal.code == "InvalidId"
    assert [document] == make_documents(good)


@pytest.mark.parametrize(
    "payload", [b"", b"T1", b"T2S", b"T1S!", b"T1SAAA", b"T1S\xff", b"T1UCg=="]
)
def test_payloads_that_are_none(payload: bytes) -> None:
    with pytest.raises(DocumentRefused, match="Expected ") as raised:
        read_udp(payload)
    assert raised.value.code == "ParseError"


@given(st.binary(max_size=200), st.booleans())
def test_any_bytes(data: bytes, encoded: bool) -> None:
    try:
        documents = read_udp(b"T1S" + (base64.b64encode(data) if encoded else data))
    except DocumentRefused:
        return
    assert isinstance(documents, list)


def test_datagrams(shared_xray: Program) -> None:
    span, unsampled, bad = make_span(name="by UDP"), make_span(), make_span(id="")
    before = shared_xray.counts()

    shared_xray.send(
        HEADER + b"T1U" + base64.b64encode(encode_protobuf(unsampled)),
        HEADER + b"T1S" + base64.b64encode(encode_protobuf(bad, span)),
        HEADER + b"T1Snonsense",
    )
    shared_xray.wait_for_count("refused", before["refused"] + 2)
    assert shared_xray.counts()["ignored"] == before.get("ignored", 0) + 1

    path = f"/traces/1-{span.trace_id[:8]}-{span.trace_id[8:]}"
    assert "by UDP" in shared_xray.fetch(path)
    with pytest.raises(urllib.error.HTTPError, match="404"):
        shared_xray.fetch(f"/traces/1-{unsampled.trace_id[:8]}-{unsampled.trace_id[8:]}")
