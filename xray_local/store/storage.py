"""What the writer does to the database: documents in, what queries read kept up to date, the oldest
traces out.

Nothing that can be made of the documents when they are read is stored: no summary, no element. What
is stored beside them is what finds traces (rows.py, terms.py) and what counts them (rollups.py).
"""

import math
import sqlite3
import time
from collections import Counter, OrderedDict
from collections.abc import Iterable, Sequence
from typing import Any

import msgspec

from xray_local.errors import DocumentRefused
from xray_local.intake.arrivals import Document
from xray_local.traces.elements import list_outlines
from xray_local.traces.facts import Facts, load_facts
from xray_local.traces.flags import INFERRED
from xray_local.traces.summaries import find_owners

from .rollups import MINUTE_SECONDS, RollUps
from .rows import UPSERT_TRACE, Row, make_row
from .shapes import ShapeNumbers
from .terms import block_of, era_of, first_trace_of
from .usage import measure_bytes

DATABASE_MAX_BYTES = 512 * 1024 * 1024
TRACES_MAX = 100_000
# Traces whose facts stay in memory, because more of their documents may come soon.
KNOWN_TRACES = 2000
KNOWN_DOCUMENTS = 20_000
# Of documents, as bytes: what is known of one takes about as much as the document.
KNOWN_BYTES = 48 * 1024 * 1024
KNOWN_BLOCKS = 256
KNOWN_TERMS = 300_000
# A trace this large is a mistake or an attack; its summary would slow down all others.
DOCUMENTS_PER_TRACE = 50_000
REFUSALS_KEPT = 50
# What a batch prunes at most, beside twice what it brought: pruning goes on with the next ones.
PRUNED_DOCUMENTS = 1000
PRUNED_AT_ONCE = 250

ADD_COUNT = """
INSERT INTO counts (name, value) VALUES (?, ?)
ON CONFLICT (name) DO UPDATE SET value = value + excluded.value
"""
# A column that is left out takes less than None, for which sqlite3 looks for an adapter.
ADD_SHAPE = "INSERT INTO trace_shapes (trace_no, shape_no, low, high) VALUES (?1, ?2, ?3, ?3)"
ADD_SHAPE_OF_SEVERAL = "INSERT INTO trace_shapes VALUES (?, ?, ?, ?, ?)"
ADD_TERM = "INSERT OR IGNORE INTO terms (era, term, block) VALUES (?, ?, ?)"
UPSERT_SPAN = """
INSERT INTO terms (era, term, block, low, high) VALUES (?, ?, ?, ?, ?)
ON CONFLICT (era, term, block) DO UPDATE
SET low = min(ifnull(low, excluded.low), excluded.low),
    high = max(ifnull(high, excluded.high), excluded.high)
WHERE excluded.low < ifnull(low, 9e999) OR excluded.high > ifnull(high, -9e999)
"""

# All but the counts of what was received, and why some of it was refused.
TABLES_OF_TRACES = (
    *("traces", "segments", "trace_shapes", "links", "terms"),
    *("minutes", "hours", "shapes"),
)

# The least and greatest seconds of the elements of a shape, or numbers of an annotation; None for
# other terms.
Span = tuple[float, float] | None

_encode = msgspec.json.Encoder().encode


class _KnownTrace:
    """The facts of every document of a trace by its id, and what was last stored of it."""

    __slots__ = ("facts", "minute", "number", "places", "revision", "size", "times")

    def __init__(self, number: int) -> None:
        self.number = number
        self.revision = 0
        self.size = 0  # bytes of its documents
        self.facts: dict[str, Facts] = {}
        self.places: dict[str, int] = {}  # the numbers of the segments
        self.minute = 0  # in which it started
        self.times: dict[int, list[int]] = {}  # the microseconds of its elements, by shape


