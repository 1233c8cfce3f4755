"""The row of a trace that filters and lists read."""

from collections.abc import Collection, Iterable
from functools import lru_cache
from json.encoder import encode_basestring

import msgspec

from xray_local.traces.elements import Value, clean
from xray_local.traces.facts import Facts
from xray_local.traces.flags import ERROR, FAULT, OK, OPEN, THROTTLE
from xray_local.traces.summaries import find_root

from .terms import list_terms, range_term_of, term_of

NAMES = (
    *("no", "id", "id_time", "start_time", "end_time", "revision", "documents"),
    *("response_time", "duration", "http_status"),
    *("is_ok", "has_error", "has_fault", "has_throttle", "is_partial", "is_inferred"),
    *("any_error", "any_fault", "root_name", "root_type", "root_account_id"),
    *("http_url", "http_method", "user_agent", "client_ip"),
    *("users", "zones", "instance_ids", "resource_arns", "annotations"),
)
TEXT_KEYWORDS = (
    *("name", "type", "account.id"),
    *("http.url", "http.method", "http.useragent", "http.clientip"),
)
UPSERT_TRACE = (
    f"INSERT INTO traces ({', '.join(NAMES)}) "  # noqa: S608 - our names
    f"VALUES ({', '.join('?' for _ in NAMES)}) ON CONFLICT (no) DO UPDATE SET "
    f"{', '.join(f'{name} = excluded.{name}' for name in NAMES[2:])}"
)

# What X-Ray's ids are told to be: no older than a trace is kept, hardly ahead of the clock.
ID_AGE_MAX_SECONDS = 30 * 24 * 3600
ID_AHEAD_MAX_SECONDS = 300

Row = tuple[object, ...]
_encode = msgspec.json.Encoder().encode


def make_row(
    number: int,
    trace_id: str,
    documents: Collection[Facts],
    is_inferred: bool,
    revision: int,
) -> tuple[Row, set[int], dict[int, tuple[float, float]]]:
    """Return the row of the table `traces`, and the terms that the trace is found by.

    is_inferred: whether any node of it is known from its callers alone.
    The last are those of annotations with numbers, with the least and the greatest of each.
    """
    root = find_root(documents)
    start, end = root.start, root.end
    flags = any_flags = 0
    users: dict[str, None] = {}
    zones: dict[str, None] = {}
    instance_ids: dict[str, None] = {}
    resource_arns: dict[str, None] = {}
    pairs: list[tuple[str, Value]] = []
    for each in documents:
        if each.start < start:
            start = each.start
        if each.end > end:
            end = each.end
        flags |= each.flags
        any_flags |= each.any_flags
        if each.user is not None:
            users[each.user] = None
        if each.zones:
            zones |= dict.fromkeys(each.zones)
        if each.instance_ids:
            instance_ids |= dict.fromkeys(each.instance_ids)
        if each.resource_arns:
            resource_arns |= dict.fromkeys(each.resource_arns)
        pairs += each.annotations
    annotations = _merge(pairs) if pairs else {}
    get = root.http.get
    texts, found = _find_texts(
        *(*root.service, get("HttpURL"), get("HttpMethod"), get("UserAgent"), get("ClientIp"))
    )
    terms = set(found)
    row = (
        number,
        trace_id,
        read_id_time(trace_id, start),
        start,
        end,
        revision,
        len(documents),
        round(root.end - root.start, 6),
        round(end - start, 6),
        get("HttpStatus"),
        # As numbers: sqlite3 looks for an adapter for each bool, which takes it ten times as long.
        1 if root.flags & OK else 0,
        1 if root.flags & ERROR else 0,
        1 if root.flags & FAULT else 0,
        1 if any_flags & THROTTLE else 0,
        1 if flags & OPEN else 0,
        1 if is_inferred else 0,
        1 if any_flags & ERROR else 0,
        1 if any_flags & FAULT else 0,
        *texts,
        _write_texts("user", users, terms),
        _write_texts("availabilityzone", zones, terms),
        _write_texts("instance.id", instance_ids, terms),
        _write_texts("resource.arn", resource_arns, terms),
        _encode(annotations).decode() if annotations else None,
    )
    ranges: dict[int, tuple[float, float]] = {}
    for key, values in annotations.items():
        field = f"annotation.{key}"
        terms.add(term_of(field))
        terms.update(list_terms(field, values))
        if float in map(type, values):
            numbers = [value for value in values if type(value) is float]
            ranges[range_term_of(field)] = (min(numbers), max(numbers))
    return row, terms, ranges


def read_id_time(trace_id: str, start: float) -> int:
    """Return the time in the id of a trace that starts then, in seconds since 1970.

    OpenTelemetry's ids are random: what cannot be the time of the trace is none, and the start
    stands for it (doubtful: X-Ray takes such ids, and does not say when it finds them).
    """
    seconds = int(trace_id[2:10], 16)
    is_time = start - ID_AGE_MAX_SECONDS <= seconds <= start + ID_AHEAD_MAX_SECONDS
    return seconds if is_time else int(start)


def _merge(pairs: Iterable[tuple[str, Value]]) -> dict[str, list[Value]]:
    """Return every value of every key, in the order in which they come."""
    found: dict[str, dict[Value | tuple[bool], None]] = {}
    for key, value in pairs:
        # True equals 1.0 in Python, but not in a filter.
        mark = (value,) if value is True or value is False else value
        if key in found:
            found[key][mark] = None
        else:
            found[key] = {mark: None}
    return {
        key: [mark[0] if isinstance(mark, tuple) else clean(mark) for mark in marks]
        for key, marks in found.items()
    }


@lru_cache(1000)  # the same pages are asked for again and again
def _find_texts(*texts: str | None) -> tuple[list[Value | None], frozenset[int]]:
    """Return the texts, cleaned, and their terms, in the order of TEXT_KEYWORDS."""
    cleaned = [None if each is None else clean(each) for each in texts]
    found = zip(TEXT_KEYWORDS, cleaned, strict=True)
    return cleaned, frozenset(term_of(name, each) for name, each in found if each is not None)


def _write_texts(keyword: str, texts: Iterable[str], terms: set[int]) -> str | None:
    if not texts:
        return None
    cleaned = [str(clean(text)) for text in texts]
    terms.update(list_terms(keyword, cleaned))
    return f"[{','.join(map(encode_basestring, cleaned))}]"
