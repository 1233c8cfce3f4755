"""The page that compares two traces; with one of them alone, it offers others."""

import sqlite3
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import msgspec
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.utils.text import Truncator

from xray_local.errors import InvalidRequest
from xray_local.filters import read_filter
from xray_local.parts import get_parts
from xray_local.store.database import reading
from xray_local.store.queries import get_bodies, list_traces
from xray_local.traces.documents import show
from xray_local.traces.facts import load_facts
from xray_local.traces.summaries import find_owners, find_root, summarise
from xray_local.traces.trees import build_tree

from .comparison import Comparison, Pair, Step, compare
from .lines import TraceLine, make_lines
from .outline import Outline, outline
from .pairs import Row, write_rows
from .routes import name_route
from .scope import Scope, read_scope
from .times import write_duration
from .view import page

PAGE_ROWS = 200
STEPS_SHOWN = 30
OFFERED = 20
DEEPEST_INDENT = 15
REASONS = 3
# What is this small a part of the whole difference is no reason of it.
LEAST_SHARE = 0.05
NOTE_CHARACTERS = 100
# Less is written as 0.
LEAST_MS = 0.005
ORDERS = ("tree", "difference")
ONLY = ("", "one", "other", "both")


@dataclass(frozen=True, slots=True)
class _Side:
    """One of the two traces, and how many segments and subsegments it has."""

    line: TraceLine
    likeness: str
    count: int


@page
def show_comparison(request: HttpRequest) -> HttpResponse:
    """Show what differs between the traces ?one= and ?other=."""
    scope = read_scope(request)
    ids = request.GET.get("one", ""), request.GET.get("other", "")
    context: dict[str, Any] = {"section": "traces", "scope": scope, "ids": ids}
    with reading(get_parts(request).database) as connection:
        one, other = (get_bodies(connection, each) if each else [] for each in ids)
        missing = [
            each for each, bodies in zip(ids, (one, other), strict=True) if each and not bodies
        ]
        traces = [_outline(bodies) for bodies in (one, other)]
        sides = [
            _describe(each, bodies, trace) if bodies else None
            for each, bodies, trace in zip(ids, (one, other), traces, strict=True)
        ]
        context |= {"missing": missing, "one": sides[0], "other": sides[1]}
        if sides[0] is None or sides[1] is None:
            known = sides[0] or sides[1]
            context["offered"] = _offer(connection, known) if known else ()
            status = 404 if missing else 200
            return render(request, "xray_local/compare.html", context, status=status)
    context |= _describe_comparison(request, compare(*traces), ids, scope)
    # Templates leave to the collector what they have: nothing of the traces is among it.
    for trace in traces:
        trace.let_go()
    return render(request, "xray_local/compare.html", context)


def _outline(bodies: Sequence[bytes]) -> Outline:
    return outline(build_tree(map(msgspec.json.decode, bodies)))


def _describe(trace_id: str, bodies: Sequence[bytes], trace: Outline) -> _Side:
    facts = [load_facts(body) for body in bodies]
    root = find_root(facts)
    return _Side(
        TraceLine.read(summarise(trace_id, facts, find_owners(facts), 0), root.service.name),
        name_route(root, facts).expression,
        len(trace.places),
    )


def _offer(connection: sqlite3.Connection, side: _Side) -> list[TraceLine]:
    """Return traces to compare it with: the newest that are like it."""
    found = list_traces(connection, chosen=read_filter(side.likeness), limit=OFFERED + 1)
    return [line for line in make_lines(found) if line.id != side.line.id][:OFFERED]


def _describe_comparison(
    request: HttpRequest, comparison: Comparison, ids: tuple[str, str], scope: Scope
) -> dict[str, Any]:
    steps = [step for step in comparison.steps if step.more or abs(step.difference_ms) >= LEAST_MS]
    return {
        "is_compared": True,
        "only_one": comparison.only_one,
        "only_other": comparison.only_other,
        "sentences": write_sentences(comparison),
        "steps": steps[:STEPS_SHOWN],
        "steps_left_out": len(comparison.steps) - len(steps[:STEPS_SHOWN]),
    } | _choose_rows(request, comparison, ids, scope)


