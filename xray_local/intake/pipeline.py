"""The processes that take segments in, as the server sees them: started, watched, fed, ended.

    UDP socket -> receiver -> pipe -> writer -> database
                    API -----> pipe ---^           `-> pipe -> forwarding (--forward)

None outlives the server, however it ends: the receiver holds the other end of a lifeline, the
writer ends when both of its pipes have, and the forwarding process when the writer has. Should they
be stuck, the receiver and the writer end by the lifeline alone, some time later (lifeline.py).
"""

import contextlib
import fcntl
import os
import select
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Iterable, Sequence
from dataclasses import astuple, dataclass
from pathlib import Path

from xray_local.address import Address
from xray_local.errors import CannotStart, IntakeDown
from xray_local.forwarding.count_file import CountFile
from xray_local.forwarding.forwarder import COUNTS, FLUSH_SECONDS
from xray_local.log import tell

from .frames import Kind, pack, pack_all

PIPE_BYTES = 1024 * 1024
# How long a request waits for room in the pipe: clients try again, threads must not pile up.
ROOM_SECONDS = 1.0
# A process that lives less than this did not die of what it was sent.
SHORT_LIFE_SECONDS = 2.0
SHORT_LIVES_ALLOWED = 3
PACKAGE = __name__.partition(".")[0]
# The forwarding process ends by itself when its time is over; this is for its own end.
FLUSH_GRACE_SECONDS = 1.0


@dataclass(frozen=True, slots=True)
class Limits:
    """How much is kept; beyond either of the first two, the traces that arrived first go.

    max_hours: what ended earlier goes as well; 0 for nothing.
    """

    max_bytes: int
    max_traces: int
    max_hours: int = 0


class Pipeline:
    """The receiver, the writer, and the forwarding process where there is one.

    forward_from: our own addresses, where what arrives goes on to AWS X-Ray; else none.
    """

    def __init__(
        self,
        udp: socket.socket,
        database: Path,
        limits: Limits,
        forward_from: Sequence[Address] = (),
    ) -> None:
        self._udp = udp
        self._database = database
        self._limits = limits
        self._forward_from = forward_from
        self._forward_counts = CountFile.create(COUNTS) if forward_from else None
        self._processes: list[subprocess.Popen[bytes]] = []
        self._forwarder: subprocess.Popen[bytes] | None = None
        self._lifeline = -1
        self._documents = -1
        # Two requests must not write into each other's frames.
        self._lock = threading.Lock()
        self._started = 0.0
        self._short_lives = 0

    def start(self) -> None:
        """Start the processes. Call it from the thread that will call `check`."""
        datagrams_out, datagrams_in = _open_pipe()
        documents_out, documents_in = _open_pipe()
        lifeline_out, lifeline_in = _open_pipe()
        limits = self._limits
        forward = self._start_forwarding()
        self._processes = [
            _spawn("intake.receiver", self._udp.fileno(), datagrams_in, lifeline_out),
            _spawn(
                "intake.writer",
                datagrams_out,
                documents_out,
                lifeline_out,
                *forward,
                arguments=(self._database, *astuple(limits)),
            ),
        ]
        for descriptor in (datagrams_in, lifeline_out, datagrams_out, documents_out, *forward):
            os.close(descriptor)
        self._lifeline = lifeline_in
        with self._lock:
            self._documents = documents_in
        self._started = time.monotonic()

    def _start_forwarding(self) -> list[int]:
        """Start the forwarding process, if there is to be one; return the pipe that feeds it."""
        if not self._forward_from or not self._forward_counts:
            return []
        documents_out, documents_in = _open_pipe()
        self._forwarder = _spawn(
            "forwarding.forwarder",
            documents_out,
            self._forward_counts.descriptor,
            arguments=self._forward_from,
        )
        os.close(documents_out)
        return [documents_in]

    def count_forwarded(self) -> dict[str, int]:
        """Return what the forwarding process has counted; nothing where there is none."""
        return self._forward_counts.read() if self._forward_counts else {}

    def send(self, documents: Iterable[bytes]) -> None:
        """Pass documents that have been checked to the writer.

        Raises IntakeDown if it takes nothing: then nothing of the documents is stored. A request
        of which the writer has begun to take is waited for; it holds up no other for long.
        """
        self._pass_on(pack_all(Kind.DOCUMENT, documents))

    def clear(self) -> None:
        """Have the writer delete all traces, soon after this returns. Raises IntakeDown."""
        self._pass_on(pack(Kind.CLEAR, b""))

    @property
    def limits(self) -> Limits:
        """How much is kept."""
        return self._limits

    def set_limits(self, limits: Limits) -> None:
        """Have the writer keep as much, soon after this returns. Raises IntakeDown."""
        self._pass_on(pack(Kind.LIMITS, b"%d %d %d" % astuple(limits)))
        # For a writer that is started again.
        self._limits = limits

    def _pass_on(self, frames: bytes) -> None:
        rest = memoryview(frames)
        if not self._lock.acquire(timeout=ROOM_SECONDS):
            raise _refuse()
        try:
            if not self._has_room():
                raise _refuse()
            while rest:
                rest = rest[os.write(self._documents, rest) :]
        except OSError as error:
            raise IntakeDown(
                "The process that stores segments is being started again; "
                "expected it within a second. Send the segments again."
            ) from error
        finally:
            self._lock.release()

    def _has_room(self) -> bool:
        """Whether the writer takes something soon, or will never again."""
        poller = select.poll()
        if self._documents >= 0:
            poller.register(self._documents, select.POLLOUT)
            return bool(poller.poll(ROOM_SECONDS * 1000))
        return True

    def check(self) -> None:
        """Start all again if one has ended. Raises CannotStart if that does not help."""
        processes = [*self._processes, *filter(None, [self._forwarder])]
        dead = [process for process in processes if process.poll() is not None]
        if not dead:
            return
        lived_seconds = time.monotonic() - self._started
        self._short_lives = self._short_lives + 1 if lived_seconds < SHORT_LIFE_SECONDS else 0
        names = ", ".join(
            f"the {_name(process)} ended with {process.returncode}" for process in dead
        )
        self.stop(timeout_seconds=SHORT_LIFE_SECONDS)
        if self._short_lives >= SHORT_LIVES_ALLOWED:
            raise CannotStart(f"Stopping: {names}, {self._short_lives} times just after its start.")
        tell(f"{names}; starting it again.")
        self.start()

    def stop(self, timeout_seconds: float) -> bool:
        """End all, what has been received stored first; return whether the time was enough.

        What is left to be forwarded has a time of its own.
        """
        if not self._processes:
            return True
        deadline = time.monotonic() + timeout_seconds
        os.close(self._lifeline)
        is_done = self._lock.acquire(timeout=timeout_seconds)
        if not is_done:
            # A request waits for a writer that is stuck; without the writer it gets an error.
            self._processes[-1].kill()
            self._lock.acquire()
        os.close(self._documents)
        self._documents = -1
        self._lock.release()
        for process in self._processes:
            try:
                process.wait(max(0.0, deadline - time.monotonic()))
            except subprocess.TimeoutExpired:
                process.kill()
                process.wait()
                is_done = False
        self._processes = []
        if self._forwarder:
            try:
                self._forwarder.wait(FLUSH_SECONDS + FLUSH_GRACE_SECONDS)
            except subprocess.TimeoutExpired:
                self._forwarder.kill()
                self._forwarder.wait()
            self._forwarder = None
        return is_done


