"""The writer's end of forwarding: documents go into a pipe, and the writer never waits for it."""

import os
import threading
from collections.abc import Sequence

from xray_local.intake.frames import Kind, pack

from .backlog import Backlog

# What waits while the forwarding process is busy reading: the batches of a busy second.
OUTLET_MAX_BYTES = 8 * 1024 * 1024
CHUNK_DOCUMENTS = 200
CHUNK_BYTES = 256 * 1024


class Outlet:
    """Passes documents on in a thread of its own; what has no room is dropped, oldest first."""

    def __init__(self, pipe: int, max_bytes: int = OUTLET_MAX_BYTES) -> None:
        self._pipe = pipe
        self._backlog = Backlog(max_bytes)
        self._thread = threading.Thread(target=self._write, name="outlet", daemon=True)
        self._thread.start()

    def send(self, bodies: Sequence[bytes]) -> None:
        """Pass the documents on, now or soon."""
        self._backlog.put(bodies)

    def close(self) -> None:
        """Write what is left; the other end always reads it."""
        self._backlog.close()
        self._thread.join()

    def _write(self) -> None:
        try:
            while taken := self._backlog.take(CHUNK_DOCUMENTS, CHUNK_BYTES, 0.0):
                dropped = self._backlog.take_dropped()
                frames = [pack(Kind.DROPPED, str(dropped).encode())] if dropped else []
                frames += [pack(Kind.DOCUMENT, each.body) for each in taken]
                rest = memoryview(b"".join(frames))
                while rest:
                    rest = rest[os.write(self._pipe, rest) :]
        except BrokenPipeError:
            # The forwarding process is gone; the server starts all of them again.
            return
        finally:
            os.close(self._pipe)
