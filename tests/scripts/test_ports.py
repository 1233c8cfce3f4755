"""Ports: which are chosen, and who is named as the holder of one that is taken."""

import shutil
import socket
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from subprocess import PIPE, Popen

import pytest

from scripts import ports
from scripts.ports import BadPort, Port, find_conflicts, find_free_port, find_holder, read_ports


@contextmanager
def hold_elsewhere(family: str, kind: str, address: str) -> Iterator[tuple[int, int]]:
    """Have another process listen on a free port; yield its process id and the port."""
    code = (
        "import socket;"
        f"s = socket.socket(socket.{family}, socket.{kind}); s.bind(({address!r}, 0));"
        f"{'s.listen();' if kind == 'SOCK_STREAM' else ''}"
        "print(s.getsockname()[1], flush=True); input()"
    )
    with Popen([sys.executable, "-c", code], stdin=PIPE, stdout=PIPE) as process:
        assert process.stdout
        yield process.pid, int(process.stdout.readline())
        process.communicate(b"\n")


def test_read_ports_default() -> None:
    assert [port.number for port in read_ports({})] == [8000, 2000, 4566, 4318]


def test_read_ports_chosen() -> None:
    chosen = read_ports({"SITE_PORT": "8001", "XRAY_PORT": "2001", "AWS_PORT": ""})

    assert [port.number for port in chosen] == [8001, 2001, 4566, 4318]


@pytest.mark.parametrize("text", ["0", "65536", "-1", "eight", "8000.5", "٣", "8 000"])
def test_read_ports_bad_number(text: str) -> None:
    with pytest.raises(BadPort, match=r"SITE_PORT is .*; expected a port number from 1 to 65535\."):
        read_ports({"SITE_PORT": text})


def test_read_ports_same_twice() -> None:
    with pytest.raises(BadPort, match="SITE_PORT and AWS_PORT are both 4566"):
        read_ports({"SITE_PORT": "4566"})


def test_find_conflicts_none() -> None:
    free = Port(find_free_port(("tcp", "udp")), "the local X-Ray", "XRAY_PORT", ("tcp", "udp"))

    assert find_conflicts([free]) == []


@pytest.mark.parametrize(
    ("family", "address"),
    [
        ("AF_INET", "127.0.0.1"),
        ("AF_INET", ""),
        ("AF_INET6", "::"),
        ("AF_INET6", "::ffff:127.0.0.1"),
    ],
)
@pytest.mark.parametrize("kind", ["SOCK_STREAM", "SOCK_DGRAM"])
def test_find_conflicts_names_the_holder(family: str, kind: str, address: str) -> None:
    protocol = {"SOCK_STREAM": "tcp", "SOCK_DGRAM": "udp"}[kind]
    with hold_elsewhere(family, kind, address) as (pid, number):
        [line] = find_conflicts([Port(number, "the site", "SITE_PORT", (protocol,))])

    holder = f"process {pid} ({sys.executable}"
    assert line.startswith(
        f"Port {number}, for the site, is taken ({protocol.upper()}) by {holder}"
    )
    assert "\n" not in line
    suggested = int(line.rpartition("=")[2])
    assert suggested > number
    assert line.endswith(f"choose another port: make run SITE_PORT={suggested}")


def test_find_conflicts_suggests_each_port_once() -> None:
    with socket.socket() as first, socket.socket() as second:
        for taken in (first, second):
            taken.bind(("127.0.0.1", 0))
            taken.listen()
        wanted = [
            Port(taken.getsockname()[1], "the site", variable)
            for taken, variable in ((first, "SITE_PORT"), (second, "AWS_PORT"))
        ]
        lines = find_conflicts(wanted)

    suggested = {line.rpartition("=")[2] for line in lines}
    assert len(suggested) == 2
    assert suggested.isdisjoint(str(port.number) for port in wanted)


def test_find_free_port_besides() -> None:
    number = find_free_port()

    assert find_free_port(first=number, besides=[number]) > number


def test_find_free_port_none_left() -> None:
    with socket.socket() as last:
        try:
            last.bind(("127.0.0.1", 65535))
        except OSError:
            pass  # somebody else has it, which is as good
        else:
            last.listen()
        with pytest.raises(BadPort, match="No port is free from 65535 to 65535"):
            find_free_port(first=65535)


def test_find_holder_nobody() -> None:
    assert find_holder("tcp", find_free_port()) == ports.UNKNOWN_HOLDER


def test_find_holder_other_address_does_not_count() -> None:
    with hold_elsewhere("AF_INET", "SOCK_STREAM", "127.0.0.2") as (_, number):
        assert find_holder("tcp", number) == ports.UNKNOWN_HOLDER


@pytest.mark.skipif(not shutil.which("lsof"), reason="needs lsof: apt install lsof")
@pytest.mark.parametrize("kind", ["SOCK_STREAM", "SOCK_DGRAM"])
def test_find_holder_by_lsof(kind: str) -> None:
    """Where there is no /proc, on macOS, lsof knows."""
    protocol = {"SOCK_STREAM": "tcp", "SOCK_DGRAM": "udp"}[kind]
    with hold_elsewhere("AF_INET", kind, "127.0.0.1") as (pid, number):
        assert ports._ask_lsof(protocol, number).pid == pid


@pytest.mark.skipif(not shutil.which("lsof"), reason="needs lsof: apt install lsof")
def test_find_holder_by_lsof_nobody() -> None:
    assert ports._ask_lsof("tcp", find_free_port()) == ports.UNKNOWN_HOLDER
