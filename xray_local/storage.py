"""What the writer does to the database: documents in, summaries kept up to date, the oldest out."""

import json
import sqlite3
import time
from collections import Counter, OrderedDict
from collections.abc import Sequence

from .database import PAGE_BYTES
from .documents import Document
from .errors import DocumentRefused
from .facts import Facts, gather_facts
from .rows import DELETE_ELEMENTS, INSERT_ELEMENT, UPSERT_TRACE, make_rows

DATABASE_MAX_BYTES = 512 * 1024 * 1024
TRACES_MAX = 100_000
# Traces whose facts stay in memory, because more of their documents may come soon.
KNOWN_TRACES = 200
# A trace this large is a mistake or an attack; its summary would slow down all others.
DOCUMENTS_PER_TRACE = 50_000
REFUSALS_KEPT = 50

UPSERT_SEGMENT = """
INSERT INTO segments (trace_id, id, is_open, document) VALUES (?, ?, ?, ?)
ON CONFLICT (trace_id, id) DO UPDATE SET is_open = excluded.is_open, document = excluded.document
"""
ADD_COUNT = """
INSERT INTO counts (name, value) VALUES (?, ?)
ON CONFLICT (name) DO UPDATE SET value = value + excluded.value
"""


class _KnownTrace:
    """The facts of every document of a trace, and how often its summary was made."""

    def __init__(self) -> None:
        self.facts: dict[str, Facts] = {}
        self.revision = 0


class Storage:
    """Stores documents. The one object that writes to the database."""

    def __init__(
        self,
        connection: sqlite3.Connection,
        *,
        max_bytes: int = DATABASE_MAX_BYTES,
        max_traces: int = TRACES_MAX,
    ) -> None:
        self._connection = connection
        self._max_bytes = max_bytes
        self._max_traces = max_traces
        self._known: OrderedDict[str, _KnownTrace] = OrderedDict()
        self._traces = self._count_traces()

    def save(
        self,
        documents: Sequence[Document],
        counts: Counter[str],
        refusals: Sequence[DocumentRefused] = (),
    ) -> None:
        """Store all of it or nothing. Raises sqlite3.Error, and may then be called again."""
        counts = Counter(counts)
        self._connection.execute("BEGIN IMMEDIATE")
        try:
            self._save_documents(documents, counts)
            self._save_refusals(refusals)
            self._prune(counts)
            self._connection.executemany(ADD_COUNT, counts.items())
            self._connection.execute("COMMIT")
        except BaseException:
            # What is known may be ahead of what is stored: forget it.
            self._known.clear()
            if self._connection.in_transaction:
                self._connection.execute("ROLLBACK")
            self._traces = self._count_traces()
            raise

    def _save_documents(self, documents: Sequence[Document], counts: Counter[str]) -> None:
        touched: dict[str, _KnownTrace] = {}
        kept: list[Document] = []
        for document in documents:
            trace = touched.get(document.trace_id)
            if trace is None:
                trace = touched[document.trace_id] = self._recall(document.trace_id)
            before = trace.facts.get(document.id)
            if before is None and len(trace.facts) >= DOCUMENTS_PER_TRACE:
                counts["refused"] += 1
                continue
            counts["stored" if before is None else "replaced"] += 1
            if before is not None and document.is_open and not before.is_open:
                continue  # what is complete stays, though the beginning arrives after the end
            trace.facts[document.id] = gather_facts(
                document.id, document.content, is_open=document.is_open
            )
            kept.append(document)
        self._connection.executemany(
            UPSERT_SEGMENT,
            ((each.trace_id, each.id, each.is_open, each.text) for each in kept),
        )
        self._save_traces(touched)
        while len(self._known) > KNOWN_TRACES:
            self._known.popitem(last=False)

    def _save_traces(self, touched: dict[str, _KnownTrace]) -> None:
        """Write anew what queries read of these traces."""
        changed = [(trace_id,) for trace_id, trace in touched.items() if trace.revision]
        traces: list[tuple[object, ...]] = []
        elements: list[tuple[object, ...]] = []
        for trace_id, trace in touched.items():
            trace.revision += 1
            row, rows = make_rows(trace_id, trace.facts.values(), trace.revision)
            traces.append(row)
            elements += rows
        self._connection.executemany(DELETE_ELEMENTS, changed)
        self._connection.executemany(UPSERT_TRACE, traces)
        self._connection.executemany(INSERT_ELEMENT, elements)

    def _recall(self, trace_id: str) -> _KnownTrace:
        """Return what is known of the trace, from memory or from the database."""
        trace = self._known.get(trace_id)
        if trace is None:
            trace = self._known[trace_id] = self._load(trace_id)
            self._traces += not trace.revision
        self._known.move_to_end(trace_id)
        return trace

    def _load(self, trace_id: str) -> _KnownTrace:
        trace = _KnownTrace()
        row = self._connection.execute(
            "SELECT summary FROM traces WHERE id = ?", (trace_id,)
        ).fetchone()
        if row is not None:
            trace.revision = json.loads(row[0])["Revision"]
            trace.facts = {
                segment_id: gather_facts(segment_id, json.loads(document), is_open=bool(is_open))
                for segment_id, is_open, document in self._connection.execute(
                    "SELECT id, is_open, document FROM segments WHERE trace_id = ?", (trace_id,)
                )
            }
        return trace

    def _save_refusals(self, refusals: Sequence[DocumentRefused]) -> None:
        if refusals:
            self._connection.executemany(
                "INSERT INTO refusals (time, code, reason) VALUES (?, ?, ?)",
                (
                    (time.time(), refusal.code, str(refusal))
                    for refusal in refusals[-REFUSALS_KEPT:]
                ),
            )
            self._connection.execute(
                "DELETE FROM refusals WHERE rowid <= (SELECT MAX(rowid) FROM refusals) - ?",
                (REFUSALS_KEPT,),
            )

    def _prune(self, counts: Counter[str]) -> None:
        """Delete the traces that arrived first until the rest fits."""
        self._delete_oldest(self._traces - self._max_traces, counts)
        while self._traces and self._used_bytes() > self._max_bytes:
            self._delete_oldest(max(1, self._traces // 100), counts)

    def _delete_oldest(self, number: int, counts: Counter[str]) -> None:
        if number <= 0:
            return
        rows = self._connection.execute(
            "DELETE FROM traces WHERE rowid IN (SELECT rowid FROM traces ORDER BY rowid LIMIT ?) "
            "RETURNING id",
            (number,),
        ).fetchall()
        self._connection.executemany("DELETE FROM segments WHERE trace_id = ?", rows)
        self._connection.executemany(DELETE_ELEMENTS, rows)
        for (trace_id,) in rows:
            self._known.pop(trace_id, None)
        self._traces -= len(rows)
        counts["pruned_traces"] += len(rows)

    def _used_bytes(self) -> int:
        pages, free = (
            self._connection.execute(f"PRAGMA {name}").fetchone()[0]
            for name in ("page_count", "freelist_count")
        )
        return int(pages - free) * PAGE_BYTES

    def _count_traces(self) -> int:
        return int(self._connection.execute("SELECT COUNT(*) FROM traces").fetchone()[0])
