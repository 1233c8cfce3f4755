"""Run a real PostgreSQL for a test: a cluster of its own, on a free port of 127.0.0.1."""

import os
import shutil
import subprocess
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from tests.processes import find_free_port


def find_initdb() -> Path | None:
    """Return PostgreSQL's initdb: the newest of Debian's, or the one on the path."""
    debian = Path("/usr/lib/postgresql").glob("*/bin/initdb")
    newest = max(debian, key=lambda path: float(path.parts[-3]), default=None)
    if newest is not None:
        return newest
    on_path = shutil.which("initdb")
    return Path(on_path).resolve() if on_path else None


@contextmanager
def run_postgresql() -> Iterator[str]:
    """Run an empty PostgreSQL; yield its DATABASE_URL.

    Raises RuntimeError where PostgreSQL is not installed. It refuses to run as root, so root
    lends it to a user who may do nothing else.
    """
    initdb = find_initdb()
    if initdb is None:
        raise RuntimeError("PostgreSQL is not installed; expected initdb, as of Debian's package.")
    port = find_free_port()
    # Not below pytest's folder, which only its owner may enter.
    folder = tempfile.mkdtemp(prefix="movies-postgresql-")
    lend: dict[str, Any] = {}
    if os.geteuid() == 0:
        shutil.chown(folder, "nobody")
        lend = {"user": "nobody", "group": "nogroup", "extra_groups": []}
    data = f"{folder}/data"
    options = (
        f"-c listen_addresses=127.0.0.1 -c port={port} -c unix_socket_directories= -c fsync=off"
    )

    def run(*command: str | Path) -> None:
        subprocess.run(
            command, cwd=folder, check=True, stdout=subprocess.DEVNULL, env={"LC_ALL": "C"}, **lend
        )

    run(initdb, "-D", data, "-U", "movies", "-A", "trust", "-E", "UTF8", "--no-sync")
    control = initdb.with_name("pg_ctl")
    run(control, "start", "-w", "-D", data, "-l", f"{folder}/log", "-o", options)
    try:
        yield f"postgres://movies@127.0.0.1:{port}/postgres"
    finally:
        run(control, "stop", "-m", "immediate", "-D", data)
        shutil.rmtree(folder)
