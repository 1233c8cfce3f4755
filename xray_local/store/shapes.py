"""The numbers that the database knows the shapes of elements by."""

import sqlite3
from collections.abc import Iterator

from xray_local.traces.services import Service
from xray_local.traces.tallies import Shape, make_shape

# The map has at most 10,000 nodes. Whoever names services after requests has no more shapes than
# this: the rest have number 0, which the map leaves out, and which a filter looks into.
SHAPES_MAX = 20_000
OTHER = 0

COLUMNS = "source_name, source_type, source_account_id, name, type, account_id, flags"
# The source, the service and the flags.
Key = tuple[Service | None, Service, int]


class ShapeNumbers(dict[Key, int]):
    """Gives each shape that it is asked for a number, the same one for good.

    Reload it before the first.
    """

    def __init__(self, connection: sqlite3.Connection) -> None:
        super().__init__()
        self._connection = connection

    def reload(self) -> None:
        """Know what is in the database, and nothing else."""
        self.clear()
        self.update({key: number for number, key in _read(self._connection)})

    @property
    def is_full(self) -> bool:
        """Whether there are as many as may be."""
        return len(self) >= SHAPES_MAX

    def __missing__(self, key: Key) -> int:
        if self.is_full:
            return OTHER
        source, service, flags = key
        cursor = self._connection.execute(
            f"INSERT INTO shapes ({COLUMNS}) VALUES (?, ?, ?, ?, ?, ?, ?)",  # noqa: S608
            (*(source or (None, None, None)), *service, flags),
        )
        number = self[key] = int(cursor.lastrowid or 0)
        return number

    def forget_unused(self) -> None:
        """Delete the shapes that no element has any more."""
        self._connection.execute("DELETE FROM shapes WHERE no NOT IN (SELECT shape_no FROM hours)")
        self.reload()


def read_shapes(connection: sqlite3.Connection) -> dict[int, Shape]:
    """Return every shape by its number."""
    return {number: make_shape(*key) for number, key in _read(connection)}


def _read(connection: sqlite3.Connection) -> Iterator[tuple[int, Key]]:
    rows = connection.execute(f"SELECT no, {COLUMNS} FROM shapes")  # noqa: S608 - our names
    # There may be thousands, and each filter reads them.
    for number, source_name, source_type, source_account, name, kind, account, flags in rows:
        source = None
        if source_name is not None:
            source = Service(source_name, source_type, source_account)
        yield number, (source, Service(name, kind, account), flags)
