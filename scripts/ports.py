"""Choose the ports, and tell who holds one that is taken."""

import os
import shutil
import socket
import struct
import subprocess
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

LOOPBACK = "127.0.0.1"
SOCKET_TYPES = {"tcp": socket.SOCK_STREAM, "udp": socket.SOCK_DGRAM}
# The states of /proc/net in which a socket keeps a port to itself: TCP's LISTEN, UDP's only one.
HOLDING_STATES = {"tcp": "0A", "udp": "07"}


class BadPort(ValueError):
    """A port that cannot be one, or is given to two of our processes."""


@dataclass(frozen=True, slots=True)
class Port:
    """One port that we listen on.

    variable: the environment variable that chooses another number.
    protocols: "tcp", "udp" or both.
    """

    number: int
    purpose: str
    variable: str
    protocols: tuple[str, ...] = ("tcp",)


@dataclass(frozen=True, slots=True)
class Holder:
    """The process that listens on a port. An unknown one has the pid None."""

    pid: int | None
    command: str

    def __str__(self) -> str:
        return f"process {self.pid} ({self.command})" if self.pid else self.command


UNKNOWN_HOLDER = Holder(None, "a process that this user may not see")


def read_ports(
    environment: Mapping[str, str], *, is_lambda: bool = False
) -> tuple[Port, Port, Port, Port]:
    """Return the ports of the site, the local X-Ray, the embedded AWS and OpenTelemetry's spans.

    SITE_PORT (8000), XRAY_PORT (2000), AWS_PORT (4566) and OTLP_PORT (4318) choose others; for
    `make lambda` it is LAMBDA_PORT (3000) in place of the first.
    Raises BadPort if one is no port number, or two are the same.
    """
    site = (
        Port(_read_number(environment, "LAMBDA_PORT", 3000), "the function", "LAMBDA_PORT")
        if is_lambda
        else Port(_read_number(environment, "SITE_PORT", 8000), "the site", "SITE_PORT")
    )
    ports = (
        site,
        Port(
            _read_number(environment, "XRAY_PORT", 2000),
            "the local X-Ray",
            "XRAY_PORT",
            ("tcp", "udp"),
        ),
        Port(_read_number(environment, "AWS_PORT", 4566), "the embedded AWS", "AWS_PORT"),
        Port(_read_number(environment, "OTLP_PORT", 4318), "OpenTelemetry's spans", "OTLP_PORT"),
    )
    for index, port in enumerate(ports):
        for other in ports[:index]:
            if port.number == other.number:
                raise BadPort(
                    f"{other.variable} and {port.variable} are both {port.number}; "
                    "expected a port of its own for each."
                )
    return ports


def _read_number(environment: Mapping[str, str], variable: str, default: int) -> int:
    text = environment.get(variable) or str(default)
    if text.isascii() and text.isdigit() and 0 < int(text) < 65536:
        return int(text)
    raise BadPort(f"{variable} is {text!r}; expected a port number from 1 to 65535.")


def find_conflicts(ports: Sequence[Port], target: str = "run") -> list[str]:
    """Return one line for each port that we cannot listen on: by whom it is taken, what to do.

    target: of make, which another port would be given to.
    """
    chosen = [port.number for port in ports]
    conflicts = []
    for port in ports:
        reason = _find_reason(port)
        if reason:
            other = find_free_port(port.protocols, port.number + 1, besides=chosen)
            chosen.append(other)
            conflicts.append(
                f"Port {port.number}, for {port.purpose}, {reason}. "
                f"Stop it, or choose another port: make {target} {port.variable}={other}"
            )
    return conflicts


def _find_reason(port: Port) -> str | None:
    for protocol in port.protocols:
        try:
            _try_port(protocol, port.number)
        except PermissionError:
            return "may not be opened by this user"
        except OSError:
            return f"is taken ({protocol.upper()}) by {find_holder(protocol, port.number)}"
    return None


