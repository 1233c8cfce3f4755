"""Counts that one process keeps in a file and others read at any moment."""

import os
import struct
import tempfile
import threading

NUMBER = struct.Struct("=Q")


class CountFile:
    """A number of eight bytes for each name; only one process adds to them."""

    def __init__(self, descriptor: int, names: tuple[str, ...]) -> None:
        self.descriptor = descriptor
        self._names = names
        self._lock = threading.Lock()

    @classmethod
    def create(cls, names: tuple[str, ...]) -> "CountFile":
        """Return counts of 0, in a file without a name that goes with the last who holds it."""
        with tempfile.TemporaryFile() as file:
            descriptor = os.dup(file.fileno())
        os.pwrite(descriptor, bytes(NUMBER.size * len(names)), 0)
        return cls(descriptor, names)

    def add(self, name: str, number: int) -> None:
        """Add to a count."""
        offset = NUMBER.size * self._names.index(name)
        with self._lock:
            (value,) = NUMBER.unpack(os.pread(self.descriptor, NUMBER.size, offset))
            os.pwrite(self.descriptor, NUMBER.pack(value + number), offset)

    def read(self) -> dict[str, int]:
        """Return every count by its name."""
        data = os.pread(self.descriptor, NUMBER.size * len(self._names), 0)
        return {
            name: value
            for name, (value,) in zip(self._names, NUMBER.iter_unpack(data), strict=True)
        }
