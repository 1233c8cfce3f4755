"""The writer process: reads what the receiver and the API pass on, and stores it in batches.

    python -m xray_local.intake.writer DATAGRAMS_FD DOCUMENTS_FD LIFELINE_FD [FORWARD_FD] \
      DATABASE MAX_BYTES MAX_TRACES MAX_HOURS

Ends when both pipes have ended and all that came is stored, or some time after the lifeline.
"""

import gc
import os
import select
import sqlite3
import sys
import time
from collections import Counter
from contextlib import closing, suppress
from pathlib import Path

from xray_local.errors import DocumentRefused
from xray_local.forwarding.outlet import Outlet
from xray_local.log import tell
from xray_local.store.database import open_for_writing
from xray_local.store.storage import Storage

from .arrivals import Document, read_datagram, read_documents
from .frames import FrameReader, Kind
from .lifeline import end_after_server

# Of a trace whose segments come in two batches, what is counted is counted twice.
BATCH_FRAMES = 2000
# What is stored can be seen by queries: no datagram waits longer than this for others. Each batch
# costs some milliseconds of its own, and what falls into two is counted twice.
BATCH_SECONDS = 0.1
READ_BYTES = 1024 * 1024
# Between two looks at the pipes: one wake-up then serves many frames, and the pipes have room.
REST_SECONDS = 0.005
# A pipe that had as much is filling up: there is no time to rest.
FLOOD_BYTES = READ_BYTES // 4
RETRY_SECONDS = 0.5
# While nothing comes, what is too old goes this often.
PRUNE_SECONDS = 10.0
# While a flood of bad datagrams lasts, one line in this time says so.
WARNING_SECONDS = 5.0

# To ask the enumeration for them takes longer than to compare them.
DATAGRAM, DOCUMENT, CLEAR = Kind.DATAGRAM.value, Kind.DOCUMENT.value, Kind.CLEAR.value
LIMITS = Kind.LIMITS.value


class Batch:
    """What came since the last transaction."""

    def __init__(self) -> None:
        self.frames = 0
        self.documents: list[Document] = []
        self.refusals: list[DocumentRefused] = []
        self.counts: Counter[str] = Counter()
        # How many of the documents came before all was to be deleted; None where it is to stay.
        self.outdated: int | None = None
        # How many bytes, traces and hours are kept from now on; None for as many as before.
        self.limits: tuple[int, int, int] | None = None

    def add(self, kind: int, payload: bytes) -> None:
        """Read one frame; a bad document is counted and dropped."""
        self.frames += 1
        if kind == DATAGRAM:
            self.counts["datagrams"] += 1
            arrived = read_datagram(payload)
        elif kind == DOCUMENT:
            self.counts["documents"] += 1
            arrived = read_documents(payload, is_checked=True)
        elif kind == CLEAR:
            self.outdated = len(self.documents)
            return
        elif kind == LIMITS:
            max_bytes, max_traces, max_hours = map(int, payload.split())
            self.limits = max_bytes, max_traces, max_hours
            return
        else:
            self.counts["dropped"] += int(payload)
            return
        if not arrived:
            self.counts["ignored"] += 1
        for each in arrived:
            if isinstance(each, DocumentRefused):
                self.counts["refused"] += 1
                self.refusals.append(each)
            else:
                self.documents.append(each)


class Writer:
    """Moves frames from pipes to the storage."""

    def __init__(self, storage: Storage, pipes: list[int], outlet: Outlet | None = None) -> None:
        self._storage = storage
        self._outlet = outlet
        self._readers = {pipe: FrameReader() for pipe in pipes}
        self._warned = -WARNING_SECONDS
        self._unsaid = 0

    def run(self) -> None:
        """Store what comes until every pipe has ended."""
        while self._readers:
            batch = self.gather()
            if batch.frames:
                if self._outlet:
                    # Before they are stored: what a full disk holds up here still goes out.
                    self._outlet.send([document.body for document in batch.documents])
                self._save(batch)
                self._warn(batch)
            elif self._readers:
                self._prune()

    def gather(self) -> Batch:
        """Wait for a frame, then take what comes within the time and size of a batch.

        Nothing, if none comes before it is time to prune.
        """
        batch = Batch()
        patience = BATCH_SECONDS if self._storage.is_over else PRUNE_SECONDS
        poller = select.poll()
        for pipe in self._readers:
            poller.register(pipe, select.POLLIN)
        deadline: float | None = None
        while self._readers and batch.frames < BATCH_FRAMES:
            wait = patience if deadline is None else max(0.0, deadline - time.monotonic())
            ready = poller.poll(wait * 1000)
            if deadline is None and not ready:
                break
            most = 0
            for pipe, _ in ready:
                data = os.read(pipe, READ_BYTES)
                most = max(most, len(data))
                if not data:
                    poller.unregister(pipe)
                    del self._readers[pipe]
                    continue
                for kind, payload in self._readers[pipe].feed(data):
                    batch.add(kind, payload)
            if deadline is None and batch.frames:
                deadline = time.monotonic() + BATCH_SECONDS
            if deadline is not None and time.monotonic() >= deadline:
                break
            if ready and most < FLOOD_BYTES and batch.frames < BATCH_FRAMES:
                time.sleep(REST_SECONDS)
        return batch

    def _prune(self) -> None:
        """Delete what has become too old, or is still too much; if not now, then the next time."""
        with suppress(sqlite3.Error):
            self._storage.save([], Counter())

    def _save(self, batch: Batch) -> None:
        """Store the batch; wait while the database is locked or the disk is full."""
        is_said = False
        if batch.limits:
            self._storage.set_limits(*batch.limits)
        while True:
            try:
                if batch.outdated is not None:
                    self._storage.clear()
                    del batch.documents[: batch.outdated]
                    batch.outdated = None
                batch.refusals += self._storage.save(batch.documents, batch.counts, batch.refusals)
            except sqlite3.OperationalError as error:
                if not is_said:
                    tell(f"Cannot store {len(batch.documents)} documents yet: {error}. Retrying.")
                is_said = True
                time.sleep(RETRY_SECONDS)
            else:
                if is_said:
                    tell("Storing again.")
                return

    def _warn(self, batch: Batch) -> None:
        self._unsaid += len(batch.refusals)
        now = time.monotonic()
        if batch.refusals and now - self._warned >= WARNING_SECONDS:
            last = batch.refusals[-1]
            tell(f"Dropped {self._unsaid} documents; the last: {last.code}: {last}")
            self._warned = now
            self._unsaid = 0


def main(arguments: list[str]) -> int:
    """Run the writer on the file descriptors and the database given; return the exit code."""
    *descriptors, database, max_bytes, max_traces, max_hours = arguments
    datagrams, documents, lifeline, *forward = map(int, descriptors)
    end_after_server(lifeline)
    outlet = Outlet(forward[0]) if forward else None
    # Documents are trees, which counting references frees, and most objects here are parts of them:
    # look for cycles hardly ever, and never among what has been imported.
    gc.freeze()
    gc.set_threshold(200_000)
    try:
        with closing(open_for_writing(Path(database))) as connection:
            storage = Storage(
                connection,
                max_bytes=int(max_bytes),
                max_traces=int(max_traces),
                max_hours=int(max_hours),
            )
            Writer(storage, [datagrams, documents], outlet).run()
    except sqlite3.Error as error:
        tell(f"Cannot write to the database {database!r}: {error}.")
        return 1
    if outlet:
        outlet.close()
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
