"""Settings of Transaction Search."""

import sqlite3

import pytest

from xray_local.control import search
from xray_local.errors import ResourceNotFound


def test_destination(connection: sqlite3.Connection) -> None:
    assert search.get_destination(connection) == "XRay"

    search.set_destination(connection, "CloudWatchLogs")

    assert search.get_destination(connection) == "CloudWatchLogs"


def test_indexing_rule(connection: sqlite3.Connection) -> None:
    assert search.get_indexing_rule(connection) == (100.0, 0.0)

    updated = search.update_indexing_rule(connection, "Default", 5.0, 1_700_000_000.0)

    assert search.get_indexing_rule(connection) == updated == (5.0, 1_700_000_000.0)
    with pytest.raises(ResourceNotFound, match="'Default', the only one, got 'other'"):
        search.update_indexing_rule(connection, "other", 5.0, 0.0)
