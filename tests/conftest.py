"""What every test may ask for: the embedded AWS, and a daemon that keeps what it is sent."""

import json
import os
import socket
import time
import uuid
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from django.urls import clear_script_prefix
from hypothesis import settings as hypothesis_settings

from tests.order import sort_longest_first
from tests.processes import run_embedded_aws

# A failed `assert` shows its values in the modules beside the tests, too.
pytest.register_assert_rewrite(
    *(f"tests.{folder.name}" for folder in Path(__file__).parent.iterdir() if folder.is_dir())
)
# An example may take its time on a busy machine.
hypothesis_settings.register_profile("movies", deadline=None)
hypothesis_settings.load_profile("movies")


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Begin with the files that take longest; pytest-randomly has shuffled all by now."""
    sort_longest_first(items)


def pytest_xdist_auto_num_workers() -> int:
    """Return how many processes run tests: one more than there are cores, for tests wait a lot."""
    return (os.cpu_count() or 1) + 1


@pytest.fixture(autouse=True)
def script_prefix() -> Iterator[None]:
    """No test leaves the stage of its last event to the URLs of the next."""
    yield
    clear_script_prefix()


@pytest.fixture(scope="session")
def embedded_aws(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """The URL of a real S3 and DynamoDB emulation over HTTP, one for each test process."""
    with run_embedded_aws(tmp_path_factory.mktemp("aws")) as url:
        before = os.environ.get("AWS_ENDPOINT_URL")
        os.environ["AWS_ENDPOINT_URL"] = url
        yield url
        if before is None:
            del os.environ["AWS_ENDPOINT_URL"]
        else:
            os.environ["AWS_ENDPOINT_URL"] = before


@pytest.fixture(scope="session")
def kept_clients() -> dict[Any, Any]:
    """The clients of the embedded AWS: making them takes longer than most tests do."""
    return {}


@pytest.fixture
def aws(embedded_aws: str, kept_clients: dict[Any, Any], settings: Any) -> Iterator[str]:
    """The embedded AWS with empty tables and a bucket that only this test knows."""
    from movies import aws as movies_aws
    from movies import tables

    suffix = uuid.uuid4().hex[:12]
    settings.MOVIES_TABLE = f"Movies-{suffix}"
    settings.MOVIES_TERMS_TABLE = f"MovieTerms-{suffix}"
    settings.POSTERS_BUCKET = settings.SAMPLE_BUCKET = f"posters-{suffix}"
    settings.AWS_ENDPOINT_URL = embedded_aws
    movies_aws.forget_clients()
    movies_aws._clients.update(kept_clients)
    tables.create_tables()
    tables.create_bucket()
    yield embedded_aws
    for wanted, client in movies_aws._clients.items():
        if client.meta.endpoint_url == embedded_aws:
            kept_clients[wanted] = client
    # One that is closed connects again when it is used again.
    movies_aws.forget_clients()


class Daemon:
    """A UDP socket on loopback that stands where the X-Ray daemon would."""

    def __init__(self) -> None:
        self._socket = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        self._socket.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4 * 1024 * 1024)
        self._socket.bind(("127.0.0.1", 0))
        self.address = f"127.0.0.1:{self._socket.getsockname()[1]}"
        self.datagrams: list[bytes] = []

    def receive(self, timeout_seconds: float = 0.2) -> list[bytes]:
        """Return every datagram so far, having waited until none came for the time given."""
        self._socket.settimeout(timeout_seconds)
        while True:
            try:
                self.datagrams.append(self._socket.recv(65536))
            except TimeoutError:
                return self.datagrams

    def documents(self, count: int = 0, timeout_seconds: float = 5) -> list[dict[str, Any]]:
        """Return the documents received; wait for at least `count` of them."""
        deadline = time.monotonic() + timeout_seconds
        while len(self.receive(0.05)) < count and time.monotonic() < deadline:
            pass
        return [json.loads(datagram.split(b"\n", 1)[1]) for datagram in self.datagrams]

    def close(self) -> None:
        self._socket.close()


def walk(document: dict[str, Any]) -> Iterator[dict[str, Any]]:
    """Yield the document and every subsegment in it, parents first."""
    yield document
    for child in document.get("subsegments", ()):
        yield from walk(child)


@pytest.fixture
def daemon() -> Iterator[Daemon]:
    """A daemon that the recorder of this process sends to during the test."""
    from tracing import xray_recorder

    before = os.environ.get("AWS_XRAY_DAEMON_ADDRESS", "127.0.0.1:2000")
    stand_in = Daemon()
    os.environ["AWS_XRAY_DAEMON_ADDRESS"] = stand_in.address
    xray_recorder.emitter.set_daemon_address(stand_in.address)
    yield stand_in
    os.environ["AWS_XRAY_DAEMON_ADDRESS"] = before
    xray_recorder.emitter.set_daemon_address(before)
    stand_in.close()


@pytest.fixture
def root() -> Path:
    """The folder of the checkout."""
    return Path(__file__).resolve().parent.parent
