"""The local X-Ray as a program of its own."""

import json
import os
import socket
import subprocess
import sys
import urllib.error
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from tests.processes import ROOT, find_free_port, stop, wait_for_http
from tests.xray_local.made import make_datagram, wait_until

AS_COMMAND = (str(ROOT / "manage.py"), "xray_local")
AS_MODULE = ("-m", "xray_local")


@dataclass(frozen=True, slots=True)
class Program:
    """A running local X-Ray."""

    process: subprocess.Popen[bytes]
    port: int
    otlp_port: int
    database: Path
    log: Path

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    @property
    def otlp_url(self) -> str:
        return f"http://127.0.0.1:{self.otlp_port}"

    def send(self, *datagrams: bytes | dict[str, Any]) -> None:
        """Send documents, or bytes as they are, by UDP."""
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as udp:
            for datagram in datagrams:
                data = datagram if isinstance(datagram, bytes) else make_datagram(datagram)
                udp.sendto(data, ("127.0.0.1", self.port))

    def fetch(self, path: str) -> str:
        with urllib.request.urlopen(self.url + path, timeout=10) as response:
            return str(response.read().decode())

    def counts(self) -> dict[str, int]:
        return dict(json.loads(self.fetch("/counts")))

    def wait_for_count(self, name: str, number: int) -> None:
        wait_until(lambda: self.counts()[name] >= number)

    def children(self) -> dict[str, int]:
        """Return the process ids of the processes that take segments in."""
        # -ww: a line is never cut, however narrow the terminal and long the folder's name.
        listed = subprocess.run(
            ["ps", "-ww", "-eo", "pid=,ppid=,args="], capture_output=True, text=True, check=True
        ).stdout
        rows = [line.split(None, 2) for line in listed.splitlines()]
        return {
            name: int(pid)
            for pid, parent, command in rows
            for name in ("receiver", "writer", "forwarder")
            if int(parent) == self.process.pid and f".{name} " in f"{command} "
        }

    def output(self) -> str:
        return self.log.read_text()


@contextmanager
def run_xray(
    folder: Path,
    *arguments: str,
    port: int | None = None,
    database: Path | None = None,
    command: tuple[str, ...] = AS_MODULE,
    is_measured: bool = False,
) -> Iterator[Program]:
    """Run the local X-Ray until the end of the block."""
    program = start_xray(
        folder,
        *arguments,
        port=port,
        database=database,
        command=command,
        is_measured=is_measured,
    )
    try:
        wait_for_http(f"{program.url}/counts", program.process)
        yield program
    finally:
        stop(program.process)


def start_xray(
    folder: Path,
    *arguments: str,
    port: int | None = None,
    database: Path | None = None,
    command: tuple[str, ...] = AS_MODULE,
    is_measured: bool = False,
) -> Program:
    """Start the program; it may still be starting, or fail to.

    Without the site's settings that manage.py loads first, which takes twice as long. So does all
    that it does if is_measured, which is whether the run's coverage counts it.
    """
    port = port or find_free_port()
    otlp_port = find_free_port()
    database = database or folder / "xray.sqlite3"
    log = folder / f"xray-{port}.log"
    environment = {
        name: text
        for name, text in os.environ.items()
        if is_measured or not name.startswith("COVERAGE_")
    } | {
        "DJANGO_SETTINGS_MODULE": "movies_site.settings_local",
        "LOCAL_DIR": str(folder),
        "PYTHONPATH": str(ROOT),
    }
    with log.open("wb") as output:
        process = subprocess.Popen(
            [
                *(sys.executable, *command),
                *("--address", f"127.0.0.1:{port}", "--otlp-address", f"127.0.0.1:{otlp_port}"),
                *("--database", database, *arguments),
            ],
            cwd=folder,
            env=environment,
            stdout=output,
            stderr=output,
        )
    return Program(process, port, otlp_port, database, log)


def ask(url: str, data: bytes | None = None, **headers: str) -> tuple[int, bytes]:
    """Return the status and the body, whatever the status is; with data, it is a POST."""
    request = urllib.request.Request(url, data, headers)
    try:
        with urllib.request.urlopen(request, timeout=10) as response:
            return response.status, response.read()
    except urllib.error.HTTPError as error:
        with error:
            return error.code, error.read()


def is_alive(pid: int) -> bool:
    """Whether the process runs; one that has ended and waits to be asked about does not."""
    try:
        state = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0]
    except FileNotFoundError:
        return False
    return state != "Z"
