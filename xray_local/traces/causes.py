"""Root causes: where in a trace a fault or an error began, and what took the time.

In the shapes FaultRootCause, ErrorRootCause and ResponseTimeRootCause of the X-Ray API. How X-Ray
finds them is not documented; the rules here are ours:

- A fault (an error) begins where an element has it and none of its children does. The cause is the
  path to there from the first element above that has it as well, and impacts the client if that is
  the root. A call that hides the fault of the service that it called is not part of its path, and
  of a call that only its caller tells of, the path is the service that was called.
- The time was taken along the path that goes from the root to the slowest child, as long as that
  took more than half of the root's time; where the root took it itself there is no cause.

Both are what answers of AWS show that were published, as far as these go
(https://github.com/radkawar/stackd, testdata/aws/xray). There, what has a fault and no exception
has no root cause; here it has one.

https://docs.aws.amazon.com/xray/latest/devguide/xray-api-gettingdata.html
"""

from collections.abc import Iterator, Sequence
from typing import Any

from .documents import as_list, as_mapping, as_text
from .services import Service, name_callee, name_service
from .trees import Element, find_owner, walk_tree

MIN_SHARE = 0.5
KINDS = ("fault", "error", "responsetime")

Cause = dict[str, Any]


def find_causes(roots: list[Element], kinds: Sequence[str] = KINDS) -> dict[str, list[Cause]]:
    """Return the causes by kind."""
    elements = [element for element, _ in walk_tree(roots)]
    return {
        kind: list(_find_slow(roots) if kind == "responsetime" else _find_flagged(elements, kind))
        for kind in kinds
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
        while path[0].parent is not None and _has(path[0].parent, flag):
            path.insert(0, path[0].parent)
        is_root = path[0].parent is None
        if not is_root and len(path) > 1 and path[1].is_segment and _is_call(path[0]):
            path = path[1:]
        yield {
            "Services": _describe_path(path, lambda each: {"Exceptions": _list_exceptions(each)}),
            "ClientImpacting": is_root,
        }


def _has(element: Element, flag: str) -> bool:
    return element.content.get(flag) is True


def _find_slow(roots: list[Element]) -> Iterator[Cause]:
    for root in _choose_root(roots):
        path = _follow_slowest(root)
        if len(path) > 1:
            yield _describe_slow(path)


def _follow_slowest(root: Element) -> list[Element]:
    """Return the path along which the time was taken, the root first."""
    path = [root]
    whole = _take(root)[0]
    while path[-1].children:
        # What goes on after the root has answered took none of its time.
        waited_for = [each for each in path[-1].children if _take(each)[0] <= whole]
        slowest = max(waited_for, key=_take, default=None)
        if slowest is None or _take(slowest)[0] <= MIN_SHARE * whole:
            break
        path.append(slowest)
    return path


def _describe_slow(path: list[Element]) -> Cause:
    whole = _take(path[0])[0]

    def describe(element: Element) -> dict[str, Any]:
        return {"Coverage": round(_take(element)[0] / whole, 6)}

    return {"Services": _describe_path(path, describe), "ClientImpacting": True}


def _take(element: Element) -> tuple[float, str]:
    """Return the seconds that it took; its id, so that of equals it is always the same one."""
    start, end = element.start, element.end
    seconds = max(0.0, end - start) if start is not None and end is not None else 0.0
    return seconds, element.id


def _describe_path(path: list[Element], describe: Any) -> list[dict[str, Any]]:
    """Return the services that the path leads through, each with its part of the path."""
    services: list[dict[str, Any]] = []
    first, last = path[0], path[-1]
    is_hidden = first is last and first.parent is not None
    for element in path:
        callee = name_callee(element.content)
        is_inferred = callee is not None and element is last and not _is_answered(element)
        if not (is_inferred and is_hidden):
            if element.is_segment or not services:
                owner = find_owner(element)
                services.append(_describe_service(name_service(owner.content), is_inferred=False))
            services[-1]["EntityPath"].append(
                {"Name": _name(element), "Remote": callee is not None} | describe(element)
            )
        if callee is not None and is_inferred:
            services.append(_describe_service(callee, is_inferred=True))
            entity = {"Name": callee.name, "Remote": False} | describe(element)
            services[-1]["EntityPath"].append(entity)
    return services


def _is_call(element: Element) -> bool:
    return not element.is_segment and name_callee(element.content) is not None


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
