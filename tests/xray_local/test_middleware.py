"""Who is answered, and with which headers."""

import gzip
from typing import Any

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
    ("host", "status"),
    [
        ("172.17.0.2:2000", 200),
        ("192.0.2.1", 200),
        ("[fd00::2]:2000", 200),
        ("evil.example:2000", 403),
        ("172.17.0.2.evil.example", 403),
        ("[", 403),
        ("1.2.3.4@evil.example", 403),
    ],
)
def test_hosts_where_all_addresses_are_listened_at(
    console: Console, settings: Any, host: str, status: int
) -> None:
    """As in a container, with --address 0.0.0.0:2000."""
    settings.TAKES_ANY_ADDRESS = True

    response = console.request("GET", "/counts", headers={"Host": host})

    assert response.status_code == status


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
    assert response.headers["Referrer-Policy"] == "same-origin"
    assert response.headers["Content-Length"] == str(len(response.content))


def test_our_own_page_on_another_local_port_is_another_origin(console: Console) -> None:
    """The traced site is as local as the console, and yet may not read what it shows."""
    response = console.get("/counts", headers={"Origin": "http://127.0.0.1:8000"})

    assert response.status_code == 403


@pytest.mark.parametrize("site", ["cross-site", "same-site"])
@pytest.mark.parametrize("method", ["GET", "POST"])
@pytest.mark.parametrize("mode", ["no-cors", "cors", "websocket", "navigate", None])
def test_what_a_browser_says_of_other_sites(
    console: Console, site: str, method: str, mode: str | None
) -> None:
    """A link may lead here; an image, a script, a form that posts may not."""
    headers = {"Host": "127.0.0.1:2000", "Sec-Fetch-Site": site}
    if mode:
        headers["Sec-Fetch-Mode"] = mode

    response = console.request(method, "/", headers=headers)

    is_link = (method, mode) == ("GET", "navigate")
    assert response.status_code == (200 if is_link else 403)
    assert "Access-Control-Allow-Origin" not in response.headers


@pytest.mark.parametrize("site", ["none", "same-origin"])
def test_what_a_browser_says_of_our_own_pages(console: Console, site: str) -> None:
    headers = {"Host": "127.0.0.1:2000", "Sec-Fetch-Site": site, "Sec-Fetch-Mode": "no-cors"}

    assert console.request("GET", "/assets/console.css", headers=headers).status_code == 200


@pytest.mark.parametrize("path", ["/", "/counts", "/TraceSummaries", "/traces/x.json"])
def test_preflight_is_not_answered(console: Console, path: str) -> None:
    """Without these headers a browser does not even send the request that it asks for."""
    response = console.request(
        "OPTIONS",
        path,
        headers={
            "Host": "127.0.0.1:2000",
            "Origin": "http://evil.example",
            "Access-Control-Request-Method": "POST",
            "Access-Control-Request-Private-Network": "true",
        },
    )

    assert response.status_code == 403
    assert not [name for name in response.headers if name.startswith("Access-Control")]


@pytest.mark.parametrize("path", ["/", "/assets/console.css"])
def test_what_a_browser_takes_compressed(console: Console, path: str) -> None:
    plain = console.get(path)
    compressed = console.get(path, headers={"Accept-Encoding": "gzip, br"})

    assert "Content-Encoding" not in plain.headers
    assert compressed.headers["Content-Encoding"] == "gzip"
    assert compressed.headers["Content-Length"] == str(len(compressed.content))
    assert len(gzip.decompress(compressed.content)) >= len(compressed.content)
    assert "Accept-Encoding" in compressed.headers["Vary"]


@pytest.mark.parametrize(
    ("accepted", "is_compressed"),
    [
        ("gzip;q=0", False),
        ("br, gzip ; q=0.000, identity", False),
        ("gzip;q=0.5", True),
        ("gzip, br;q=0", True),
    ],
)
def test_a_browser_may_refuse_it(console: Console, accepted: str, is_compressed: bool) -> None:
    answer = console.get("/start", headers={"Accept-Encoding": accepted})

    assert ("Content-Encoding" in answer.headers) == is_compressed
