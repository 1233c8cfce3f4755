"""How much is kept: what the command says, else what was set in the console, else what is usual."""

import sqlite3
from dataclasses import astuple
from pathlib import Path

from xray_local.intake.pipeline import Limits
from xray_local.store.storage import DATABASE_MAX_BYTES, TRACES_MAX

from .choices import get_choice, set_choice
from .database import reading

NAME = "limits"
USUAL = Limits(DATABASE_MAX_BYTES, TRACES_MAX)


def find_limits(
    traces: Path,
    max_bytes: int | None = None,
    max_traces: int | None = None,
    max_hours: int | None = None,
) -> Limits:
    """Return the limits of a database of traces; None is what the command does not say.

    Raises sqlite3.Error and DatabaseUnusable.
    """
    with reading(traces) as connection:
        kept = Limits(*get_choice(connection, NAME, astuple(USUAL)))
    return Limits(
        kept.max_bytes if max_bytes is None else max_bytes,
        kept.max_traces if max_traces is None else max_traces,
        kept.max_hours if max_hours is None else max_hours,
    )


def keep_limits(connection: sqlite3.Connection, limits: Limits) -> None:
    """Keep the limits, for the next start too."""
    set_choice(connection, NAME, astuple(limits))
