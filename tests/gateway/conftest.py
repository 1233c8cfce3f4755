"""What every test of the gateway has: a process in which no database has been opened."""

from typing import Any

import pytest
from django.db import connections


@pytest.fixture(autouse=True)
def no_connections(monkeypatch: pytest.MonkeyPatch) -> None:
    """Hide what a test before, of another folder, has left open in this process.

    Django looks at its connections around each piece of work, and these tests may use none.
    """
    connection: Any
    for connection in connections.all(initialized_only=True):
        monkeypatch.setattr(connection, "connection", None)
