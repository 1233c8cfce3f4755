"""The screen of the last minute: what arrives, second by second."""

import time
from collections.abc import Sequence
from dataclasses import replace

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render

from xray_local.parts import get_parts
from xray_local.store.database import reading
from xray_local.store.queries import (
    RangeType,
    TimeRange,
    is_empty,
    list_sure,
    list_traces,
)
from xray_local.store.roots import Root, read_roots

from .charts import Chart, Line, draw_lines, draw_stacks
from .lines import make_lines
from .map_drawing import write_figures
from .outcomes import OUTCOMES, count_roots, name_outcome
from .scope import read_scope
from .times import write_duration
from .view import page

SECONDS = 60
# No laptop serves more a minute; of more the newest are counted.
ROOTS_MAX = 20_000
NEWEST_SHOWN = 15


@page
def show_live(request: HttpRequest) -> HttpResponse:
    """Show the requests that began within the last minute; with ?paused=1 it stays as it is."""
    scope = read_scope(request)
    is_paused = request.GET.get("paused") == "1"
    chosen = scope.read_filter()
    now = time.time()
    # A whole second begins each column, so that none grows where it is not the last.
    end = float(int(now) + 1)
    start = end - SECONDS
    time_range = TimeRange(start, end, RangeType.EVENT)
    with reading(get_parts(request).database) as connection:
        numbers = list_sure(connection, time_range, chosen, ROOTS_MAX).numbers
        roots = [root for root in read_roots(connection, numbers) if start <= root.start_time < end]
        newest = list_traces(
            connection,
            time_range=time_range,
            chosen=chosen,
            limit=NEWEST_SHOWN,
            is_counted=False,
            has_causes=False,
        )
        has_none = is_empty(connection)
    ended = [root for root in roots if not root.is_partial]
    context = {
        "section": "live",
        "scope": replace(scope, is_live=not is_paused),
        "is_paused": is_paused,
        "figures": write_figures(count_roots(ended), SECONDS / 60),
        "per_second": len(ended) / SECONDS,
        "open": len(roots) - len(ended),
        "requests": _draw_requests(ended, start),
        "latencies": _draw_latencies(ended, start),
        "lines": make_lines(newest),
        "is_empty": has_none,
        "address": request.get_host(),
    }
    return render(request, "xray_local/live.html", context)


def _draw_requests(roots: Sequence[Root], start: float) -> Chart:
    """Draw how many began in each second, by how they ended."""
    counts = {kind: [0] * SECONDS for kind in OUTCOMES}
    for root in roots:
        counts[name_outcome(root)][int(root.start_time - start)] += 1
    return draw_stacks(
        [start + second for second in range(SECONDS)],
        1,
        [Line(kind, kind, values) for kind, values in counts.items()],
        name="Requests a second",
        start=start,
        end=start + SECONDS,
    )


def _draw_latencies(roots: Sequence[Root], start: float) -> Chart:
    """Draw the median and the 95th percentile of each second, in milliseconds."""
    seconds: list[list[Root]] = [[] for _ in range(SECONDS)]
    for root in roots:
        seconds[int(root.start_time - start)].append(root)
    each = [count_roots(second) if second else None for second in seconds]
    return draw_lines(
        [start + second + 0.5 for second in range(SECONDS)],
        [
            Line(
                name,
                name,
                [found.find_percentile(share) * 1000 if found else None for found in each],
            )
            for name, share in (("p50", 0.5), ("p95", 0.95))
        ],
        name="Response times",
        start=start,
        end=start + SECONDS,
        write=write_duration,
    )
