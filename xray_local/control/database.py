"""The file of settings: a small SQLite database beside the traces, opened for each request."""

import sqlite3
import time
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path

from xray_local.errors import DatabaseUnusable

# Raised whenever SCHEMA changes: a file of another version is refused, not guessed at.
SCHEMA_VERSION = 1
SCHEMA = """
CREATE TABLE groups (
    name TEXT PRIMARY KEY,
    arn TEXT NOT NULL UNIQUE,
    expression TEXT NOT NULL,
    has_insights INTEGER NOT NULL,
    has_notifications INTEGER NOT NULL
) WITHOUT ROWID;
CREATE TABLE rules (
    name TEXT PRIMARY KEY,
    arn TEXT NOT NULL UNIQUE,
    priority INTEGER NOT NULL,
    rule TEXT NOT NULL,
    created REAL NOT NULL,
    modified REAL NOT NULL
) WITHOUT ROWID;
CREATE TABLE clients (
    rule TEXT NOT NULL,
    id TEXT NOT NULL,
    seen REAL NOT NULL,
    PRIMARY KEY (rule, id)
) WITHOUT ROWID;
CREATE TABLE statistics (
    start INTEGER NOT NULL,
    rule TEXT NOT NULL,
    requests INTEGER NOT NULL,
    borrowed INTEGER NOT NULL,
    sampled INTEGER NOT NULL,
    PRIMARY KEY (start, rule)
) WITHOUT ROWID;
CREATE TABLE boosts (
    rule TEXT NOT NULL,
    service TEXT NOT NULL,
    rate REAL NOT NULL,
    ends REAL NOT NULL,
    cools REAL NOT NULL,
    PRIMARY KEY (rule, service)
) WITHOUT ROWID;
CREATE TABLE tags (
    arn TEXT NOT NULL,
    key TEXT NOT NULL,
    value TEXT NOT NULL,
    PRIMARY KEY (arn, key)
) WITHOUT ROWID;
CREATE TABLE policies (
    name TEXT PRIMARY KEY,
    document TEXT NOT NULL,
    revision INTEGER NOT NULL,
    updated REAL NOT NULL
) WITHOUT ROWID;
CREATE TABLE retrievals (
    token TEXT PRIMARY KEY,
    started REAL NOT NULL,
    is_cancelled INTEGER NOT NULL,
    start REAL NOT NULL,
    end REAL NOT NULL,
    trace_ids TEXT NOT NULL
) WITHOUT ROWID;
CREATE TABLE choices (name TEXT PRIMARY KEY, value TEXT NOT NULL) WITHOUT ROWID;
"""
LOCK_TIMEOUT_SECONDS = 2.0


def locate(traces: Path) -> Path:
    """Return where the settings are that belong to a database of traces."""
    return traces.with_name(f"{traces.name}-settings")


def prepare(traces: Path) -> None:
    """Make the file usable, or say in one line why it is not. Raises DatabaseUnusable."""
    path = locate(traces)
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        # Takes the lock for a moment: a file that can only be read is found here, not later.
        with changing(traces):
            pass
    except (sqlite3.Error, OSError) as error:
        raise DatabaseUnusable(
            f"Cannot use the settings {str(path)!r}: {error}. Expected a file that this user may "
            "write and no other program locks. Delete it to begin with X-Ray's own settings, or "
            "name another place with --database."
        ) from error


@contextmanager
def kept_open(traces: Path) -> Iterator[None]:
    """Keep the file open until the end of the block, having prepared it. Raises DatabaseUnusable.

    Whoever closes a file last tidies it up and waits for the disk, 25 ms after each change.
    """
    prepare(traces)
    with reading(traces):
        yield


@contextmanager
def reading(traces: Path) -> Iterator[sqlite3.Connection]:
    """Give a connection. Raises sqlite3.Error and DatabaseUnusable."""
    with closing(_open(locate(traces))) as connection:
        yield connection


@contextmanager
def changing(traces: Path) -> Iterator[sqlite3.Connection]:
    """Give a connection whose changes are kept at the end, all or, after an exception, none.

    Nobody else changes anything meanwhile. Raises sqlite3.Error and DatabaseUnusable.
    """
    with reading(traces) as connection:
        connection.execute("BEGIN IMMEDIATE")
        with connection:
            yield connection


def _open(path: Path) -> sqlite3.Connection:
    """Return a connection; the file is made where there is none."""
    connection = sqlite3.connect(path, timeout=LOCK_TIMEOUT_SECONDS, isolation_level=None)
    try:
        connection.execute("PRAGMA synchronous = NORMAL")
        version = _read_version(connection)
        if version == 0:
            if not connection.execute("SELECT 1 FROM sqlite_schema").fetchone():
                connection.execute("PRAGMA journal_mode = WAL")
                _create(connection)
            version = _read_version(connection)
        if version != SCHEMA_VERSION:
            raise DatabaseUnusable(
                f"Cannot use the settings {str(path)!r}: the file has version {version}, expected "
                f"{SCHEMA_VERSION}. Delete it to begin with X-Ray's own settings, or name another "
                "place with --database."
            )
    except BaseException:
        connection.close()
        raise
    return connection


def _create(connection: sqlite3.Connection) -> None:
    """Make the tables and what every account has, unless somebody else does at this moment."""
    from . import groups, rules

    connection.execute("BEGIN IMMEDIATE")
    with connection:
        if _read_version(connection) == 0:
            for statement in SCHEMA.split(";\n"):
                connection.execute(statement)
            groups.create_default(connection)
            rules.create_default(connection, time.time())
            connection.execute(f"PRAGMA user_version = {SCHEMA_VERSION}")


def _read_version(connection: sqlite3.Connection) -> int:
    return int(connection.execute("PRAGMA user_version").fetchone()[0])
