"""The tests of what lives in SQL, once more, on a real PostgreSQL."""

import contextlib
import os
import subprocess
import sys
from pathlib import Path

import psycopg2
import pytest

from tests.postgresql import find_initdb, run_postgresql

PYTEST = [sys.executable, "-m", "pytest", "-q", "--reuse-db", "-p", "no:cacheprovider"]
FILES = [f"tests/movies/test_{name}.py" for name in ("reviews", "edits", "departures")]


def has_table(url: str, name: str) -> bool:
    """Say whether a database has a table."""
    connection = psycopg2.connect(url)
    with contextlib.closing(connection), connection.cursor() as cursor:
        cursor.execute("SELECT to_regclass(%s)", [name])
        return cursor.fetchone() != (None,)


@pytest.mark.skipif(find_initdb() is None, reason="needs PostgreSQL: apt-get install postgresql")
def test_reviews_and_edits_on_postgresql(root: Path) -> None:
    with run_postgresql() as url:
        finished = subprocess.run(
            [*PYTEST, *FILES],
            cwd=root,
            env={**os.environ, "DATABASE_URL": url},
            capture_output=True,
            text=True,
            timeout=300,
        )
        assert finished.returncode == 0, finished.stdout + finished.stderr
        # They were there, and not on SQLite.
        assert has_table(url.removesuffix("/postgres") + "/test_postgres", "movies_review")
