"""POST /v1/traces: what is taken, and how all else is answered."""

import gzip
import json
import urllib.request
import zlib
from pathlib import Path
from typing import Any

import pytest
from google.rpc.status_pb2 import Status
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceResponse

from tests.processes import find_free_port
from tests.xray_local.conftest import Console
from tests.xray_local.made import wait_until
from tests.xray_local.otlp.made import encode_json, encode_protobuf, make_span
from tests.xray_local.program import Program, ask, run_xray, start_xray
from xray_local import settings as own_settings
from xray_local.errors import IntakeDown
from xray_local.otlp import endpoint
from xray_local.otlp.spans import Kind, Span
from xray_local.parts import KEY

PROTOBUF = "application/x-protobuf"
JSON = "application/json"
ENCODERS = {PROTOBUF: encode_protobuf, JSON: encode_json}


def post(
    console: Console,
    body: bytes,
    content_type: str = PROTOBUF,
    path: str = "/v1/traces",
    **headers: str,
) -> Any:
    # Django's own client tells no type of an empty body.
    known = {"Host": "127.0.0.1:4318", "Content-Type": content_type}
    return console.request(
        "POST", path, data=body, content_type=content_type, headers=known | headers
    )


def read_status(response: Any) -> tuple[int, str]:
    """Return code and message of the google.rpc.Status that every refusal has."""
    if response.headers["Content-Type"] == PROTOBUF:
        status = Status.FromString(response.content)
        return status.code, status.message
    fields = json.loads(response.content)
    return fields["code"], fields["message"]


def find_names(console: Console, span: Span) -> list[str]:
    """Return the names of the stored documents of the trace."""
    trace_id = f"1-{span.trace_id[:8]}-{span.trace_id[8:]}"
    answer = json.loads(console.post("/Traces", {"TraceIds": [trace_id]}).content)
    segments = answer["Traces"][0]["Segments"] if answer["Traces"] else []
    return [json.loads(each["Document"])["name"] for each in segments]


@pytest.mark.parametrize("content_type", [PROTOBUF, JSON, f"{JSON}; charset=utf-8"])
@pytest.mark.parametrize("packing", [None, "identity", "gzip", "deflate"])
def test_spans_are_stored(console: Console, content_type: str, packing: str | None) -> None:
    span = make_span(name="by HTTP")
    body = ENCODERS[content_type.partition(";")[0]](span)
    packers = {"gzip": gzip.compress, "deflate": zlib.compress}
    packed = packers[packing](body) if packing in packers else body

    response = post(
        console, packed, content_type, **({"Content-Encoding": packing} if packing else {})
    )

    assert response.status_code == 200
    assert response.headers["Content-Type"] == content_type.partition(";")[0]
    assert response.content == (b"" if content_type == PROTOBUF else b"{}")
    assert find_names(console, span) == ["by HTTP"]


def test_no_spans(console: Console) -> None:
    assert post(console, b"").status_code == 200
    assert post(console, b"{}", JSON).content == b"{}"


@pytest.mark.parametrize("content_type", [PROTOBUF, JSON])
def test_some_spans_are_none(console: Console, content_type: str) -> None:
    """The others are stored, and the answer has the number of those that are not, and why."""
    good = make_span()
    late = make_span(start_ns=2**63, end_ns=2**63)
    body = ENCODERS[content_type](make_span(id="00" * 8), good, make_span(id=""), late)

    response = post(console, body, content_type)

    assert response.status_code == 200
    if content_type == PROTOBUF:
        partial = ExportTraceServiceResponse.FromString(response.content).partial_success
        rejected, message = partial.rejected_spans, partial.error_message
    else:
        fields = json.loads(response.content)["partialSuccess"]
        rejected, message = int(fields["rejectedSpans"]), fields["errorMessage"]
    assert rejected == 2
    assert "Expected 16 hexadecimal digits, not all 0, as span_id" in message
    assert find_names(console, good) == ["work"]


@pytest.mark.parametrize("content_type", [PROTOBUF, JSON])
def test_little_that_becomes_much(
    console: Console, monkeypatch: pytest.MonkeyPatch, content_type: str
) -> None:
    """What a resource says goes into each of its segments."""
    monkeypatch.setattr(endpoint, "DOCUMENTS_MAX_BYTES", 2000)
    spans = [make_span(resource={"note": "n" * 900}) for _ in range(9)]

    response = post(console, ENCODERS[content_type](*spans), content_type)

    assert response.status_code == 413
    assert "of which 2000 bytes of segments are made" in read_status(response)[1]


@pytest.mark.parametrize(
    ("content_type", "body"), [(PROTOBUF, b"\x0a\xff"), (JSON, b"{"), (JSON, b"[]")]
)
def test_bodies_that_are_none(console: Console, content_type: str, body: bytes) -> None:
    response = post(console, body, content_type)

    assert response.status_code == 400
    code, message = read_status(response)
    assert code == 3
    assert message.startswith("Expected ")


