"""The receiver process: takes datagrams off the socket and passes them on, unread.

It never waits for the writer: what the pipe cannot take stays in memory, up to a limit. What loses
datagrams is the time between two reads of the socket, so nothing else happens here.

    python -m xray_local.intake.receiver SOCKET_FD PIPE_FD LIFELINE_FD
"""

import contextlib
import gc
import os
import select
import socket
import sys
import time
from collections import deque

from .counts import BUFFER_BYTES, read_buffer_bytes
from .frames import HEADER, Kind, pack
from .lifeline import end_after_server

DATAGRAM_MAX_BYTES = 65_536
# About 60,000 datagrams of 2 KB: 20,000 a second outlive a writer that is busy for three, or that
# stores 19,000 a second, for a minute.
BACKLOG_MAX_BYTES = 128 * 1024 * 1024
FRAME_MAX_BYTES = HEADER.size + DATAGRAM_MAX_BYTES
# As much as a pipe takes. Datagrams are received into it one behind the other and leave together.
ROOM_BYTES = 1024 * 1024
RECEIVED_AT_ONCE = 256
# With a large buffer it rests before each look, but not in a burst: one wake-up then serves many
# datagrams. What comes meanwhile, 150,000 a second at most, has room for 10 ms.
REST_SECONDS = 0.002
# To ask the enumeration for it takes longer than to write it.
DATAGRAM = Kind.DATAGRAM.value
# Before all others, who can wait: the buffer of the socket cannot.
RECEIVER_NICENESS = -10
# How long a flood may keep the receiver from ending.
LAST_READ_SECONDS = 0.5


class Receiver:
    """Moves datagrams from a socket to a pipe; neither ever blocks it."""

    def __init__(
        self, udp: socket.socket, pipe: int, backlog_max_bytes: int = BACKLOG_MAX_BYTES
    ) -> None:
        udp.setblocking(False)
        os.set_blocking(pipe, False)
        self._udp = udp
        self._pipe = pipe
        self._backlog_max_bytes = backlog_max_bytes
        self._room = memoryview(bytearray(ROOM_BYTES))
        self._filled = 0  # bytes of the room
        self._backlog: deque[memoryview] = deque()
        self._backlog_bytes = 0
        self._dropped = 0

    @property
    def is_behind(self) -> bool:
        """Whether something waits for room in the pipe."""
        return bool(self._filled or self._backlog)

    def run(self, lifeline: int) -> None:
        """Receive until the lifeline closes, then pass on what has come so far."""
        poller = select.poll()
        poller.register(self._udp, select.POLLIN)
        poller.register(lifeline, select.POLLIN)
        poller.register(self._pipe, 0)
        may_rest = read_buffer_bytes(self._udp) >= BUFFER_BYTES
        is_waiting = False
        received = 0
        while True:
            if is_waiting != self.is_behind:
                is_waiting = self.is_behind
                poller.modify(self._pipe, select.POLLOUT if is_waiting else 0)
            ready = dict(poller.poll())
            if ready.get(self._pipe, 0) & (select.POLLERR | select.POLLHUP):
                return  # the writer is gone; the server starts both again
            if may_rest and received < RECEIVED_AT_ONCE:
                time.sleep(REST_SECONDS)
            received = self.receive()
            self.pass_on()
            if lifeline in ready:
                break
        deadline = time.monotonic() + LAST_READ_SECONDS
        while self.receive() and time.monotonic() < deadline:
            pass
        os.set_blocking(self._pipe, True)
        while self.is_behind:
            self.pass_on()

    def receive(self, limit: int = RECEIVED_AT_ONCE) -> int:
        """Read what is there, at most `limit` datagrams; return how many were read."""
        for count in range(limit):
            if self._filled + FRAME_MAX_BYTES > ROOM_BYTES:
                self._set_aside()
            start = self._filled
            begin = start + HEADER.size
            try:
                length = self._udp.recv_into(self._room[begin : start + FRAME_MAX_BYTES])
            except BlockingIOError:
                return count
            end = begin + length
            if self._backlog_bytes + end > self._backlog_max_bytes:
                self._dropped += 1
            else:
                HEADER.pack_into(self._room, start, DATAGRAM, length)
                self._filled = end
        return limit

    def pass_on(self) -> None:
        """Write what the pipe takes."""
        if self._filled:
            if not self._backlog:
                written = self._write(self._room[: self._filled])
                self._set_aside(written)
            else:
                self._set_aside()
        while self._backlog:
            chunk = self._backlog[0]
            written = self._write(chunk)
            self._backlog_bytes -= written
            if written < len(chunk):
                self._backlog[0] = chunk[written:]
                return
            self._backlog.popleft()
        if self._dropped:
            self._keep(pack(Kind.DROPPED, str(self._dropped).encode()))
            self._dropped = 0

    def _write(self, chunk: memoryview) -> int:
        try:
            return os.write(self._pipe, chunk)
        except BlockingIOError:
            return 0

    def _set_aside(self, written: int = 0) -> None:
        """Empty the room, of which so many bytes are written already."""
        if written < self._filled:
            self._keep(bytes(self._room[written : self._filled]))
        self._filled = 0

    def _keep(self, chunk: bytes) -> None:
        self._backlog.append(memoryview(chunk))
        self._backlog_bytes += len(chunk)


def main(arguments: list[str]) -> None:
    """Run the receiver on the file descriptors given."""
    udp, pipe, lifeline = (int(argument) for argument in arguments)
    # Nothing here makes cycles, and a collection is a pause.
    gc.disable()
    end_after_server(lifeline)
    with contextlib.suppress(OSError):  # only the administrator may
        os.nice(RECEIVER_NICENESS)
    with socket.socket(fileno=udp) as bound:
        Receiver(bound, pipe).run(lifeline)


if __name__ == "__main__":
    main(sys.argv[1:])
