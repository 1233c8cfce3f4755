"""The daemon, collector, agent and APM server in one process: takes all, keeps what it is told to.

    python -m benchmarks.sink none,sdk-lambda

Each variant has a port of its own, for UDP and for HTTP. A line of JSON with the ports goes to
standard output; then each line that comes in, `[variant, whether to keep]`, is answered with the
number of datagrams since the last and what was kept, and whether to keep from now on is noted.
"""

import asyncio
import base64
import contextlib
import json
import socket
import subprocess
import sys
from collections.abc import Sequence
from typing import Any

from benchmarks.pairs import ROOT, pin

RECEIVE_BUFFER_BYTES = 16 * 1024 * 1024
# OTLP takes an empty message; Elastic wants 202; Datadog's agent says what rates to sample at.
ANSWERS = {
    "/v1/traces": (200, "application/x-protobuf", b""),
    "/intake/v2/events": (202, "application/json", b"{}"),
    "/info": (200, "application/json", b'{"endpoints":["/v0.4/traces"],"client_drop_p0s":false}'),
    "/": (200, "application/json", b'{"version":"8.17.0"}'),
}
OTHERWISE = (200, "application/json", b'{"rate_by_service":{}}')


class Port(asyncio.DatagramProtocol):
    """What one variant sends to."""

    def __init__(self) -> None:
        self.datagrams = 0
        self.is_keeping = False
        self.kept: list[dict[str, Any]] = []

    async def open(self) -> int:
        """Listen on UDP and TCP; return the port."""
        while True:
            server = await asyncio.start_server(self.answer, "127.0.0.1", 0)
            port = int(server.sockets[0].getsockname()[1])
            udp = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
            try:
                udp.bind(("127.0.0.1", port))
                break
            except OSError:  # somebody else's; both have to be free
                udp.close()
                server.close()
        udp.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, RECEIVE_BUFFER_BYTES)
        with contextlib.suppress(OSError, AttributeError):  # beyond the system's limit, for root
            udp.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUFFORCE, RECEIVE_BUFFER_BYTES)  # type: ignore[attr-defined, unused-ignore]
        udp.setblocking(False)
        loop = asyncio.get_running_loop()
        await loop.create_datagram_endpoint(lambda: self, sock=udp)
        self.server = server
        return port

    def datagram_received(self, data: bytes, address: object) -> None:
        """Count a datagram."""
        self.datagrams += 1
        self._keep("", {}, data)

    async def answer(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """Answer the requests of one connection."""
        with contextlib.suppress(asyncio.IncompleteReadError, ConnectionError):
            while True:
                head = (await reader.readuntil(b"\r\n\r\n")).decode("latin-1").split("\r\n")
                path = head[0].split(" ")[1].partition("?")[0]
                pairs = (line.partition(":") for line in head[1:] if line)
                headers = {name.lower(): value.strip() for name, _, value in pairs}
                if headers.get("expect", "").lower() == "100-continue":
                    writer.write(b"HTTP/1.1 100 Continue\r\n\r\n")
                self._keep(path, headers, await read_body(reader, headers))
                status, kind, body = ANSWERS.get(path, OTHERWISE)
                writer.write(
                    f"HTTP/1.1 {status} OK\r\nContent-Type: {kind}\r\n"
                    f"Content-Length: {len(body)}\r\n\r\n".encode()
                    + body
                )
                await writer.drain()
        writer.close()

    def _keep(self, path: str, headers: dict[str, str], body: bytes) -> None:
        if self.is_keeping:
            encoding = headers.get("content-encoding", "")
            told = {"path": path, "encoding": encoding, "body": base64.b64encode(body).decode()}
            self.kept.append(told)


async def read_body(reader: asyncio.StreamReader, headers: dict[str, str]) -> bytes:
    """Return a request's body, in chunks or of a known length."""
    if headers.get("transfer-encoding", "").lower() != "chunked":
        return await reader.readexactly(int(headers.get("content-length", 0)))
    body = b""
    while size := int((await reader.readuntil(b"\r\n")).partition(b";")[0], 16):
        body += (await reader.readexactly(size + 2))[:-2]
    await reader.readuntil(b"\r\n")
    return body


async def listen(names: Sequence[str]) -> None:
    """Listen for every variant until standard input ends."""
    ports = {name: Port() for name in names}
    print(json.dumps({name: await port.open() for name, port in ports.items()}), flush=True)
    loop = asyncio.get_running_loop()
    lines = asyncio.StreamReader()
    await loop.connect_read_pipe(lambda: asyncio.StreamReaderProtocol(lines), sys.stdin)
    while line := await lines.readline():
        name, is_keeping = json.loads(line)
        port = ports[name]
        print(json.dumps({"new_datagrams": port.datagrams, "kept": port.kept}), flush=True)
        port.is_keeping, port.kept, port.datagrams = is_keeping, [], 0


class Sink:
    """The sink's process, seen from the benchmark's."""

    def __init__(self, names: Sequence[str]) -> None:
        self._process = subprocess.Popen(
            pin([sys.executable, "-m", "benchmarks.sink", ",".join(names)], is_aside=True),
            cwd=ROOT,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )
        self.ports: dict[str, int] = json.loads(self._read())

    def _read(self) -> str:
        assert self._process.stdout is not None
        line = self._process.stdout.readline()
        assert line, "The sink's process ended."
        return line

    def ask(self, name: str, *, keep: bool = False) -> dict[str, Any]:
        """Return a variant's `new_datagrams` and what was `kept`; keep from now on, or not."""
        assert self._process.stdin is not None
        self._process.stdin.write(json.dumps([name, keep]) + "\n")
        self._process.stdin.flush()
        told: dict[str, Any] = json.loads(self._read())
        return told

    def stop(self) -> None:
        """End the process."""
        assert self._process.stdin is not None
        self._process.stdin.close()
        self._process.wait(10)


if __name__ == "__main__":
    asyncio.run(listen(sys.argv[1].split(",")))
