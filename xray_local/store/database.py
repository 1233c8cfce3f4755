"""The database file: one SQLite file, one process that writes, any number that read."""

import sqlite3
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path

from xray_local.errors import DatabaseUnusable

# Raised whenever SCHEMA changes: a file of another version is refused, not guessed at.
SCHEMA_VERSION = 5
# What has the same `trace_no` is of one trace; numbers rise in the order of arrival.
#
# shapes: the kinds of elements. trace_shapes: which of them a trace has, the least and greatest
# seconds of those, and of several the microseconds of each, as JSON. minutes, hours: elements by
# the start of their traces, shape and bucket. terms: what there is to find in each block of traces
# whose numbers are next to each other, so that what is rare is found without looking at all; see
# terms.py.
#
# Annotations stand first in their row: a text that may be anywhere in them is looked for in all of
# them, and SQLite walks over every column before.
SCHEMA = """
CREATE TABLE segments (
    no INTEGER PRIMARY KEY,
    trace_no INTEGER NOT NULL,
    document BLOB NOT NULL
);
CREATE INDEX segments_by_trace ON segments (trace_no);
CREATE TABLE traces (
    no INTEGER PRIMARY KEY,
    annotations TEXT,
    id TEXT NOT NULL UNIQUE,
    id_time INTEGER NOT NULL,
    start_time REAL NOT NULL,
    end_time REAL NOT NULL,
    revision INTEGER NOT NULL,
    documents INTEGER NOT NULL,
    response_time REAL NOT NULL,
    duration REAL NOT NULL,
    http_status INTEGER,
    is_ok INTEGER NOT NULL,
    has_error INTEGER NOT NULL,
    has_fault INTEGER NOT NULL,
    has_throttle INTEGER NOT NULL,
    is_partial INTEGER NOT NULL,
    is_inferred INTEGER NOT NULL,
    any_error INTEGER NOT NULL,
    any_fault INTEGER NOT NULL,
    root_name TEXT NOT NULL,
    root_type TEXT,
    root_account_id TEXT,
    http_url TEXT,
    http_method TEXT,
    user_agent TEXT,
    client_ip TEXT,
    users TEXT,
    zones TEXT,
    instance_ids TEXT,
    resource_arns TEXT
);
CREATE INDEX traces_by_start ON traces (
    start_time, no, id_time, end_time, response_time, duration, http_status,
    is_ok, has_error, has_fault, has_throttle, is_partial, is_inferred, any_error, any_fault
);
CREATE TABLE shapes (
    no INTEGER PRIMARY KEY,
    source_name TEXT,
    source_type TEXT,
    source_account_id TEXT,
    name TEXT NOT NULL,
    type TEXT,
    account_id TEXT,
    flags INTEGER NOT NULL
);
CREATE TABLE trace_shapes (
    trace_no INTEGER NOT NULL,
    shape_no INTEGER NOT NULL,
    low REAL NOT NULL,
    high REAL NOT NULL,
    times TEXT,
    PRIMARY KEY (trace_no, shape_no)
) WITHOUT ROWID;
CREATE TABLE terms (
    era INTEGER NOT NULL,
    term INTEGER NOT NULL,
    block INTEGER NOT NULL,
    low REAL,
    high REAL,
    PRIMARY KEY (era, term, block)
) WITHOUT ROWID;
CREATE TABLE minutes (
    time INTEGER NOT NULL,
    shape_no INTEGER NOT NULL,
    bucket INTEGER NOT NULL,
    count INTEGER NOT NULL,
    microseconds INTEGER NOT NULL,
    PRIMARY KEY (time, shape_no, bucket)
) WITHOUT ROWID;
CREATE TABLE hours (
    time INTEGER NOT NULL,
    shape_no INTEGER NOT NULL,
    bucket INTEGER NOT NULL,
    count INTEGER NOT NULL,
    microseconds INTEGER NOT NULL,
    PRIMARY KEY (time, shape_no, bucket)
) WITHOUT ROWID;
CREATE TABLE links (
    trace_no INTEGER NOT NULL,
    segment_id TEXT NOT NULL,
    linked_trace_id TEXT NOT NULL,
    linked_segment_id TEXT NOT NULL,
    PRIMARY KEY (trace_no, segment_id, linked_trace_id, linked_segment_id)
) WITHOUT ROWID;
CREATE TABLE counts (name TEXT PRIMARY KEY, value INTEGER NOT NULL) WITHOUT ROWID;
CREATE TABLE refusals (time REAL NOT NULL, code TEXT NOT NULL, reason TEXT NOT NULL);
"""
# Documents are 1 to 4 KB: on the usual pages of 4 KB they would waste half of the file.
PAGE_BYTES = 32_768
LOCK_TIMEOUT_SECONDS = 2.0
# After a burst the log of changes is cut back to this.
LOG_MAX_BYTES = 32 * 1024 * 1024
# What the writer keeps of the file in memory.
CACHE_KIB = 16 * 1024
# What each reader does, which is there for one page: to get more memory takes longer than to read
# again what the system has at hand.
READ_CACHE_KIB = 4 * 1024


def prepare(path: Path) -> None:
    """Make the file usable: create what is missing, count from zero. Raises DatabaseUnusable."""
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        is_new = not path.is_file() or not path.stat().st_size
        if not is_new:
            # Before anything is changed in what may be another program's.
            with reading(path) as connection:
                check_version(connection, path)
        with closing(open_for_writing(path)) as connection:
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
            "write, with room on its disk, and no other program locks; name another with "
            "--database."
        ) from error


def check_version(connection: sqlite3.Connection, path: Path) -> None:
    """Do nothing if the file is one of this version. Raises DatabaseUnusable, sqlite3.Error."""
    version = connection.execute("PRAGMA user_version").fetchone()[0]
    if version != SCHEMA_VERSION:
        raise DatabaseUnusable(
            f"Cannot use the database {str(path)!r}: it has version {version}, expected "
            f"{SCHEMA_VERSION}. Delete it, or name another file with --database."
        )


def open_for_writing(path: Path) -> sqlite3.Connection:
    """Return a connection whose transactions are begun and ended by hand. Raises sqlite3.Error."""
    connection = sqlite3.connect(path, timeout=LOCK_TIMEOUT_SECONDS, isolation_level=None)
    try:
        connection.execute(f"PRAGMA page_size = {PAGE_BYTES}")
        connection.execute("PRAGMA journal_mode = WAL")
        # In WAL mode a crash of the process loses nothing, one of the machine the last moments.
        connection.execute("PRAGMA synchronous = NORMAL")
        connection.execute(f"PRAGMA journal_size_limit = {LOG_MAX_BYTES}")
        connection.execute(f"PRAGMA cache_size = -{CACHE_KIB}")
    except sqlite3.Error:
        connection.close()
        raise
    return connection


@contextmanager
def reading(path: Path) -> Iterator[sqlite3.Connection]:
    """Give a connection that can only read, and sees nothing of what is stored meanwhile.

    Else a trace could be pruned between two questions about it. Raises sqlite3.Error.
    """
    connection = sqlite3.connect(
        f"{path.absolute().as_uri()}?mode=ro",
        uri=True,
        timeout=LOCK_TIMEOUT_SECONDS,
        isolation_level=None,
    )
    with closing(connection):
        connection.execute(f"PRAGMA cache_size = -{READ_CACHE_KIB}")
        connection.execute("BEGIN")
        yield connection
