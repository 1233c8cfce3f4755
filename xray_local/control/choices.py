"""Single settings: values of JSON, each under a name of its own."""

import json
import sqlite3
from typing import Any


def get_choice(connection: sqlite3.Connection, name: str, default: Any = None) -> Any:
    """Return the value that was set last, the default where none was."""
    row = connection.execute("SELECT value FROM choices WHERE name = ?", (name,)).fetchone()
    return default if row is None else json.loads(row[0])


def set_choice(connection: sqlite3.Connection, name: str, value: Any) -> None:
    """Keep a value that JSON can say."""
    connection.execute("REPLACE INTO choices VALUES (?, ?)", (name, json.dumps(value)))
