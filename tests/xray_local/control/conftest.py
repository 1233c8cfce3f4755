"""A file of settings in a folder of its own."""

import sqlite3
from collections.abc import Iterator
from pathlib import Path

import pytest

from xray_local.control.database import changing


@pytest.fixture
def traces(tmp_path: Path) -> Path:
    """Where the traces would be, beside which the settings are."""
    return tmp_path / "xray.sqlite3"


@pytest.fixture
def connection(traces: Path) -> Iterator[sqlite3.Connection]:
    with changing(traces) as connection:
        yield connection
