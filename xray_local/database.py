"""The database file: one SQLite file, one process that writes, any number that read."""

import sqlite3
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path

from .errors import DatabaseUnusable

# Raised whenever SCHEMA changes: a file of another version is refused, not guessed at.
SCHEMA_VERSION = 2
SCHEMA = """
CREATE TABLE segments (
    trace_id TEXT NOT NULL,
    id TEXT NOT NULL,
    is_open INTEGER NOT NULL,
    document TEXT NOT NULL,
    UNIQUE (trace_id, id)
);
CREATE TABLE traces (
    id TEXT NOT NULL UNIQUE,
    id_time INTEGER NOT NULL,
    start_time REAL NOT NULL,
    end_time REAL NOT NULL,
    root_name TEXT NOT NULL,
    annotations TEXT NOT NULL,
    summary TEXT NOT NULL,
    root_type TEXT,
    root_account_id TEXT,
    is_ok INTEGER NOT NULL,
    has_error INTEGER NOT NULL,
    has_fault INTEGER NOT NULL,
    has_throttle INTEGER NOT NULL,
    is_partial INTEGER NOT NULL,
    is_inferred INTEGER NOT NULL,
    any_error INTEGER NOT NULL,
    any_fault INTEGER NOT NULL,
    response_time REAL NOT NULL,
    duration REAL NOT NULL,
    http_status INTEGER,
    http_url TEXT,
    http_method TEXT,
    user_agent TEXT,
    client_ip TEXT,
    users TEXT,
    zones TEXT,
    instance_ids TEXT,
    resource_arns TEXT
);
CREATE TABLE elements (
    trace_id TEXT NOT NULL,
    number INTEGER NOT NULL,
    name TEXT NOT NULL,
    type TEXT,
    account_id TEXT,
    source_name TEXT,
    source_type TEXT,
    source_account_id TEXT,
    is_node INTEGER NOT NULL,
    is_ok INTEGER NOT NULL,
    has_error INTEGER NOT NULL,
    has_fault INTEGER NOT NULL,
    has_throttle INTEGER NOT NULL,
    is_partial INTEGER NOT NULL,
    is_inferred INTEGER NOT NULL,
    is_root INTEGER NOT NULL,
    response_time REAL NOT NULL,
    duration REAL NOT NULL,
    http_status INTEGER,
    http_url TEXT,
    http_method TEXT,
    user_agent TEXT,
    client_ip TEXT,
    user TEXT,
    zone TEXT,
    instance_id TEXT,
    resource_arn TEXT,
    annotations TEXT,
    PRIMARY KEY (trace_id, number)
) WITHOUT ROWID;
CREATE INDEX traces_with_faults ON traces (start_time, id) WHERE has_fault = 1;
CREATE INDEX traces_with_errors ON traces (start_time, id) WHERE has_error = 1;
CREATE INDEX traces_by_start ON traces (start_time, id);
CREATE INDEX traces_by_id_time ON traces (id_time);
CREATE TABLE counts (name TEXT PRIMARY KEY, value INTEGER NOT NULL) WITHOUT ROWID;
CREATE TABLE refusals (time REAL NOT NULL, code TEXT NOT NULL, reason TEXT NOT NULL);
"""
# Documents are 1 to 4 KB: on the usual pages of 4 KB they would waste half of the file.
PAGE_BYTES = 16_384
LOCK_TIMEOUT_SECONDS = 2.0
# After a burst the log of changes is cut back to this.
LOG_MAX_BYTES = 32 * 1024 * 1024


def prepare(path: Path) -> None:
    """Make the file usable: create what is missing, count from zero. Raises DatabaseUnusable."""
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        with closing(open_for_writing(path)) as connection:
            version = connection.execute("PRAGMA user_version").fetchone()[0]
            is_new = not connection.execute("SELECT 1 FROM sqlite_schema").fetchone()
            if version != SCHEMA_VERSION and not is_new:
                raise DatabaseUnusable(
                    f"Cannot use the database {str(path)!r}: it has version {version}, expected "
                    f"{SCHEMA_VERSION}. Delete it, or name another file with --database."
                )
            # Takes the lock for a moment: a file that can only be read is found here, not later.
            connection.execute("BEGIN IMMEDIATE")
            if is_new:
                for statement in SCHEMA.split(";\n"):
                    connection.execute(statement)
                connection.execute(f"PRAGMA user_version = {SCHEMA_VERSION}")
            connection.execute("DELETE FROM counts")
            connection.execute("DELETE FROM refusals")
            connection.execute("COMMIT")
    except (sqlite3.Error, OSError) as error:
        raise DatabaseUnusable(
            f"Cannot use the database {str(path)!r}: {error}. Expected a file that this user may "
            "write and no other program locks; name another with --database."
        ) from error


def open_for_writing(path: Path) -> sqlite3.Connection:
    """Return a connection whose transactions are begun and ended by hand. Raises sqlite3.Error."""
    connection = sqlite3.connect(path, timeout=LOCK_TIMEOUT_SECONDS, isolation_level=None)
    try:
        connection.execute(f"PRAGMA page_size = {PAGE_BYTES}")
        connection.execute("PRAGMA journal_mode = WAL")
        # In WAL mode a crash of the process loses nothing, one of the machine the last moments.
        connection.execute("PRAGMA synchronous = NORMAL")
        connection.execute(f"PRAGMA journal_size_limit = {LOG_MAX_BYTES}")
    except sqlite3.Error:
        connection.close()
        raise
    return connection


@contextmanager
def reading(path: Path) -> Iterator[sqlite3.Connection]:
    """Give a connection that can only read. Raises sqlite3.Error."""
    connection = sqlite3.connect(
        f"{path.absolute().as_uri()}?mode=ro", uri=True, timeout=LOCK_TIMEOUT_SECONDS
    )
    with closing(connection):
        yield connection
