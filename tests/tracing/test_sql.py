"""What a statement says in a trace."""

import json
from collections.abc import Iterator
from typing import Any

import pytest
from django.db.backends.sqlite3.base import DatabaseWrapper
from django.utils.safestring import mark_safe
from psycopg2.sql import SQL, Identifier

from tests.conftest import Daemon
from tracing import xray_recorder
from tracing.sql import (
    KEPT_CHARACTERS,
    KEPT_STATEMENTS,
    Database,
    describe_connection,
    name_connection,
    read_statement,
    trace_connection,
)


class FakeConnection:
    """As much of a connection as a description reads."""

    def __init__(self, vendor: str, **values: str) -> None:
        self.vendor = vendor
        self.alias = "default"
        self.settings_dict = values
        self.connection: Any = None
        self.Database = type("Driver", (), {"__version__": "2.9"})


@pytest.fixture
def connections(tmp_path: Any) -> Iterator[tuple[Any, Any]]:
    """Two open databases of one engine, called primary and replica."""
    values = {
        "ENGINE": "django.db.backends.sqlite3",
        "OPTIONS": {},
        "TIME_ZONE": None,
        "CONN_MAX_AGE": 0,
        "CONN_HEALTH_CHECKS": False,
        "AUTOCOMMIT": True,
        "ATOMIC_REQUESTS": False,
        "TEST": {"NAME": None},
    }
    both = [
        DatabaseWrapper({**values, "NAME": str(tmp_path / alias)}, alias=alias)
        for alias in ("primary", "replica")
    ]
    for connection in both:
        trace_connection(connection=connection)
        trace_connection(connection=connection)
    yield both[0], both[1]
    for connection in both:
        connection.close()


def test_w3_each_statement_is_told_of_its_own_connection(
    connections: tuple[Any, Any], daemon: Daemon, django_db_blocker: Any
) -> None:
    primary, replica = connections
    with django_db_blocker.unblock():
        primary.ensure_connection()
        replica.ensure_connection()
        xray_recorder.begin_segment("test", sampling=1)
        with primary.cursor() as first, replica.cursor() as second:
            first.execute("SELECT 1 AS one")
            second.execute("SELECT 2 AS two")
            first.execute("SELECT 3 AS three")
        xray_recorder.end_segment()

    (document,) = daemon.documents(1)
    told = [(child["name"], child["sql"]["sanitized_query"]) for child in document["subsegments"]]
    assert told == [
        ("primary@sqlite", "SELECT ? AS one"),
        ("replica@sqlite", "SELECT ? AS two"),
        ("primary@sqlite", "SELECT ? AS three"),
    ]


def test_sqlites_texts_in_double_quotes_stay(
    connections: tuple[Any, Any], daemon: Daemon, django_db_blocker: Any
) -> None:
    primary, _ = connections
    with django_db_blocker.unblock():
        primary.ensure_connection()
        xray_recorder.begin_segment("test", sampling=1)
        with primary.cursor() as cursor:
            cursor.execute('CREATE TABLE "t" (n)')
            cursor.execute('SELECT "t"."n" FROM "t" WHERE n = "SECRET"')
        xray_recorder.end_segment()

    (document,) = daemon.documents(1)
    told = [child["sql"]["sanitized_query"] for child in document["subsegments"]]
    assert told == ['CREATE TABLE "t" (n)', 'SELECT "t"."n" FROM "t" WHERE n = ?']


def test_read_statement() -> None:
    connection = FakeConnection("postgresql")

    assert read_statement(b"SELECT '\xc3\xa9'", connection) == "SELECT '\u00e9'"
    assert read_statement(mark_safe("SELECT 1"), connection) == "SELECT 1"
    assert read_statement(SQL("SELECT 'it''s'"), connection) == "SELECT 'it''s'"
    assert read_statement(Identifier("needs a connection"), connection) is None
    assert read_statement(object(), connection) is None


@pytest.mark.parametrize(
    ("vendor", "expected"),
    [
        ("postgresql", 'SELECT "a" FROM t WHERE b = ?'),
        ("mysql", "SELECT ? FROM t WHERE b = ?"),
        ("other", "SELECT ? FROM t WHERE b = ?"),
    ],
)
def test_a_statement_is_read_in_its_dialect(vendor: str, expected: str) -> None:
    database = Database(FakeConnection(vendor))

    written = database.write('SELECT "a" FROM t WHERE b = 5')

    assert json.loads(f"{{{written[1:]}}}")["sql"]["sanitized_query"] == expected
    assert "sanitized_query" not in database.write(None)


def test_name_connection() -> None:
    remote = FakeConnection("postgresql", NAME="films", HOST="db.example", USER="me")
    local = FakeConnection("postgresql", NAME="films", HOST="/var/run/postgresql")

    assert name_connection(remote) == "films@db.example"
    assert name_connection(local) == "default@postgresql"


def test_describe_connection(monkeypatch: pytest.MonkeyPatch) -> None:
    connection = FakeConnection("postgresql", NAME="films", HOST="db", PORT="5432", USER="me")

    assert describe_connection(connection) == {
        "database_type": "PostgreSQL",
        "driver_version": "2.9",
        "user": "me",
        "url": "postgresql://db:5432/films",
    }


def test_statements_are_written_once_and_only_if_wanted(monkeypatch: pytest.MonkeyPatch) -> None:
    database = Database(FakeConnection("postgresql", NAME="films", HOST="db"))

    for number in range(KEPT_STATEMENTS + 10):
        assert f'"CALL a{number}()"' in database.write(f"CALL a{number}()")
    long = database.write("SELECT " + "a," * KEPT_CHARACTERS)

    assert len(database.known) == KEPT_STATEMENTS
    assert '"SELECT a,a' in long
    monkeypatch.setattr(xray_recorder, "_stream_sql", False)
    assert "sanitized_query" not in database.write("CALL a1()")
