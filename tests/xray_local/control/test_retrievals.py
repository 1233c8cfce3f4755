"""Retrievals of traces."""

import sqlite3

import pytest

from xray_local.control import retrievals
from xray_local.errors import ResourceNotFound

NOON = 1_700_000_000.0


def start(connection: sqlite3.Connection, now: float = NOON) -> str:
    return retrievals.start_retrieval(connection, ["a", "b", "a"], NOON - 60, NOON, now)


def test_complete_at_once(connection: sqlite3.Connection) -> None:
    found = retrievals.get_retrieval(connection, start(connection), NOON)

    assert found == ("COMPLETE", NOON - 60, NOON, ("a", "b"))


def test_timeout_after_an_hour(connection: sqlite3.Connection) -> None:
    token = start(connection)

    assert retrievals.get_retrieval(connection, token, NOON + 3599).status == "COMPLETE"
    assert retrievals.get_retrieval(connection, token, NOON + 3600).status == "TIMEOUT"


def test_cancelled(connection: sqlite3.Connection) -> None:
    token, other = start(connection), start(connection)

    retrievals.cancel_retrieval(connection, token, NOON)

    assert retrievals.get_retrieval(connection, token, NOON + 7200).status == "CANCELLED"
    assert retrievals.get_retrieval(connection, other, NOON).status == "COMPLETE"


def test_tokens_are_known_for_a_day(connection: sqlite3.Connection) -> None:
    token = start(connection)

    start(connection, NOON + 86_399)
    assert retrievals.get_retrieval(connection, token, NOON).status == "COMPLETE"
    start(connection, NOON + 86_400)

    for unknown in (token, "", "x" * 1020):
        with pytest.raises(ResourceNotFound, match="RetrievalToken of StartTraceRetrieval"):
            retrievals.get_retrieval(connection, unknown, NOON)
        with pytest.raises(ResourceNotFound, match="RetrievalToken of StartTraceRetrieval"):
            retrievals.cancel_retrieval(connection, unknown, NOON)