class Storage:
    """Stores documents. The one object that writes to the database."""

    def __init__(
        self,
        connection: sqlite3.Connection,
        *,
        max_bytes: int = DATABASE_MAX_BYTES,
        max_traces: int = TRACES_MAX,
        max_hours: int = 0,
    ) -> None:
        self._connection = connection
        self._max_bytes = max_bytes
        self._max_traces = max_traces
        self._max_hours = max_hours
        # Whether there may be more to prune than the last batch was to.
        self.is_over = False
        self._known: OrderedDict[str, _KnownTrace] = OrderedDict()
        self._known_documents = 0
        self._known_bytes = 0
        self._blocks: OrderedDict[int, dict[int, Span]] = OrderedDict()
        self._known_terms = 0
        self._shapes = ShapeNumbers(connection)
        self._rollups = RollUps(connection)
        self._traces = self._last_trace = self._last_segment = 0
        # Nothing is read or written before the first batch: whoever saves can wait for a database
        # that is locked.
        self._is_new = True
        self._is_sure = False  # that what is known is stored

    def set_limits(self, max_bytes: int, max_traces: int, max_hours: int) -> None:
        """Keep as much from the next batch on."""
        self._max_bytes = max_bytes
        self._max_traces = max_traces
        self._max_hours = max_hours

    def save(
        self,
        documents: Sequence[Document],
        counts: Counter[str],
        refusals: Sequence[DocumentRefused] = (),
    ) -> list[DocumentRefused]:
        """Store all of it or nothing; return why documents were left out.

        Raises sqlite3.Error, and may then be called again.
        """
        counts = Counter(counts)
        left_out: list[DocumentRefused] = []
        self._connection.execute("BEGIN IMMEDIATE")
        try:
            if not self._is_sure:
                self._forget()
            if self._is_new:
                self._shapes.forget_unused()
            if documents:
                left_out = self._save_documents(documents, counts)
            self._save_refusals([*refusals, *left_out])
            self._prune(counts, PRUNED_DOCUMENTS + 2 * len(documents))
            self._connection.executemany(ADD_COUNT, counts.items())
            self._connection.execute("COMMIT")
            self._is_new = False
        except BaseException:
            self._is_sure = False
            if self._connection.in_transaction:
                self._connection.execute("ROLLBACK")
            raise
        return left_out

    def clear(self) -> None:
        """Delete all traces, and let the file be small again; what was counted stays.

        Raises sqlite3.Error, and may then be called again.
        """
        self._is_sure = False
        self._connection.execute("BEGIN IMMEDIATE")
        try:
            for table in TABLES_OF_TRACES:
                self._connection.execute(f"DELETE FROM {table}")  # noqa: S608 - our names
            self._connection.execute(ADD_COUNT, ("clears", 1))
            self._connection.execute("COMMIT")
        except BaseException:
            if self._connection.in_transaction:
                self._connection.execute("ROLLBACK")
            raise
        self._connection.execute("VACUUM")
        self._connection.execute("PRAGMA wal_checkpoint(TRUNCATE)")

    def _forget(self) -> None:
        """Know nothing: what is known may be ahead of what is stored."""
        self._known.clear()
        self._known_documents = self._known_bytes = self._known_terms = 0
        self._blocks.clear()
        self._rollups.forget()
        self._shapes.reload()
        self._read_numbers()
        self._is_sure = True

    def _read_numbers(self) -> None:
        get = self._connection.execute
        self._traces = int(get("SELECT COUNT(*) FROM traces").fetchone()[0])
        self._last_trace = int(get("SELECT COALESCE(MAX(no), 0) FROM traces").fetchone()[0])
        self._last_segment = int(get("SELECT COALESCE(MAX(no), 0) FROM segments").fetchone()[0])

    def _save_documents(
        self, documents: Sequence[Document], counts: Counter[str]
    ) -> list[DocumentRefused]:
        """Store the documents but those of traces that are too large; return why these are not."""
        left_out: list[DocumentRefused] = []
        self._recall(dict.fromkeys(document.trace_id for document in documents))
        touched: dict[str, _KnownTrace] = {}
        new: dict[int, list[Any]] = {}  # rows by the number of the segment
        replaced: dict[int, bytes] = {}
        last = self._last_segment
        for document in documents:
            trace_id, facts, body = document.trace_id, document.facts, document.body
            trace = touched.get(trace_id) or self._known[trace_id]
            before = trace.facts.get(facts.id)
            if before is None:
                if len(trace.facts) >= DOCUMENTS_PER_TRACE:
                    counts["refused"] += 1
                    left_out.append(_refuse(trace_id, facts.id))
                    continue  # the trace stays as it was: others must not wait for it
                last += 1
                trace.places[facts.id] = last
                new[last] = [last, trace.number, body]
            else:
                counts["replaced"] += 1
                if facts.is_open and not before.is_open:
                    continue  # what is complete stays, though the beginning arrives after the end
                place = trace.places[facts.id]
                if place in new:
                    new[place][-1] = body
                else:
                    replaced[place] = body
            trace.facts[facts.id] = facts
            trace.size += len(body)
            self._known_bytes += len(body)
            touched[trace_id] = trace
        self._last_segment = last
        if new:
            counts["stored"] += len(new)
            self._known_documents += len(new)
        self._connection.executemany(
            "INSERT INTO segments (no, trace_no, document) VALUES (?, ?, ?)", new.values()
        )
        self._connection.executemany(
            "UPDATE segments SET document = ? WHERE no = ?",
            [(body, place) for place, body in replaced.items()],
        )
        self._save_traces(touched)
        while len(self._known) > 1 and (
            len(self._known) > KNOWN_TRACES
            or self._known_documents > KNOWN_DOCUMENTS
            or self._known_bytes > KNOWN_BYTES
        ):
            _, trace = self._known.popitem(last=False)
            self._forget_trace(trace)
        return left_out

    def _forget_trace(self, trace: _KnownTrace) -> None:
        self._known_documents -= len(trace.facts)
        self._known_bytes -= trace.size

    def _save_traces(self, touched: dict[str, _KnownTrace]) -> None:
        """Write anew what queries read of these traces."""
        rows: list[Row] = []
        shapes: list[Row] = []
        of_several: list[Row] = []
        links: list[Row] = []
        changed: list[tuple[int]] = []
        terms: dict[tuple[int, int], Span] = {}
        for trace_id, trace in touched.items():
            if trace.revision:
                changed.append((trace.number,))
                self._rollups.remove(trace.minute, trace.times)
            trace.revision += 1
            row, found, ranges = self._count(trace, trace_id)
            rows.append(row)
            self._rollups.add(trace.minute, trace.times)
            number = trace.number
            links += [
                (number, each.id, *link) for each in trace.facts.values() for link in each.links
            ]
            spans = list(ranges.items())
            for shape, times in trace.times.items():
                if len(times) == 1:  # as nearly always
                    low = high = times[0] / 1_000_000
                    shapes.append((number, shape, low))
                else:
                    low, high = min(times) / 1_000_000, max(times) / 1_000_000
                    of_several.append((number, shape, low, high, _encode(times).decode()))
                spans.append((shape, (low, high)))
            self._find_terms(block_of(number), found, spans, terms)
        self._connection.executemany(UPSERT_TRACE, rows)
        for table in ("trace_shapes", "links"):
            self._connection.executemany(
                f"DELETE FROM {table} WHERE trace_no = ?",  # noqa: S608 - our names
                changed,
            )
        shapes.sort()
        self._connection.executemany(ADD_SHAPE, shapes)
        self._connection.executemany(ADD_SHAPE_OF_SEVERAL, of_several)
        self._connection.executemany("INSERT OR IGNORE INTO links VALUES (?, ?, ?, ?)", links)
        self._save_terms(terms)
        self._rollups.write()

    def _save_terms(self, terms: dict[tuple[int, int], Span]) -> None:
        """Add what the blocks did not have."""
        alone: list[Row] = []
        with_spans: list[Row] = []
        for (term, block), span in terms.items():
            if span is None:
                alone.append((era_of(block), term, block))
            else:
                with_spans.append((era_of(block), term, block, *span))
        self._connection.executemany(ADD_TERM, sorted(alone))
        self._connection.executemany(UPSERT_SPAN, sorted(with_spans))

    def _count(
        self, trace: _KnownTrace, trace_id: str
    ) -> tuple[Row, set[int], dict[int, tuple[float, float]]]:
        """Set the minute and the times of the trace; return what `make_row` does."""
        documents = trace.facts.values()
        times: dict[int, list[int]] = {}
        numbers = self._shapes
        all_flags = 0
        for service, source, flags, part, _, _ in list_outlines(documents, find_owners(documents)):
            shape = numbers[source, service, flags]
            microseconds = round((part.end - part.start) * 1_000_000)
            if shape in times:
                times[shape].append(microseconds)
            else:
                times[shape] = [microseconds]
            all_flags |= flags
        is_inferred = bool(all_flags & INFERRED)
        made = make_row(trace.number, trace_id, documents, is_inferred, trace.revision)
        start: Any = made[0][3]
        trace.minute = int(start // MINUTE_SECONDS) * MINUTE_SECONDS
        trace.times = times
        return made

    def _find_terms(
        self,
        block: int,
        terms: set[int],
        spans: Iterable[tuple[int, tuple[float, float]]],
        changes: dict[tuple[int, int], Span],
    ) -> None:
        """Add to the changes what the block is not known to have.

        spans: terms, each with the least and the greatest of what has these.
        """
        known = self._blocks.get(block)
        if known is None:
            known = self._blocks[block] = {}
            while len(self._blocks) > 1 and (
                len(self._blocks) > KNOWN_BLOCKS or self._known_terms > KNOWN_TERMS
            ):
                _, oldest = self._blocks.popitem(last=False)
                self._known_terms -= len(oldest)
        before = len(known)
        for term in terms.difference(known):
            known[term] = changes[term, block] = None
        for term, (low, high) in spans:
            span = known.get(term)
            if span is None or low < span[0] or high > span[1]:
                if span is not None:
                    low, high = min(low, span[0]), max(high, span[1])
                known[term] = changes[term, block] = (low, high)
        self._known_terms += len(known) - before

    def _recall(self, trace_ids: Iterable[str]) -> None:
        """Know these traces, from memory, from the database, or as new ones."""
        unknown: list[str] = []
        for trace_id in trace_ids:
            if trace_id in self._known:
                self._known.move_to_end(trace_id)
            else:
                unknown.append(trace_id)
        rows = self._connection.execute(
            "SELECT traces.id, no, revision FROM json_each(?) AS j "
            "CROSS JOIN traces ON traces.id = j.value",
            (_encode(unknown).decode(),),
        )
        stored = {trace_id: found for trace_id, *found in rows}
        for trace_id in unknown:
            if trace_id in stored:
                self._known[trace_id] = self._load(trace_id, *stored[trace_id])
            else:
                self._last_trace += 1
                self._traces += 1
                self._known[trace_id] = _KnownTrace(self._last_trace)

    def _load(self, trace_id: str, number: int, revision: int) -> _KnownTrace:
        trace = _KnownTrace(number)
        trace.revision = revision
        for place, body in self._connection.execute(
            "SELECT no, document FROM segments WHERE trace_no = ? ORDER BY no", (number,)
        ):
            facts = load_facts(body)
            trace.facts[facts.id] = facts
            trace.places[facts.id] = place
            trace.size += len(body)
        self._known_documents += len(trace.facts)
        self._known_bytes += trace.size
        self._count(trace, trace_id)
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

    def _prune(self, counts: Counter[str], documents_max: int) -> None:
        """Delete what is too old, and what arrived first until the rest fits, or it is enough now.

        In steps, for only what is left tells how much is to go. A trace goes as a whole.
        """
        pruned = 0
        while documents_max > 0:
            at_once = min(documents_max, PRUNED_AT_ONCE)
            # First those: else what is new would make room for what goes anyway.
            numbers, size = self._choose_outdated(at_once)
            if not numbers:
                is_large = measure_bytes(self._connection) > self._max_bytes
                excess = self._traces if is_large else self._traces - self._max_traces
                if excess <= 0:
                    break
                numbers, size = self._choose_oldest(excess, at_once)
            pruned += self._delete(numbers)
            documents_max -= size
        self.is_over = documents_max <= 0
        if pruned:
            counts["pruned_traces"] += pruned
            first, newest = (
                self._connection.execute(f"SELECT {which}(start_time) FROM traces").fetchone()[0]  # noqa: S608
                for which in ("MIN", "MAX")
            )
            if first is None:
                first, newest = math.inf, -math.inf
            if self._rollups.prune(first, newest) and self._shapes.is_full:
                self._shapes.forget_unused()

    def _choose_oldest(self, traces_max: int, documents: int) -> tuple[list[int], int]:
        """Return the numbers of the traces that arrived first, and how many documents they have.

        documents: as many are enough.
        """
        return _take(
            self._connection.execute(
                "SELECT no, documents FROM traces ORDER BY no LIMIT ?", (traces_max,)
            ),
            documents,
        )

    def _choose_outdated(self, documents: int) -> tuple[list[int], int]:
        """Return likewise the oldest of the traces that ended too long ago."""
        if not self._max_hours:
            return [], 0
        cutoff = time.time() - self._max_hours * 3600
        return _take(
            self._connection.execute(
                "SELECT no, documents FROM traces WHERE start_time < :cutoff "
                "AND end_time < :cutoff AND NOT is_partial ORDER BY start_time, no",
                {"cutoff": cutoff},
            ),
            documents,
        )

    def _delete(self, numbers: list[int]) -> int:
        """Delete these traces; return how many there were."""
        delete = self._connection.execute
        chosen = "(SELECT value FROM json_each(?))"
        values = (_encode(numbers).decode(),)
        rows = delete(
            f"DELETE FROM traces WHERE no IN {chosen} RETURNING id",  # noqa: S608 - our texts
            values,
        ).fetchall()
        for table in ("segments", "trace_shapes", "links"):
            delete(f"DELETE FROM {table} WHERE trace_no IN {chosen}", values)  # noqa: S608
        for (trace_id,) in rows:
            trace = self._known.pop(trace_id, None)
            if trace:
                self._forget_trace(trace)
        for era in {era_of(block_of(number)) for number in numbers}:
            self._delete_terms(era)
        self._traces -= len(rows)
        return len(rows)

    def _delete_terms(self, era: int) -> None:
        """Delete the terms of an era, if all of its traces have gone."""
        first, after = first_trace_of(era), first_trace_of(era + 1)
        is_used = self._connection.execute(
            "SELECT 1 FROM traces WHERE no >= ? AND no < ? LIMIT 1", (first, after)
        ).fetchone()
        if is_used:
            return
        self._connection.execute("DELETE FROM terms WHERE era = ?", (era,))
        for block in [each for each in self._blocks if era_of(each) == era]:
            self._known_terms -= len(self._blocks.pop(block))


def _take(rows: Iterable[tuple[int, int]], documents: int) -> tuple[list[int], int]:
    """Return the numbers of traces until they have so many documents, and how many these are."""
    numbers: list[int] = []
    size = 0
    for number, each in rows:
        numbers.append(number)
        size += each
        if size >= documents:
            break
    return numbers, size


def _refuse(trace_id: str, document_id: str) -> DocumentRefused:
    return DocumentRefused(
        "TraceTooLarge",
        f"Expected at most {DOCUMENTS_PER_TRACE:,} documents of one trace, "
        f"got one more of {trace_id}.",
        document_id,
    )
