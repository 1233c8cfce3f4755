"""Finding elements of a trace: by a text that they have somewhere, or by the call that they are."""

from collections.abc import Iterator

from .operations import name_call
from .outline import Outline


def find_text(outline: Outline, text: str) -> set[int]:
    """Return the numbers of the elements that have the text, in whatever case, in some value."""
    wanted = text.casefold()
    return {
        place.number
        for place in outline.places
        if any(wanted in each.casefold() for each in _list_texts(place.element.content))
    }


def find_same(outline: Outline, element_id: str) -> set[int]:
    """Return the numbers of the elements that make the same call as this one."""
    place = outline.get(element_id)
    call = name_call(place.element) if place else None
    return {each.number for each in outline.calls[call]} if call else set()


def _list_texts(content: dict[str, object]) -> Iterator[str]:
    """Yield the values of an element, and what it calls them; what is embedded is not its own."""
    pending: list[object] = [
        value for key, value in content.items() if key not in ("subsegments", "trace_id")
    ]
    while pending:
        value = pending.pop()
        if isinstance(value, str):
            yield value
        elif isinstance(value, dict):
            yield from map(str, value)
            pending += value.values()
        elif isinstance(value, list):
            pending += value
        elif isinstance(value, int | float) and value == value and abs(value) < 1e300:
            yield f"{value:.15g}"
