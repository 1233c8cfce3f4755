"""Only one program at a time writes to a database file; another would not know what is stored."""

import fcntl
import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from xray_local.errors import DatabaseUnusable


@contextmanager
def hold(database: Path) -> Iterator[None]:
    """Keep others out for the time of the block. Raises DatabaseUnusable while one is inside.

    The lock is on a file beside the database and ends with this process, however that ends.
    """
    path = database.with_name(f"{database.name}-lock")
    try:
        database.parent.mkdir(parents=True, exist_ok=True)
        file = path.open("a+b", buffering=0)
    except OSError as error:
        raise _refuse(database, error) from error
    with file:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError as error:
            file.seek(0)
            holder = file.read(20).decode("ascii", "replace").strip()
            raise DatabaseUnusable(
                f"Cannot use the database {str(database)!r}: another X-Ray writes to it, process "
                f"{holder or 'unknown'}. Stop that one, or name another file with --database."
            ) from error
        try:
            file.truncate(0)
            file.write(b"%d\n" % os.getpid())
        except OSError as error:
            raise _refuse(database, error) from error
        yield


def _refuse(database: Path, error: OSError) -> DatabaseUnusable:
    return DatabaseUnusable(
        f"Cannot use the database {str(database)!r}: {error.strerror or error}. Expected a file in "
        "a folder that this user may write to, with room on its disk; name another with --database."
    )