def _choose_rows(
    request: HttpRequest, comparison: Comparison, ids: tuple[str, str], scope: Scope
) -> dict[str, Any]:
    order = _read_choice(request, "order", ORDERS)
    only = _read_choice(request, "only", ONLY)
    pairs = comparison.pairs
    if only:
        pairs = [pair for pair in pairs if _fits(pair, only)]
    if order == "difference":
        pairs = sorted(pairs, key=lambda pair: -abs(pair.difference_ms))
    text = request.GET.get("page") or "1"
    if not (text.isascii() and text.isdigit() and len(text) < 7 and int(text)):
        raise InvalidRequest(f"Expected a page from 1, got {show(text)}.")
    first = (int(text) - 1) * PAGE_ROWS
    here = pairs[first : first + PAGE_ROWS]
    longest = max(
        max([pair.one_ms for pair in comparison.pairs], default=0.0),
        max([pair.other_ms for pair in comparison.pairs], default=0.0),
    )
    is_tree = order == "tree"
    rows = [
        Row(pair, min(pair.depth, DEEPEST_INDENT) if is_tree else 0, *_draw(pair, longest))
        for pair in here
    ]
    return {
        "order": order,
        "only": only,
        "rows": write_rows(rows, ids, scope),
        "first": first + 1,
        "last": first + len(here),
        "row_count": len(pairs),
        "before": int(text) - 1,
        "after": int(text) + 1 if first + len(here) < len(pairs) else 0,
    }


def _draw(pair: Pair, longest_ms: float) -> tuple[float, float]:
    scale = 100 / longest_ms if longest_ms else 0.0
    return pair.one_ms * scale, pair.other_ms * scale


def _fits(pair: Pair, only: str) -> bool:
    if only == "one":
        return pair.other is None
    if only == "other":
        return pair.one is None
    return only != "both" or (pair.one is not None and pair.other is not None)


def _read_choice(request: HttpRequest, name: str, choices: Sequence[str]) -> str:
    value = request.GET.get(name) or choices[0]
    if value not in choices:
        known = ", ".join(filter(None, choices))
        raise InvalidRequest(f"Expected one of {known} as {name}, got {show(value)}.")
    return value


def write_sentences(comparison: Comparison) -> list[str]:
    """Return in words by how much the other trace is slower or quicker, and what makes it so."""
    difference = comparison.difference_ms
    if not difference:
        return ["Both took the same time."]
    ratio = comparison.ratio
    times = f", {ratio:.2g} times as long" if ratio and ratio < 1000 else ""
    sentences = [
        f"B is {write_duration(abs(difference))} {_compare_word(difference)} than A: "
        f"{write_duration(comparison.other_ms)} instead of "
        f"{write_duration(comparison.one_ms)}{times}."
    ]
    for step in comparison.steps[:REASONS]:
        if abs(step.difference_ms) >= LEAST_SHARE * abs(difference):
            sentences.append(_write_reason(step, difference))
    return sentences


def _write_reason(step: Step, difference_ms: float) -> str:
    note = Truncator(step.operation.note).chars(NOTE_CHARACTERS)
    what = " ".join(part for part in (step.operation.name, note) if part)
    if (step.difference_ms > 0) == (difference_ms > 0):
        amount = f"{write_duration(abs(step.difference_ms))} of it in {what}"
    else:
        amount = (
            f"{write_duration(abs(step.difference_ms))} {_compare_word(step.difference_ms)} "
            f"in {what}"
        )
    return f"{amount}{_write_more(step)}."


def _write_more(step: Step) -> str:
    if step.one_count == 0:
        return f", which only B has, {_write_times(step.other_count)}"
    if step.other_count == 0:
        return f", which only A has, {_write_times(step.one_count)}"
    if step.more:
        word = "more" if step.more > 0 else "less"
        return f", called {_write_times(abs(step.more))} {word}"
    return ""


def _write_times(count: int) -> str:
    return "once" if count == 1 else f"{count:,} times"


def _compare_word(difference_ms: float) -> str:
    return "slower" if difference_ms > 0 else "quicker"
