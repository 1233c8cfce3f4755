"""The tree of a trace: its documents put where their parents are, whatever came, in any order."""

from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from typing import Any

from msgspec import Struct

from .documents import ID_CHARACTERS, MAX_TIME, as_list, as_text, as_time

# A merged document deeper than this is more than some clients can parse.
MERGE_DEPTH = 100


class Element(Struct, eq=False):
    """A segment or a subsegment, with its place in the tree."""

    content: dict[str, Any]
    is_document: bool  # it came on its own; else it was embedded
    parent: "Element | None"
    children: Sequence["Element"]
    id: str  # empty where there is none that can be used
    parent_id: str  # as the document names it, whether it is here or not
    start: float | None  # seconds since 1970
    end: float | None  # None while it is in progress

    @property
    def is_segment(self) -> bool:
        """Whether it is a segment; only what came on its own can be one."""
        return self.is_document and self.content.get("type") != "subsegment"

    @property
    def is_orphan(self) -> bool:
        """Whether it names a parent that has not arrived."""
        return self.parent is None and bool(self.parent_id)

    @property
    def is_open(self) -> bool:
        """Whether it is in progress."""
        return self.end is None or self.content.get("in_progress") is True


def build_tree(documents: Iterable[dict[str, Any]]) -> list[Element]:
    """Return the roots, the earliest first; their children likewise.

    A parent may be missing (its child is then a root and an orphan), or come twice, embedded and
    on its own (the complete one counts), or name its own descendant (the circle is cut).
    """
    elements: list[Element] = []
    for document in documents:
        elements += _flatten(document)
    by_id = _choose_by_id(elements)
    # As a rule, none came twice.
    if len(by_id) < len(elements):
        elements = [element for element in elements if by_id.get(element.id, element) is element]
        for element in elements:
            if element.parent is not None:
                element.parent = by_id.get(element.parent.id, element.parent)
    for element in elements:
        if element.parent is None and element.parent_id != element.id:
            element.parent = by_id.get(element.parent_id)
    below: dict[Element, list[Element]] = {}
    for element in elements:
        if element.parent is not None:
            below.setdefault(element.parent, []).append(element)
    for element, children in below.items():
        if len(children) > 1:
            children.sort(key=_start_order)
        element.children = children
    roots = [element for element in elements if element.parent is None]
    # Whatever no root leads to is in a circle, or hangs on one.
    if _count(roots) < len(elements):
        roots += _cut_circles(elements, roots)
    return sorted(roots, key=_start_order)


@contextmanager
def growing_tree(documents: Iterable[dict[str, Any]]) -> Iterator[list[Element]]:
    """Give the roots, as `build_tree` does, of a tree that is taken apart at the end of the block.

    Parents and children have each other: left as it is, only the collector would find it.
    """
    roots = build_tree(documents)
    try:
        yield roots
    finally:
        for element in [element for element, _ in walk_tree(roots)]:
            element.children = ()


def _make(content: dict[str, Any], is_document: bool, parent: Element | None) -> Element:
    # With what is usual first: a trace may have 10,000.
    get = content.get
    own, start, end = get("id"), get("start_time"), get("end_time")
    return Element(
        content,
        is_document,
        parent,
        (),
        own if type(own) is str and len(own) == ID_CHARACTERS else as_text(own) or "",
        as_text(content["parent_id"]) or "" if "parent_id" in content else "",
        start if type(start) is float and 0 <= start <= MAX_TIME else as_time(start),
        end if type(end) is float and 0 <= end <= MAX_TIME else as_time(end),
    )


def _flatten(document: dict[str, Any]) -> list[Element]:
    pending = [_make(document, True, None)]
    elements: list[Element] = []
    while pending:
        element = pending.pop()
        elements.append(element)
        inside = element.content.get("subsegments")
        if inside:
            # The last of these is taken first: siblings stay in their order.
            pending += [
                _make(child, False, element)
                for child in reversed(as_list(inside))
                if isinstance(child, dict)
            ]
    return elements


def _count(roots: list[Element]) -> int:
    """Return how many elements the roots lead to, themselves included."""
    pending = list(roots)
    for element in pending:
        pending += element.children
    return len(pending)


def _choose_by_id(elements: list[Element]) -> dict[str, Element]:
    """Return the element that counts for each id: a complete one, else one that is embedded.

    So it is the same one in whichever order they arrived.
    """
    chosen = {element.id: element for element in elements}
    if len(chosen) == len(elements) and "" not in chosen:
        return chosen
    chosen = {}
    for element in elements:
        if element.id:
            other = chosen.setdefault(element.id, element)
            if other is not element and _rank(element) < _rank(other):
                chosen[element.id] = element
    return chosen


def _rank(element: Element) -> tuple[bool, bool]:
    return element.is_open, element.is_document


def _cut_circles(kept: list[Element], roots: list[Element]) -> list[Element]:
    """Make a root of one element in each circle; return these."""
    reached = {id(element) for root in roots for element, _ in walk_tree([root])}
    cut: list[Element] = []
    for element in kept:
        if id(element) not in reached:
            node = element
            passed: set[int] = set()
            while id(node) not in passed:
                passed.add(id(node))
                node = node.parent or node
            if node.parent:
                node.parent.children = [each for each in node.parent.children if each is not node]
                node.parent = None
            else:
                roots.remove(node)
            cut.append(node)
            reached |= {id(below) for below, _ in walk_tree([node])}
    return cut


def find_owner(element: Element) -> Element:
    """Return the segment that the element belongs to; where that is not here, what is above all."""
    while not element.is_segment and element.parent is not None:
        element = element.parent
    return element


def walk_tree(roots: list[Element]) -> Iterator[tuple[Element, int]]:
    """Yield every element with its depth, parents before children, in their order."""
    pending = [(root, 0) for root in reversed(roots)]
    while pending:
        element, depth = pending.pop()
        yield element, depth
        if element.children:
            pending.extend([(child, depth + 1) for child in reversed(element.children)])


def merge_documents(roots: list[Element]) -> list[dict[str, Any]]:
    """Return one document for each segment, its late subsegments put into it.

    Orphans stay documents of their own.
    """
    elements = [element for element, _ in walk_tree(roots)]
    depths: dict[int, int] = {}  # below the document that it will be in; 0 is a document itself
    for element in elements:
        depth = (
            0 if element.parent is None or element.is_segment else depths[id(element.parent)] + 1
        )
        depths[id(element)] = 0 if element.is_document and depth >= MERGE_DEPTH else depth
    merged: dict[int, dict[str, Any]] = {}
    for element in reversed(elements):
        content = {key: value for key, value in element.content.items() if key != "subsegments"}
        inside = [merged[id(child)] for child in element.children if depths[id(child)]]
        if inside:
            content["subsegments"] = inside
        merged[id(element)] = content
    return [merged[id(element)] for element in elements if not depths[id(element)]]


def _start_order(element: Element) -> tuple[bool, float]:
    return element.start is None, element.start or 0.0
