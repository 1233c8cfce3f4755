"""Read settings from the environment; an error names the variable and what would be right."""

import os

from django.core.exceptions import ImproperlyConfigured

TRUE_WORDS = frozenset({"1", "true", "yes", "on"})
FALSE_WORDS = frozenset({"0", "false", "no", "off", ""})


def read_text(name: str, default: str = "") -> str:
    """Return the variable's text, or the default where it is not set."""
    return os.environ.get(name, default)


def read_optional(name: str) -> str | None:
    """Return the variable's text, or None where it is not set or empty."""
    return os.environ.get(name) or None


def read_flag(name: str, *, default: bool) -> bool:
    """Return a yes or no. Raises ImproperlyConfigured for any other word."""
    value = os.environ.get(name)
    if value is None:
        return default
    word = value.strip().lower()
    if word in TRUE_WORDS:
        return True
    if word in FALSE_WORDS:
        return False
    raise ImproperlyConfigured(
        f"{name} is {value!r}; expected one of true, false, yes, no, on, off, 1, 0."
    )


def read_number(name: str, default: float) -> float:
    """Return a number of at least zero. Raises ImproperlyConfigured for anything else."""
    value = os.environ.get(name)
    if value is None:
        return default
    try:
        number = float(value)
    except ValueError:
        number = -1.0
    if not 0 <= number < float("inf"):
        raise ImproperlyConfigured(f"{name} is {value!r}; expected a number such as {default}.")
    return number


def read_list(name: str, default: str = "") -> list[str]:
    """Return the comma-separated items, stripped, without the empty ones."""
    return [item.strip() for item in os.environ.get(name, default).split(",") if item.strip()]