def _try_port(protocol: str, number: int) -> None:
    with socket.socket(socket.AF_INET, SOCKET_TYPES[protocol]) as probe:
        if protocol == "tcp":
            # A connection that has just ended is no reason: servers start over it, too.
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        probe.bind((LOOPBACK, number))


def find_free_port(
    protocols: Sequence[str] = ("tcp",), first: int = 0, besides: Sequence[int] = ()
) -> int:
    """Return a port that is free for every protocol: the next from `first`, or any where it is 0.

    Raises BadPort if there is none.
    """
    numbers: Iterator[int] = iter(range(first, 65536)) if first else _offer_ports()
    for number in numbers:
        try:
            for protocol in protocols:
                _try_port(protocol, number)
        except OSError:
            continue
        if number not in besides:
            return number
    raise BadPort(f"No port is free from {first} to 65535.")


def _offer_ports(tries: int = 100) -> Iterator[int]:
    for _ in range(tries):
        with socket.socket() as probe:
            probe.bind((LOOPBACK, 0))
            number: int = probe.getsockname()[1]
        yield number


def find_holder(protocol: str, number: int) -> Holder:
    """Return the process that listens on a port of 127.0.0.1, or UNKNOWN_HOLDER."""
    if Path("/proc/net").is_dir():
        return _find_in_proc(protocol, number)
    if shutil.which("lsof"):
        return _ask_lsof(protocol, number)
    return UNKNOWN_HOLDER


def _find_in_proc(protocol: str, number: int) -> Holder:
    wanted = {f"socket:[{inode}]" for inode in _find_inodes(protocol, number)}
    for process in Path("/proc").glob("[0-9]*"):
        try:
            links = [os.readlink(link) for link in (process / "fd").iterdir()]
        except OSError:
            continue  # it has ended, or is another user's
        if wanted.intersection(links):
            return Holder(int(process.name), _read_command(process))
    return UNKNOWN_HOLDER


def _find_inodes(protocol: str, number: int) -> set[str]:
    """Return the inodes of the sockets that hold the port.

    The columns are those of https://docs.kernel.org/networking/proc_net_tcp.html
    """
    inodes = set()
    for table in (protocol, f"{protocol}6"):
        try:
            lines = Path(f"/proc/net/{table}").read_text().splitlines()[1:]
        except OSError:
            continue  # no IPv6 here
        for columns in map(str.split, lines):
            address, _, port = columns[1].partition(":")
            if (
                int(port, 16) == number
                and columns[3] == HOLDING_STATES[protocol]
                and _covers_loopback(address)
            ):
                inodes.add(columns[9])
    return inodes


def _covers_loopback(address: str) -> bool:
    """Say whether /proc/net's hexadecimal address is 127.0.0.1 or all addresses."""
    # Words of 32 bits in the machine's own byte order; the last one holds an IPv4 address.
    last_word = struct.pack("=I", int(address[-8:], 16))
    return int(address, 16) == 0 or last_word == socket.inet_aton(LOOPBACK)


def _read_command(process: Path) -> str:
    try:
        words = (process / "cmdline").read_bytes().decode(errors="replace").split("\0")
        return _shorten(" ".join(filter(None, words)) or (process / "comm").read_text().strip())
    except OSError:
        return "ended meanwhile"


def _ask_lsof(protocol: str, number: int) -> Holder:
    """Ask lsof, where there is no /proc. Its -F output is one field a line: pPID, cCOMMAND."""
    only_listening = ["-sTCP:LISTEN"] if protocol == "tcp" else []
    answer = subprocess.run(
        ["lsof", "-nP", f"-i{protocol}:{number}", *only_listening, "-Fpc"],
        capture_output=True,
        text=True,
        check=False,
        timeout=10,
    )
    fields = {line[:1]: line[1:] for line in reversed(answer.stdout.splitlines())}
    if "p" not in fields:
        return UNKNOWN_HOLDER
    return Holder(int(fields["p"]), _shorten(fields.get("c", "unknown")))


def _shorten(command: str, length: int = 80) -> str:
    return command if len(command) <= length else command[: length - 1] + "…"
