"""Root causes: where in a trace a fault or an error began, and what took the time.

In the shapes FaultRootCause, ErrorRootCause and ResponseTimeRootCause of the X-Ray API. How X-Ray
finds them is not documented; the rules here are ours:

- A fault (an error) begins where an element has it and none of its children does. The cause is the
  path from the root to there, and impacts the client if every element of it has the fault.
- The time was taken along the path that goes from the root to the slowest child, as long as that
  took half of its parent's time or more.

https://docs.aws.amazon.com/xray/latest/devguide/xray-api-gettingdata.html
"""

from collections.abc import Iterator
from typing import Any

from .documents import as_list, as_mapping, as_text
from .services import Service, name_callee, name_service
from .trees import Element, walk_tree

MIN_SHARE = 0.5

Cause = dict[str, Any]


def find_causes(roots: list[Element]) -> dict[str, list[Cause]]:
    """Return the causes by kind: fault, error and responsetime."""
    elements = [element for element, _ in walk_tree(roots)]
    return {
        "fault": list(_find_flagged(elements, "fault")),
        "error": list(_find_flagged(elements, "error")),
        "responsetime": [_describe_slow(root) for root in _choose_root(roots) if _take(root)[0]],
    }


def _choose_root(roots: list[Element]) -> list[Element]:
    """Return the one that the trace began with, as `summaries.find_root` does; none of none."""
    order = sorted(
        roots, key=lambda each: (not each.is_segment, each.is_orphan, each.start or 0.0, each.id)
    )
    return order[:1]


def _find_flagged(elements: list[Element], flag: str) -> Iterator[Cause]:
    for element in elements:
        if not _has(element, flag) or any(_has(child, flag) for child in element.children):
            continue
        path = [element]
        while path[0].parent is not None:
            path.insert(0, path[0].parent)
        yield {
            "Services": _describe_path(path, lambda each: {"Exceptions": _list_exceptions(each)}),
            "ClientImpacting": all(_has(each, flag) for each in path),
        }


def _has(element: Element, flag: str) -> bool:
    return element.content.get(flag) is True


def _describe_slow(root: Element) -> Cause:
    path = [root]
    while path[-1].children:
        slowest = max(path[-1].children, key=_take)
        if _take(slowest)[0] < MIN_SHARE * _take(path[-1])[0]:
            break
        path.append(slowest)
    whole = _take(root)[0]

    def describe(element: Element) -> dict[str, Any]:
        return {"Coverage": round(min(1.0, _take(element)[0] / whole), 6)}

    return {"Services": _describe_path(path, describe), "ClientImpacting": True}


def _take(element: Element) -> tuple[float, str]:
    """Return the seconds that it took; its id, so that of equals it is always the same one."""
    start, end = element.start, element.end
    seconds = max(0.0, end - start) if start is not None and end is not None else 0.0
    return seconds, element.id


def _describe_path(path: list[Element], describe: Any) -> list[dict[str, Any]]:
    """Return the services that the path leads through, each with its part of the path."""
    services: list[dict[str, Any]] = []
    for element in path:
        if element.is_segment or not services:
            services.append(_describe_service(name_service(element.content), is_inferred=False))
        callee = name_callee(element.content)
        services[-1]["EntityPath"].append(
            {"Name": _name(element), "Remote": callee is not None} | describe(element)
        )
        if callee is not None and element is path[-1] and not _is_answered(element):
            services.append(_describe_service(callee, is_inferred=True))
            entity = {"Name": callee.name, "Remote": False} | describe(element)
            services[-1]["EntityPath"].append(entity)
    return services


def _is_answered(element: Element) -> bool:
    return any(child.is_segment for child in element.children)


def _name(element: Element) -> str:
    return as_text(element.content.get("name")) or "unnamed"


def _describe_service(service: Service, *, is_inferred: bool) -> dict[str, Any]:
    return service.to_api() | {"Inferred": is_inferred, "EntityPath": []}


def _list_exceptions(element: Element) -> list[dict[str, str]]:
    found = []
    for exception in as_list(as_mapping(element.content.get("cause")).get("exceptions")):
        said = as_mapping(exception)
        named = {"Name": as_text(said.get("type")), "Message": as_text(said.get("message"))}
        found.append({key: value for key, value in named.items() if value is not None})
    return found
