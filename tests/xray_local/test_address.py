"""Addresses, and ports that cannot be had."""

import socket

import pytest

from tests.processes import find_free_port
from xray_local.address import Address
from xray_local.errors import BadAddress, PortTaken


@pytest.mark.parametrize(
    ("text", "host", "port"),
    [
        ("127.0.0.1:2000", "127.0.0.1", 2000),
        ("localhost:65535", "localhost", 65535),
        ("[::1]:1", "::1", 1),
    ],
)
def test_parse(text: str, host: str, port: int) -> None:
    address = Address.parse(text)

    assert (address.host, address.port) == (host, port)
    assert str(address) == text
    assert address.url == f"http://{text}/"


@pytest.mark.parametrize(
    "text", ["", "2000", "127.0.0.1", ":2000", "a:0", "a:65536", "a:-1", "a:b", "a:²"]
)
def test_parse_bad(text: str) -> None:
    with pytest.raises(BadAddress, match=r"Expected an address like '127\.0\.0\.1:2000', got '"):
        Address.parse(text)


def test_both_ports_at_once() -> None:
    address = Address("127.0.0.1", find_free_port())

    with address.listen_udp() as udp, address.listen_tcp() as tcp:
        assert udp.getsockname() == tcp.getsockname()
        assert udp.getsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF) > 212_992


def test_ipv6() -> None:
    with Address("::1", find_free_port()).listen_tcp() as tcp:
        assert tcp.family == socket.AF_INET6


def test_tcp_port_taken() -> None:
    address = Address("127.0.0.1", find_free_port())

    with address.listen_tcp(), pytest.raises(PortTaken, match=f"TCP port {address.port} is taken"):
        address.listen_tcp()


def test_udp_port_taken() -> None:
    address = Address("127.0.0.1", find_free_port())

    with address.listen_udp(), pytest.raises(PortTaken, match=r"another port with --address"):
        address.listen_udp()


def test_address_of_another_machine() -> None:
    with pytest.raises(BadAddress, match=r"Cannot listen on 192\.0\.2\.1:2000 by UDP: .*"):
        Address("192.0.2.1", 2000).listen_udp()
