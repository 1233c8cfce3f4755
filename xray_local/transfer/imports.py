"""Traces from a file: `xray_local import`.

They go to the X-Ray that runs at --address, by PutTraceSegments; where none does, or where a file
is named with --database, straight into that file, which no running X-Ray may then use. Their times
stay as they are.
https://docs.aws.amazon.com/xray/latest/api/API_PutTraceSegments.html
"""

import argparse
import http.client
import sqlite3
import sys
import time
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import closing, contextmanager
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import BinaryIO

import msgspec

from xray_local.address import Address
from xray_local.control.database import kept_open
from xray_local.control.limits import find_limits
from xray_local.errors import BadLine, CannotStart, CannotTransfer, DocumentRefused
from xray_local.intake.arrivals import Document, read_document
from xray_local.log import tell
from xray_local.options import Options, read_options
from xray_local.store.database import open_for_writing, prepare
from xray_local.store.lock import hold
from xray_local.store.storage import Storage

from .trace_file import read_bodies

# What is stored at once, or sent in one request; our server takes up to 16 MB.
BATCH_DOCUMENTS = 500
BATCH_BYTES = 4 * 1024 * 1024
TIMEOUT_SECONDS = 30.0
ATTEMPTS = 10
PAUSE_SECONDS = 0.5
# More lines than this say nothing new.
MISTAKES_SHOWN = 20

Save = Callable[[Sequence[Document]], None]


@dataclass(slots=True)
class Report:
    """What became of a file."""

    imported: int = 0
    mistakes: int = 0

    def add_mistake(self, number: int, reason: object) -> None:
        """Say what is wrong with a line, if not too much has been said."""
        self.mistakes += 1
        if self.mistakes <= MISTAKES_SHOWN:
            tell(f"Skipped line {number}: {reason}")


def run(chosen: argparse.Namespace) -> int:
    """Take in the traces of a file; return the exit code, 1 if anything was skipped."""
    report = Report()
    try:
        options = read_options(chosen)
        with _open_input(chosen.file) as lines, _open_store(options, chosen.into) as (save, place):
            import_lines(lines, save, report)
    except (CannotStart, CannotTransfer) as error:
        tell(str(error))
        return 1
    if report.mistakes > MISTAKES_SHOWN:
        tell(f"Skipped {report.mistakes:,} lines in all.")
    noun = "segment" if report.imported == 1 else "segments"
    tell(f"Imported {report.imported:,} {noun} into {place}.")
    return 1 if report.mistakes else 0


def import_lines(lines: Iterable[bytes], save: Save, report: Report) -> None:
    """Save every document of the lines in batches."""
    batch: list[Document] = []
    size = 0
    for number, body in read_bodies(lines):
        try:
            if isinstance(body, BadLine):
                raise body
            document = read_document(body)
        except (BadLine, DocumentRefused) as error:
            report.add_mistake(number, error)
            continue
        if batch and (len(batch) == BATCH_DOCUMENTS or size + len(document.body) > BATCH_BYTES):
            save(batch)
            report.imported += len(batch)
            batch, size = [], 0
        batch.append(document)
        size += len(document.body)
    if batch:
        save(batch)
        report.imported += len(batch)


@contextmanager
def _open_input(path: str) -> Iterator[BinaryIO]:
    """Give the file to read. Raises CannotTransfer."""
    if path == "-":
        yield sys.stdin.buffer
        return
    try:
        file = Path(path).open("rb")  # noqa: SIM115 - closed below
    except OSError as error:
        raise CannotTransfer(
            f"Cannot read {path!r}: {error.strerror}. Expected a file of traces, or '-'."
        ) from error
    with file:
        yield file


@contextmanager
def _open_store(options: Options, into: str | None) -> Iterator[tuple[Save, str]]:
    """Give a function that saves documents, and where to. Raises CannotTransfer, CannotStart."""
    if into is None and _is_running(options.address):
        yield lambda documents: _post(options.address, documents), options.address.url
        return
    database = Path(into) if into else options.database
    with hold(database):
        prepare(database)
        with kept_open(database), closing(open_for_writing(database)) as connection:
            limits = find_limits(database, options.max_bytes, options.max_traces, options.max_hours)
            storage = Storage(connection, **asdict(limits))
            yield lambda documents: _save(storage, documents), str(database)


def _save(storage: Storage, documents: Sequence[Document]) -> None:
    try:
        left_out = storage.save(documents, Counter())
    except sqlite3.Error as error:
        raise CannotTransfer(f"Cannot store the traces: {error}.") from error
    if left_out:
        tell(f"Left out {len(left_out):,} segments; the last: {left_out[-1]}")


def _is_running(address: Address) -> bool:
    """Whether an X-Ray answers there; False if nobody does. Raises CannotTransfer."""
    try:
        status, body = _request(address, "GET", "/counts")
    except ConnectionRefusedError:
        return False
    except (OSError, http.client.HTTPException) as error:
        raise _answer_of_a_stranger(address, error) from error
    if status != 200 or b'"stored"' not in body:
        raise _answer_of_a_stranger(address, status)
    return True


def _answer_of_a_stranger(address: Address, answer: object) -> CannotTransfer:
    return CannotTransfer(
        f"What answers at {address} is no local X-Ray: {str(answer)!a}. Name the address of yours "
        "with --address, or a file to import into with --database."
    )


def _post(address: Address, documents: Sequence[Document]) -> None:
    """Pass documents to the X-Ray that runs. Raises CannotTransfer."""
    body = msgspec.json.encode(
        {"TraceSegmentDocuments": [document.body.decode() for document in documents]}
    )
    answer: object = None
    for _ in range(ATTEMPTS):
        try:
            status, content = _request(address, "POST", "/TraceSegments", body)
        except (OSError, http.client.HTTPException) as error:
            raise CannotTransfer(f"Lost the X-Ray at {address}: {str(error)!a}.") from error
        if status == 200:
            return
        answer = content[:300].decode("ascii", "replace")
        if status != 429:
            break
        time.sleep(PAUSE_SECONDS)
    raise CannotTransfer(f"The X-Ray at {address} does not take the traces: {answer!a}.")


def _request(
    address: Address, method: str, path: str, body: bytes | None = None
) -> tuple[int, bytes]:
    connection = http.client.HTTPConnection(address.host, address.port, timeout=TIMEOUT_SECONDS)
    with closing(connection):
        connection.request(method, path, body, {"Content-Type": "application/json"})
        response = connection.getresponse()
        return response.status, response.read()
