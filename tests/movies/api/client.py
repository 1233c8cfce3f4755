"""A client of the API, and what it sends."""

import json
import struct
import zlib
from typing import Any
from urllib.parse import quote

from django.contrib.auth.models import Permission, User
from django.http import HttpResponse
from django.test import Client

PROBLEM_MEMBERS = {"type", "title", "status", "detail", "code", "trace_id"}


class APIClient:
    """Speaks JSON to the site as a browser would be made to: with cookies and a CSRF token."""

    def __init__(self, user: User | None = None) -> None:
        self.client = Client(enforce_csrf_checks=True)
        if user is not None:
            self.client.force_login(user)
        self.client.get("/api/")
        self.token = self.client.cookies["csrftoken"].value

    def send(
        self,
        method: str,
        path: str,
        body: Any = None,
        *,
        content_type: str = "application/json",
        **headers: str,
    ) -> Any:
        """Return the response; a body that isn't bytes is sent as JSON.

        headers: as if_match='"1"'. What isn't an error is checked for nothing, what is one, for
        the API's one shape.
        """
        names = {name.replace("_", "-"): value for name, value in headers.items()}
        response = self.client.generic(
            method,
            path,
            body if isinstance(body, bytes) else b"" if body is None else json.dumps(body),
            content_type,
            headers={"X-CSRFToken": self.token, **names},
        )
        if response.status_code >= 400 and method != "HEAD":
            check_problem(response)
        return response

    def get(self, path: str, **headers: str) -> Any:
        return self.send("GET", path, **headers)

    def post(self, path: str, body: Any, **more: Any) -> Any:
        return self.send("POST", path, body, **more)

    def put(self, path: str, body: Any, **more: Any) -> Any:
        return self.send("PUT", path, body, **more)

    def delete(self, path: str, **headers: str) -> Any:
        return self.send("DELETE", path, **headers)


def check_problem(response: HttpResponse) -> dict[str, Any]:
    """Return the problem, having seen that it is one."""
    assert response["Content-Type"] == "application/problem+json"
    problem: dict[str, Any] = json.loads(response.content)
    assert problem.keys() - {"fields", "current"} == PROBLEM_MEMBERS
    assert problem["type"] == "about:blank"
    assert problem["status"] == response.status_code
    assert problem["detail"]
    assert problem["code"]
    return problem


def make_editor(name: str = "editor") -> User:
    """Return somebody who may edit the catalogue."""
    user = User.objects.create_user(name)
    user.user_permissions.add(Permission.objects.get(codename="edit_catalogue"))
    return user


def film_path(year: int, title: str, rest: str = "") -> str:
    """Return the address of a film, or of what belongs to it."""
    escaped = title.replace("~", "~~").replace("/", "~s")
    return f"/api/movies/{year}/{quote(escaped, safe='~')}/{rest}"


def make_png(width: int = 60, height: int = 90) -> bytes:
    """Return a picture: a PNG of one colour."""

    def chunk(kind: bytes, content: bytes) -> bytes:
        checksum = struct.pack(">I", zlib.crc32(kind + content))
        return struct.pack(">I", len(content)) + kind + content + checksum

    header = struct.pack(">IIBBBBB", width, height, 8, 0, 0, 0, 0)
    rows = zlib.compress(b"".join(b"\0" + b"\x80" * width for _ in range(height)))
    return (
        b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", header) + chunk(b"IDAT", rows) + chunk(b"IEND", b"")
    )