@pytest.mark.parametrize(
    "body",
    [b"nonsense", gzip.compress(b"{}", mtime=0)[:-4], gzip.compress(b"{}", mtime=0)[:12], b""],
)
def test_packed_bodies_that_are_none(console: Console, body: bytes) -> None:
    response = post(console, body, JSON, **{"Content-Encoding": "gzip"})

    assert response.status_code == 400
    assert "Expected a packed body" in read_status(response)[1]


def test_body_that_grows_too_large(console: Console, settings: Any) -> None:
    bomb = gzip.compress(bytes(own_settings.DATA_UPLOAD_MAX_MEMORY_SIZE + 1))

    response = post(console, bomb, **{"Content-Encoding": "gzip"})

    assert response.status_code == 413
    assert read_status(response)[0] == 8


@pytest.mark.parametrize(
    ("content_type", "headers"),
    [
        ("text/plain", {}),
        ("application/x-www-form-urlencoded", {}),
        ("", {}),
        (JSON, {"Content-Encoding": "br"}),
    ],
)
def test_what_is_not_supported(
    console: Console, content_type: str, headers: dict[str, str]
) -> None:
    response = post(console, b"{}", content_type, **headers)

    assert response.status_code == 415
    assert "Expected " in read_status(response)[1]


@pytest.mark.parametrize("method", ["GET", "PUT", "DELETE", "OPTIONS"])
def test_other_methods(console: Console, method: str) -> None:
    response = console.request(method, "/v1/traces", headers={"Host": "127.0.0.1:4318"})

    assert response.status_code == 405
    assert response.headers["Allow"] == "POST"
    assert "Access-Control-Allow-Origin" not in response.headers


@pytest.mark.parametrize("content_type", [PROTOBUF, JSON])
@pytest.mark.parametrize("signal", ["metrics", "logs"])
def test_other_signals(console: Console, signal: str, content_type: str) -> None:
    """Exporters take that for final, and say it in their log."""
    response = post(console, b"", content_type, f"/v1/{signal}")

    assert response.status_code == 404
    assert response.headers["Content-Type"] == content_type
    code, message = read_status(response)
    assert code == 12
    assert f"set OTEL_{signal.upper()}_EXPORTER=none" in message


def test_while_the_writer_is_started_again(console: Console) -> None:
    def send(_documents: Any) -> None:
        raise IntakeDown("Being started again.")

    parts = console._environ[KEY]
    environ = {KEY: type(parts)(parts.database, send, parts.udp)}
    console._environ = environ

    response = post(console, encode_protobuf(make_span()))

    assert response.status_code == 503
    assert response.headers["Retry-After"] == "1"
    assert read_status(response) == (14, "Being started again.")


@pytest.mark.parametrize(
    "headers", [{"Host": "evil.example"}, {"Origin": "http://evil.example"}, {"Origin": "null"}]
)
def test_pages_of_other_origins(console: Console, headers: dict[str, str]) -> None:
    response = post(console, encode_protobuf(make_span()), **headers)

    assert response.status_code == 403
    assert "Access-Control-Allow-Origin" not in response.headers


def is_there(program: Program, path: str) -> bool:
    status, _ = ask(program.url + path)
    return status == 200


def test_both_addresses_serve_the_same(shared_xray: Program) -> None:
    for url in (shared_xray.url, shared_xray.otlp_url):
        span = make_span(name="GET /", kind=Kind.SERVER)

        status, _ = ask(f"{url}/v1/traces", encode_json(span), **{"Content-Type": JSON})

        assert status == 200
        path = f"/traces/1-{span.trace_id[:8]}-{span.trace_id[8:]}"
        wait_until(lambda path=path: is_there(shared_xray, path))


def test_body_in_chunks(shared_xray: Program) -> None:
    span = make_span()
    pieces = iter([encode_json(span)[:100], encode_json(span)[100:]])
    request = urllib.request.Request(
        f"{shared_xray.otlp_url}/v1/traces",
        pieces,  # type: ignore[arg-type] # without a length, urllib sends chunks
        {"Content-Type": JSON, "Transfer-Encoding": "chunked"},
    )

    with urllib.request.urlopen(request, timeout=10) as response:
        assert response.read() == b"{}"


def test_port_taken(tmp_path: Path, shared_xray: Program) -> None:
    program = start_xray(tmp_path, "--otlp-address", f"127.0.0.1:{shared_xray.otlp_port}")

    assert program.process.wait(20) == 1
    assert program.output() == (
        f"X-Ray: Cannot listen on 127.0.0.1:{shared_xray.otlp_port}: TCP port "
        f"{shared_xray.otlp_port} is taken by another program. Stop it, or choose another port "
        "with --otlp-address HOST:PORT.\n"
    )


def test_switched_off(tmp_path: Path) -> None:
    with run_xray(tmp_path, "--otlp-address", "off", port=find_free_port()) as program:
        line = wait_until(program.output)

        assert "OpenTelemetry" not in line
        assert ask(f"{program.url}/v1/traces", b"{}", **{"Content-Type": JSON}) == (200, b"{}")


def test_said_where(shared_xray: Program) -> None:
    assert f"OpenTelemetry's spans to {shared_xray.otlp_url}/v1/traces" in shared_xray.output()
