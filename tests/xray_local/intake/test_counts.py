"""What the kernel tells of a socket."""

import socket
from collections.abc import Iterator
from pathlib import Path

import pytest

from xray_local.intake import counts
from xray_local.intake.counts import (
    count_kernel_drops,
    enlarge_buffer,
    explain_small_buffer,
    read_buffer_bytes,
)


@pytest.fixture
def udp() -> Iterator[socket.socket]:
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as udp:
        udp.bind(("127.0.0.1", 0))
        yield udp


def test_count_kernel_drops(udp: socket.socket) -> None:
    udp.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
    assert count_kernel_drops(udp) == 0

    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as sender:
        for _ in range(100):
            sender.sendto(b"x" * 1000, udp.getsockname())

    assert 50 < (count_kernel_drops(udp) or 0) < 100


def test_count_kernel_drops_where_nobody_counts(
    udp: socket.socket, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(counts, "TABLES", (tmp_path / "none",))

    assert count_kernel_drops(udp) is None


def test_read_buffer_bytes(udp: socket.socket) -> None:
    udp.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 100_000)

    assert read_buffer_bytes(udp) == 100_000


def test_enlarge_buffer(udp: socket.socket) -> None:
    before = read_buffer_bytes(udp)

    enlarge_buffer(udp)

    rmem_max = int(Path("/proc/sys/net/core/rmem_max").read_text())
    assert read_buffer_bytes(udp) >= min(rmem_max, counts.BUFFER_BYTES) >= before


def test_explain_small_buffer(udp: socket.socket) -> None:
    udp.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 100_000)

    explanation = explain_small_buffer(udp)

    assert explanation is not None
    assert "100000 bytes" in explanation
    assert explanation.endswith("sudo sysctl -w net.core.rmem_max=4194304")


def test_explain_a_buffer_that_is_large_enough(
    udp: socket.socket, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(counts, "BUFFER_BYTES", read_buffer_bytes(udp))

    assert explain_small_buffer(udp) is None
