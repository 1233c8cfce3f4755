"""What every screen is about: a range of time, a group and a filter, carried in its address.

range=15m                 up to now; one of RANGES
start=1700000000&end=...  instead of it: seconds since 1970, or a local time as forms send it
group=NAME                only traces of the group
filter=EXPRESSION         only traces that fit
live=1                    the page follows what arrives; a range that ends is never live
"""

import math
import time
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from urllib.parse import urlencode

from django.http import HttpRequest

from xray_local.control.database import reading
from xray_local.control.groups import Group, list_groups
from xray_local.errors import InvalidRequest
from xray_local.filters import Filter, read_filter
from xray_local.filters.syntax import GroupTest, join_all, write
from xray_local.parts import get_parts
from xray_local.traces.documents import MAX_TIME, as_number, show

from .times import write_clock

# By what stands in the link: how many seconds, and how a person says so.
RANGES = {
    "5m": (300, "the last 5 minutes"),
    "15m": (900, "the last 15 minutes"),
    "1h": (3600, "the last hour"),
    "6h": (21_600, "the last 6 hours"),
    "24h": (86_400, "the last 24 hours"),
    "7d": (604_800, "the last 7 days"),
}
DEFAULT_RANGE = "1h"
NAMES = ("range", "start", "end", "group", "filter", "live")
# A place within a list says nothing about another list.
PLACES = ("after", "page", "part")


@dataclass(frozen=True, slots=True)
class Scope:
    """What a page is about.

    start, end: seconds since 1970; range: its name in RANGES, "" where start and end were given;
    groups: all there are, for choosing; kept: what else is in the page's query.
    """

    start: float
    end: float
    range: str = DEFAULT_RANGE
    group: str = ""
    filter: str = ""
    is_live: bool = False
    groups: tuple[Group, ...] = ()
    kept: tuple[tuple[str, str], ...] = ()

    @property
    def seconds(self) -> float:
        """How long the range is."""
        return self.end - self.start

    @property
    def words(self) -> str:
        """The range as a person says it, to follow "of" or "in"."""
        if self.range:
            return RANGES[self.range][1]
        return f"{write_clock(self.start)} to {write_clock(self.end)}"

    @property
    def expression(self) -> str:
        """The filter expression of the group and the filter together, "" for every trace."""
        group = write(GroupTest("group.name", self.group, 0)) if self.group else ""
        return join_all(group, self.filter)

    def read_filter(self) -> Filter | None:
        """Return what chooses the traces; None for all. Raises BadFilter.

        The position in the error is that in the page's own filter.
        """
        if self.filter:
            read_filter(self.filter, self.group_expressions)
        return read_filter(self.expression, self.group_expressions) if self.expression else None

    @property
    def group_expressions(self) -> dict[str, str]:
        """The filter expressions of the groups, by name and by ARN."""
        return {key: each.expression for each in self.groups for key in (each.name, each.arn)}

    def link(self, path: str, **changes: str | float | None) -> str:
        """Return a link to another screen, about the same but for the changes; None leaves out."""
        return _join(path, self._change(changes))

    def here(self, **changes: str | float | None) -> str:
        """Return a link to the same screen, with the rest of its query; it begins with "?"."""
        gone = {*PLACES, *changes}
        kept = {name: value for name, value in self.kept if name not in gone}
        return _join("", kept | self._change(changes)) or "?"

    def fields(self, *without: str) -> Iterator[tuple[str, str]]:
        """Yield the names and values that a form of the same screen sends along, unseen."""
        rest = {name: value for name, value in self.kept if name not in PLACES}
        for name, value in (rest | self._list()).items():
            if name not in without:
                yield name, value

    def _list(self) -> dict[str, str]:
        """Return the query that leads to this scope; what is usual is left out."""
        query = {} if self.range == DEFAULT_RANGE else {"range": self.range}
        if not self.range:
            query = {"start": _write_time(self.start), "end": _write_time(self.end)}
        query |= {"group": self.group, "filter": self.filter, "live": "1" if self.is_live else ""}
        return {name: value for name, value in query.items() if value}

    def _change(self, changes: dict[str, str | float | None]) -> dict[str, str]:
        query = self._list()
        if "start" in changes or "end" in changes:
            query = {"start": _write_time(self.start), "end": _write_time(self.end)} | query
            changes = {"range": None, "live": None} | changes
        elif "range" in changes:
            changes = {"start": None, "end": None} | changes
        for name, value in changes.items():
            query.pop(name, None)
            if value not in (None, ""):
                query[name] = value if isinstance(value, str) else _write_time(float(value or 0))
        if query.get("range") == DEFAULT_RANGE:
            del query["range"]
        return query


def read_scope(request: HttpRequest, *, now: float | None = None) -> Scope:
    """Return what a page of this request is about. Raises InvalidRequest and DatabaseUnusable."""
    with reading(get_parts(request).database) as connection:
        groups = tuple(list_groups(connection))
    query = request.GET
    start, end, name = _read_range(
        query.get("range"),
        query.get("start"),
        query.get("end"),
        time.time() if now is None else now,
    )
    group = query.get("group", "")
    if group and group not in [each.name for each in groups]:
        known = ", ".join(repr(each.name) for each in groups)
        raise InvalidRequest(f"Expected one of {known} as group, got {show(group)}.")
    return Scope(
        start,
        end,
        name,
        group,
        query.get("filter", "").strip(),
        _read_live(query.get("live", "")) and bool(name),
        groups,
        tuple((key, query.get(key, "")) for key in query if key not in NAMES),
    )


def _read_range(
    name: str | None, start: str | None, end: str | None, now: float
) -> tuple[float, float, str]:
    if name is None and (start or end):
        if not start or not end:
            raise InvalidRequest("Expected both start and end, or neither, got one of them.")
        first, last = read_time("start", start), read_time("end", end)
        if first >= last:
            raise InvalidRequest(f"Expected a start before the end, got {start!a} and {end!a}.")
        return first, last, ""
    name = name or DEFAULT_RANGE
    if name not in RANGES:
        raise InvalidRequest(f"Expected one of {', '.join(RANGES)} as range, got {show(name)}.")
    return now - RANGES[name][0], now, name


def read_time(name: str, text: str) -> float:
    """Read seconds since 1970, or a local time as <input type="datetime-local"> sends it."""
    try:
        seconds = float(text)
    except ValueError:
        try:
            seconds = datetime.fromisoformat(text).timestamp()
        except (ValueError, OverflowError, OSError):
            seconds = math.nan
    number = as_number(seconds)
    if number is None or not 0 <= number <= MAX_TIME:
        raise InvalidRequest(
            f"Expected seconds since 1970, or a time like '2026-11-21T20:15:00', as {name}, "
            f"got {show(text)}."
        )
    return number


def read_limit(name: str, text: str) -> float | None:
    """Read seconds, None of nothing. Raises InvalidRequest."""
    if not text:
        return None
    try:
        number = as_number(float(text))
    except ValueError:
        number = None
    if number is None or number < 0:
        raise InvalidRequest(f"Expected seconds as {name}, got {show(text)}.")
    return number


def _read_live(text: str) -> bool:
    if text not in ("", "0", "1"):
        raise InvalidRequest(f"Expected 1 or 0 as live, got {show(text)}.")
    return text == "1"


def _write_time(seconds: float) -> str:
    return f"{seconds:.6f}".rstrip("0").rstrip(".")


def _join(path: str, query: dict[str, str]) -> str:
    return f"{path}?{urlencode(query)}" if query else path
