"""What forms are made of: fields that keep what was typed, with what is wrong beside each."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from xray_local.errors import InvalidRequest


@dataclass(frozen=True, slots=True)
class Field:
    """A field of a form.

    name: what it is sent as; kind: "text", "number" or "lines"; is_fixed: shown, not to be changed.
    """

    name: str
    label: str
    hint: str = ""
    kind: str = "text"
    value: str = ""
    mistake: str = ""
    is_fixed: bool = False


def read_fields(
    fields: Sequence[Field], texts: Mapping[str, str], read: Callable[[str, str], Any]
) -> tuple[list[Field], dict[str, Any]]:
    """Return the fields with what was typed and what is wrong, and the values of the others.

    read: returns the value of a field of a name from its text. Raises InvalidRequest where it is
    wrong. Fixed fields stay as they are.
    """
    filled: list[Field] = []
    values: dict[str, Any] = {}
    for field in fields:
        if not field.is_fixed:
            field = replace(field, value=texts.get(field.name, ""), mistake="")
            try:
                values[field.name] = read(field.name, field.value)
            except InvalidRequest as error:
                field = replace(field, mistake=str(error))
        filled.append(field)
    return filled, values


def has_mistakes(fields: Sequence[Field]) -> bool:
    """Whether something is wrong in a field."""
    return any(field.mistake for field in fields)


def read_figure(text: str) -> int | float | str:
    """Return the number that a text says, the text itself where it says none."""
    for kind in (int, float):
        try:
            return kind(text)
        except ValueError:
            continue
    return text
