"""Traces to a file: `xray_local export`.

One trace a line, in the shape that BatchGetTraces answers. It only reads the database, so it works
whether an X-Ray runs or not.
https://docs.aws.amazon.com/xray/latest/api/API_BatchGetTraces.html
"""

import argparse
import os
import sqlite3
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime
from itertools import islice
from pathlib import Path
from typing import IO, Any

import msgspec

from xray_local.control.database import locate
from xray_local.control.groups import read_groups
from xray_local.errors import CannotStart, CannotTransfer, InvalidRequest
from xray_local.filters import Filter, read_filter
from xray_local.log import tell
from xray_local.store.database import check_version, reading
from xray_local.store.queries import RangeType, TimeRange, get_documents, list_traces
from xray_local.traces.whole import describe_trace

# Beyond every time that a document can have.
END_OF_TIME = 1e12


def run(chosen: argparse.Namespace) -> int:
    """Write the traces that were asked for; return the exit code."""
    try:
        time_range = TimeRange(
            read_time(chosen.start, 0.0), read_time(chosen.end, END_OF_TIME), RangeType.EVENT
        )
        with _open_output(chosen.output) as output:
            number = export(Path(chosen.database), output, time_range, chosen.filter)
    except BrokenPipeError:
        # Whoever reads has had enough, as `head` has. Nothing more can be written at the exit.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 0
    except (CannotStart, CannotTransfer) as error:
        tell(str(error))
        return 1
    tell(f"Exported {number:,} traces.")
    return 0


def export(
    database: Path,
    output: IO[bytes],
    time_range: TimeRange,
    expression: str | None,
    at_most: int | None = None,
) -> int:
    """Write the traces that fit, the newest first, one a line; return how many.

    Raises CannotTransfer, DatabaseUnusable.
    """
    number = 0
    try:
        # To read creates nothing: a file that is not there is found here.
        with reading(database) as connection:
            check_version(connection, database)
        trace_ids = _list_ids(database, time_range, _read_filter(database, expression))
        for trace_id in islice(trace_ids, at_most):
            # Whoever takes the output may be slow. What is written meanwhile cannot be put into its
            # place in the file as long as somebody reads: so nobody does while a line goes out.
            with reading(database) as connection:
                documents = get_documents(connection, trace_id)
            if documents:  # else it was pruned meanwhile
                output.write(_write_line(describe_trace(trace_id, documents)))
                number += 1
    except sqlite3.Error as error:
        raise CannotTransfer(
            f"Cannot export from the database {str(database)!r}: {error}. Expected a file that "
            "this version of the local X-Ray has written; name it with --database."
        ) from error
    except InvalidRequest as error:
        raise CannotTransfer(f"Cannot filter by {expression!a}: {error}") from error
    return number


def _read_filter(database: Path, expression: str | None) -> Filter | None:
    if not expression:
        return None
    # Where nothing was ever chosen there are no groups.
    return read_filter(expression, read_groups(database) if locate(database).exists() else {})


def _list_ids(database: Path, time_range: TimeRange, chosen: Filter | None) -> Iterator[str]:
    token = None
    while True:
        with reading(database) as connection:
            page = list_traces(connection, time_range=time_range, chosen=chosen, token=token)
        yield from (summary["Id"] for summary in page.summaries)
        token = page.next_token
        if token is None:
            return


def _write_line(trace: dict[str, Any]) -> bytes:
    segments = [
        {"Id": segment["Id"], "Document": msgspec.json.encode(segment["Document"]).decode()}
        for segment in trace["Segments"]
    ]
    return msgspec.json.encode(trace | {"Segments": segments}) + b"\n"


def read_time(text: str | None, default: float) -> float:
    """Return a time in seconds since 1970, from such a number or from ISO 8601.

    Without a time zone it is this machine's. Raises CannotTransfer.
    """
    if text is None:
        return default
    try:
        return float(text) if text.isascii() and text.isdigit() else _read_iso(text)
    except (ValueError, OverflowError):
        raise CannotTransfer(
            "Expected a time like '2026-11-20T17:30', '2026-11-20 17:30:00+01:00' or 1795195800, "
            f"got {text!a}."
        ) from None


def _read_iso(text: str) -> float:
    return datetime.fromisoformat(text).timestamp()


@contextmanager
def _open_output(path: str) -> Iterator[IO[bytes]]:
    """Give what to write to; a file has its name only once it is whole. Raises CannotTransfer."""
    if path == "-":
        yield sys.stdout.buffer
        sys.stdout.buffer.flush()
        return
    try:
        file = tempfile.NamedTemporaryFile(dir=Path(path).parent, delete=False)  # noqa: SIM115
    except OSError as error:
        raise CannotTransfer(
            f"Cannot write {path!r}: {error.strerror}. Expected a file in a folder that this user "
            "may write to, or '-', after --output."
        ) from error
    try:
        with file:
            yield file
        os.replace(file.name, path)
    except OSError as error:
        raise CannotTransfer(f"Cannot write {path!r}: {error.strerror}.") from error
    finally:
        Path(file.name).unlink(missing_ok=True)
