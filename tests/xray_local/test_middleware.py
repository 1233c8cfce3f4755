"""Who is answered, and with which headers."""

import pytest

from tests.xray_local.conftest import Console


@pytest.mark.parametrize("host", ["localhost", "127.0.0.1", "localhost:2000", "[::1]:2000"])
def test_local_hosts(console: Console, host: str) -> None:
    assert console.get("/", headers={"Host": host}).status_code == 200


@pytest.mark.parametrize("host", ["evil.example", "127.0.0.1.evil.example", "192.0.2.1", "a b", ""])
def test_other_hosts(console: Console, host: str) -> None:
    for method, path in (("GET", "/"), ("POST", "/TraceSummaries"), ("GET", "/counts")):
        response = console.request(method, path, headers={"Host": host})

        assert response.status_code == 403
        assert b"This X-Ray answers to localhost" in response.content


@pytest.mark.parametrize(
    "origin", ["http://evil.example", "null", "http://127.0.0.1:8000", "https://127.0.0.1:2000"]
)
def test_pages_of_other_origins(console: Console, origin: str) -> None:
    response = console.post("/TraceSegments", {}, headers={"Origin": origin})

    assert response.status_code == 403
    assert origin.encode() in response.content
    assert "Access-Control-Allow-Origin" not in response.headers


def test_pages_of_our_own_origin(console: Console) -> None:
    response = console.post(
        "/TraceSegments",
        {"TraceSegmentDocuments": []},
        headers={"Origin": "http://127.0.0.1:2000"},
    )

    assert response.status_code == 200


@pytest.mark.parametrize("path", ["/", "/counts", "/nothing", "/assets/console.css"])
def test_security_headers(console: Console, path: str) -> None:
    response = console.get(path)

    policy = response.headers["Content-Security-Policy"]
    assert "default-src 'none'" in policy
    assert "unsafe" not in policy
    assert response.headers["X-Content-Type-Options"] == "nosniff"
    assert response.headers["Cross-Origin-Resource-Policy"] == "same-origin"
    assert response.headers["Referrer-Policy"] == "no-referrer"
    assert response.headers["Content-Length"] == str(len(response.content))
