"""Where to listen: one address, the same port by UDP and by TCP."""

import errno
import socket
from dataclasses import dataclass

from .errors import BadAddress, PortTaken
from .intake.counts import enlarge_buffer

DEFAULT = "127.0.0.1:2000"
# Where OpenTelemetry's SDKs send spans by HTTP unless they are told otherwise.
OTLP_DEFAULT = "127.0.0.1:4318"


@dataclass(frozen=True, slots=True)
class Address:
    """A host and a port, as in "127.0.0.1:2000" or "[::1]:2000"."""

    host: str
    port: int

    @classmethod
    def parse(cls, text: str) -> "Address":
        """Read "host:port". Raises BadAddress."""
        host, _, port = text.rpartition(":")
        host = host.removeprefix("[").removesuffix("]")
        if not host or not port.isascii() or not port.isdigit() or not 0 < int(port) < 65536:
            raise BadAddress(f"Expected an address like '{DEFAULT}', got {text!r}.")
        return cls(host, int(port))

    @property
    def family(self) -> socket.AddressFamily:
        """The address family that the host is written in."""
        return socket.AF_INET6 if ":" in self.host else socket.AF_INET

    @property
    def url(self) -> str:
        """The URL of the console and of the API."""
        return f"http://{self}/"

    def __str__(self) -> str:
        return f"[{self.host}]:{self.port}" if ":" in self.host else f"{self.host}:{self.port}"

    def listen_udp(self) -> socket.socket:
        """Return a bound UDP socket with a large buffer. Raises PortTaken, BadAddress."""
        udp = socket.socket(self.family, socket.SOCK_DGRAM)
        enlarge_buffer(udp)
        return self._bind(udp, "UDP", "--address")

    def listen_tcp(self, option: str = "--address") -> socket.socket:
        """Return a listening TCP socket. Raises PortTaken, BadAddress, which name the option."""
        tcp = socket.socket(self.family, socket.SOCK_STREAM)
        # A port whose last connections still linger may be used again at once.
        tcp.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        self._bind(tcp, "TCP", option).listen(128)
        return tcp

    def _bind(self, bound: socket.socket, protocol: str, option: str) -> socket.socket:
        try:
            bound.bind((self.host, self.port))
        except OSError as error:
            bound.close()
            if error.errno == errno.EADDRINUSE:
                raise PortTaken(
                    f"Cannot listen on {self}: {protocol} port {self.port} is taken by another "
                    f"program. Stop it, or choose another port with {option} HOST:PORT."
                ) from error
            raise BadAddress(
                f"Cannot listen on {self} by {protocol}: {error.strerror or error}. "
                f"Expected an address of this machine, like '{DEFAULT}', after {option}."
            ) from error
        return bound
