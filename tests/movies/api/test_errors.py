"""The shape of problems, and what of them goes into the trace."""

import json
from typing import Any

import pytest
from django.test import RequestFactory

from movies.api.errors import HEADERS, error_response, is_api_request
from tests.conftest import walk

from .client import APIClient, check_problem


@pytest.mark.parametrize(
    "status", [400, 401, 403, 404, 405, 409, 412, 413, 415, 428, 429, 500, 503]
)
def test_error_response(status: int) -> None:
    request = RequestFactory().get("/api/x/")

    response = error_response(request, status, "some_code", "What was wrong.", fields={"a": "b"})

    problem = check_problem(response)
    assert problem["detail"] == "What was wrong."
    assert problem["code"] == "some_code"
    assert problem["fields"] == {"a": "b"}
    assert problem["trace_id"] is None
    assert response["Cache-Control"] == "no-store"
    assert HEADERS.get(status, {}).items() <= dict(response.items()).items()


@pytest.mark.parametrize(
    ("path", "is_api"),
    [
        ("/api/", True),
        ("/api/x", True),
        ("/api", False),
        ("/apis/", False),
        ("/movies/api/", False),
    ],
)
def test_is_api_request(path: str, is_api: bool) -> None:
    assert is_api_request(RequestFactory().get(path)) is is_api


def test_is_api_request_under_a_stage() -> None:
    assert is_api_request(RequestFactory().get("/api/x/", SCRIPT_NAME="/prod"))


def test_problems_name_their_trace(daemon: Any) -> None:
    response = APIClient().get("/api/nothing/")

    documents = daemon.documents(2)
    found = next(d for d in documents if d["http"]["response"]["status"] == 404)
    assert response.json()["trace_id"] == found["trace_id"]
    assert found["annotations"]["error_code"] == "not_found"
    assert next(iter(walk(found))) is found
    assert json.loads(response.content)["status"] == 404
