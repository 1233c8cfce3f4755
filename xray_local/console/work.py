"""Where the time of some traces went, by kind of work: SQL, templates, AWS, remote, own code."""

import re
from collections.abc import Iterable, Mapping
from typing import Any

from xray_local.traces.documents import as_time
from xray_local.traces.services import Service, name_service
from xray_local.traces.trees import Element, find_owner, growing_tree, walk_tree

from .intervals import measure_own
from .operations import name_kind, read_name
from .shares import Share, divide

# By kind, in the order in which they are drawn.
KINDS = {
    "local": "own code",
    "sql": "SQL",
    "template": "templates",
    "aws": "AWS calls",
    "remote": "remote calls",
}
TEMPLATE = re.compile(r"\.(?:html?|txt|xml|jinja2?|j2|djhtml)$", re.IGNORECASE)


def measure_work(documents: Iterable[dict[str, Any]]) -> dict[Service, dict[str, float]]:
    """Return the seconds that the services of a trace spent, by service and kind.

    Of each element its self time counts; that of a call which its callee tells of is the callee's.
    """
    found: dict[Service, dict[str, float]] = {}
    with growing_tree(documents) as roots:
        elements = [element for element, _ in walk_tree(roots)]
        ends = (as_time(each.end) or as_time(each.start) or 0.0 for each in elements)
        until = max(ends, default=0.0)
        for element in elements:
            seconds = measure_own(element, until)
            if seconds:
                kinds = found.setdefault(name_service(find_owner(element).content), {})
                kind = _name_kind(element)
                kinds[kind] = kinds.get(kind, 0.0) + seconds
    return found


def add_work(total: dict[str, float], more: Mapping[str, float]) -> None:
    """Add the seconds of each kind."""
    for kind, seconds in more.items():
        total[kind] = total.get(kind, 0.0) + seconds


def list_shares(work: Mapping[str, float]) -> list[Share]:
    """Return the share of each kind, in the order of KINDS; none of nothing."""
    return divide({kind: work.get(kind, 0.0) for kind in KINDS}, KINDS)


def _name_kind(element: Element) -> str:
    kind = name_kind(element)
    if kind == "local" and TEMPLATE.search(read_name(element)):
        return "template"
    return "local" if kind == "segment" else kind
