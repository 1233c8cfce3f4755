"""How requests are read, and answered."""

import json
import sqlite3
import uuid
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest

from tests.xray_local.conftest import Console
from xray_local.api import wire
from xray_local.control.database import locate, prepare
from xray_local.errors import InvalidRequest


def refuse(console: Console, path: str, body: Any) -> str:
    response = console.post(path, body)
    assert response.status_code == 400, response.content
    assert response.headers["x-amzn-errortype"] == "InvalidRequestException"
    return str(response.json()["Message"])


def test_each_answer_has_an_id_of_its_own(console: Console) -> None:
    first, second = console.post("/Groups", {}), console.post("/GetGroup", {})

    assert (first.status_code, second.status_code) == (200, 400)
    ids = {uuid.UUID(each.headers["x-amzn-requestid"]) for each in (first, second)}
    assert len(ids) == 2
    assert first.headers["Content-Type"] == second.headers["Content-Type"] == "application/json"


def test_an_empty_body_is_an_empty_request(console: Console) -> None:
    assert console.post("/Groups", b"").json() == console.post("/Groups", {}).json()


@pytest.mark.parametrize(
    "body",
    [b"{", b"[]", b"null", b"3", b"\xff", b'{"GroupName": NaN}', b"[" * 100_000, b"{}{}"],
)
def test_bodies_that_are_no_request(console: Console, body: bytes) -> None:
    assert refuse(console, "/GetGroup", body).startswith("Expected a JSON object as the body")


def test_half_a_character_is_no_text(console: Console) -> None:
    """JSON can say what no text can: it would be found when it is stored."""
    message = refuse(console, "/GetGroup", b'{"GroupName": "\\ud800"}')

    assert message.startswith("Expected")


def test_members_that_are_null_are_left_out(console: Console) -> None:
    body = {"GroupName": "Default", "GroupARN": None}

    assert console.post("/GetGroup", body).json()["Group"]["GroupName"] == "Default"


def test_an_unknown_operation_is_told_what_there_is(console: Console) -> None:
    response = console.post("/GetTroupe", {})

    assert response.status_code == 404
    assert response.headers["x-amzn-errortype"] == "UnknownOperationException"
    message = response.json()["Message"]
    assert "does not serve '/GetTroupe'. Expected one of /CancelTraceRetrieval, " in message
    # What a browser reads is no operation.
    assert "/status" not in message
    assert "/map" not in message


def test_operations_are_posted(console: Console) -> None:
    for method in ("GET", "PUT", "DELETE"):
        assert console.request(method, "/Groups").status_code == 405


def test_settings_that_cannot_be_read(console: Console, database: Path) -> None:
    prepare(database)
    with closing(sqlite3.connect(locate(database))) as connection:
        connection.execute("PRAGMA user_version = 7")

    response = console.post("/Groups", {})

    assert response.status_code == 500
    assert response.headers["x-amzn-errortype"] == "InternalFailure"
    assert "has version 7, expected 1" in response.json()["Message"]


@pytest.mark.usefixtures("database")
def test_settings_that_are_locked(
    console: Console, database: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("xray_local.control.database.LOCK_TIMEOUT_SECONDS", 0.01)
    prepare(database)
    with closing(sqlite3.connect(locate(database), isolation_level=None)) as connection:
        connection.execute("BEGIN IMMEDIATE")

        response = console.post("/CreateGroup", {"GroupName": "a"})
        assert response.status_code == 500
        assert "database is locked" in response.json()["Message"]
        # Who reads does not wait for who writes.
        assert console.post("/Groups", {}).status_code == 200


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        (0, 0),
        (7.0, 7),
        (None, None),
        (2**31 - 1, 2**31 - 1),
        (-(2**31), -(2**31)),
    ],
)
def test_integers(value: Any, expected: int | None) -> None:
    number = wire.read_integer({"n": value}, "n")

    assert number == expected
    assert number is None or type(number) is int


@pytest.mark.parametrize(
    "value", ["1", True, 1.5, 2**31, -(2**31) - 1, 10**400, float("inf"), float("nan"), [], {}]
)
def test_no_integers(value: Any) -> None:
    with pytest.raises(InvalidRequest, match=r"Expected a .*number.* as n, got "):
        wire.read_integer({"n": value}, "n")


def test_bounds() -> None:
    read = wire.read_number
    assert [read({"n": n}, "n", at_least=0, at_most=1) for n in (0, 0.5, 1)] == [0, 0.5, 1]
    with pytest.raises(InvalidRequest, match="a number of at least 0 as n, got -1"):
        read({"n": -1}, "n", at_least=0)
    with pytest.raises(InvalidRequest, match="a number of at most 1 as n, got 2"):
        read({"n": 2}, "n", at_most=1)


def test_texts() -> None:
    fields = {"texts": ["a", "b"], "mixed": ["a", 1], "half": ["\ud800"]}

    assert wire.read_texts(fields, "texts") == ["a", "b"]
    for key in ("mixed", "half", "missing"):
        with pytest.raises(InvalidRequest, match=f"Expected a list of texts as {key}"):
            wire.read_texts(fields, key)
    with pytest.raises(InvalidRequest, match="at most 1 members in texts, got 2"):
        wire.read_texts(fields, "texts", at_most=1)
    with pytest.raises(InvalidRequest, match="Expected one of x, y as key, got 'z'"):
        wire.read_text({"key": "z"}, "key", choices=("x", "y"))


def test_hostile_texts_do_not_come_back_as_they_are(console: Console) -> None:
    """An error is read in terminals and pages: what it quotes is in ASCII and short."""
    hostile = "\x1b[31m<script>\r\n\u202e" + "x" * 5000

    for path, body in (
        ("/GetGroup", {"GroupName": hostile}),
        ("/CreateGroup", {"GroupName": "a", "FilterExpression": hostile}),
        ("/TagResource", {"ResourceARN": hostile, "Tags": []}),
        ("/DeleteSamplingRule", {"RuleName": hostile[:32]}),
        ("/DeleteResourcePolicy", {"PolicyName": hostile}),
        ("/PutEncryptionConfig", {"Type": hostile}),
        ("/ListRetrievedTraces", {"RetrievalToken": hostile[:1000]}),
        ("/UpdateIndexingRule", {"Name": hostile, "Rule": {"Probabilistic": {}}}),
        ("/Groups", {"NextToken": hostile[:90]}),
    ):
        response = console.post(path, body)
        assert response.status_code in (400, 404), (path, response.content)
        message = response.json()["Message"]
        assert message.isascii(), path
        assert message.isprintable(), path
        assert len(message) < 2000, path


def test_hostile_names_are_values(console: Console) -> None:
    """Names of rules may have any characters; none of them is SQL, a path or a format."""
    rule = {
        "ResourceARN": "*",
        "Priority": 1,
        "FixedRate": 1,
        "ReservoirSize": 1,
        "ServiceName": "*",
        "ServiceType": "*",
        "Host": "*",
        "HTTPMethod": "*",
        "URLPath": "*",
        "Version": 1,
    }
    for name in ("'; DROP TABLE rules; --", "%s {0}", "../../etc", "\x00\n", "ñ" * 32):
        made = console.post("/CreateSamplingRule", {"SamplingRule": {**rule, "RuleName": name}})
        assert made.status_code == 200, made.content
        found = console.post("/DeleteSamplingRule", {"RuleName": name}).json()
        assert found["SamplingRuleRecord"]["SamplingRule"]["RuleName"] == name
    assert json.loads(console.post("/GetSamplingRules", {}).content)["SamplingRuleRecords"]