def _refuse() -> IntakeDown:
    return IntakeDown(
        f"The process that stores segments took nothing for {ROOM_SECONDS:g} s: it has more than "
        "it can store, or waits for its database or disk, as the terminal says. Send the segments "
        "again later."
    )


def _open_pipe() -> tuple[int, int]:
    """Return the ends of a pipe for reading and writing, as roomy as the system allows."""
    reading, writing = os.pipe()
    if hasattr(fcntl, "F_SETPIPE_SZ"):
        with contextlib.suppress(OSError):
            fcntl.fcntl(writing, fcntl.F_SETPIPE_SZ, PIPE_BYTES)
    return reading, writing


def _spawn(
    module: str, *descriptors: int, arguments: Iterable[object] = ()
) -> subprocess.Popen[bytes]:
    """Start a module of `xray_local` as a process that holds the descriptors."""
    return subprocess.Popen(  # noqa: S603 - our own modules
        [sys.executable, "-m", f"{PACKAGE}.{module}"]
        + [str(argument) for argument in (*descriptors, *arguments)],
        pass_fds=descriptors,
        stdin=subprocess.DEVNULL,
        # Ctrl-C in a terminal reaches a whole group: only the server is to hear it.
        process_group=0,
        env=environment_of_children(),
    )


def environment_of_children() -> dict[str, str]:
    """Return the environment in which `python -m xray_local` works from any folder."""
    folder = str(Path(__file__).resolve().parents[2])
    path = os.pathsep.join(filter(None, (folder, os.environ.get("PYTHONPATH"))))
    return {**os.environ, "PYTHONPATH": path}


def _name(process: subprocess.Popen[bytes]) -> str:
    return str(process.args[2]).rpartition(".")[2]  # type: ignore[index]
