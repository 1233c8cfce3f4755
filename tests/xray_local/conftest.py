"""A database in a folder of its own, a console without a network, and the whole program."""

import json
import socket
import sqlite3
from collections import Counter
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path
from typing import Any

import boto3
import pytest
from django.conf import global_settings
from django.http import HttpResponse
from django.test import Client

from tests.xray_local.answers import watch
from tests.xray_local.program import AS_COMMAND, Program, run_xray
from xray_local import settings as own_settings
from xray_local.intake.arrivals import read_document
from xray_local.parts import KEY, Parts
from xray_local.store.database import open_for_writing, prepare
from xray_local.store.storage import Storage

Store = Callable[..., None]


@pytest.fixture
def database(tmp_path: Path) -> Path:
    """A database with nothing in it."""
    path = tmp_path / "xray.sqlite3"
    prepare(path)
    return path


@pytest.fixture
def connection(database: Path) -> Iterator[sqlite3.Connection]:
    connection = open_for_writing(database)
    yield connection
    connection.close()


@pytest.fixture
def storage(connection: sqlite3.Connection) -> Storage:
    return Storage(connection)


@pytest.fixture
def store(storage: Storage) -> Store:
    """A function that stores documents in one batch."""

    def store(*documents: dict[str, Any]) -> None:
        storage.save([read_document(json.dumps(each).encode()) for each in documents], Counter())

    return store


class Console:
    """Django's test client, in the settings of the local X-Ray."""

    def __init__(
        self,
        database: Path,
        send: Callable[[Iterable[bytes]], None],
        clear: Callable[[], None] = lambda: None,
    ) -> None:
        self._udp = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        self._udp.bind(("127.0.0.1", 0))
        self._environ = {KEY: Parts(database, send, self._udp, clear=clear)}
        self._client = Client(headers={"Host": "127.0.0.1:2000"})

    def get(self, path: str, **options: Any) -> Any:
        return self._client.get(path, **options, **self._environ)

    def page(self, path: str, status: int = 200) -> str:
        """Return the HTML of a page."""
        response = self.get(path)
        assert response.status_code == status, response.content
        return str(response.content.decode())

    def post(self, path: str, fields: Any, **options: Any) -> Any:
        body = fields if isinstance(fields, bytes) else json.dumps(fields)
        return self._client.post(
            path, body, content_type="application/json", **options, **self._environ
        )

    def send(self, path: str, fields: dict[str, Any], **options: Any) -> Any:
        """Send a form, as a browser does."""
        return self._client.post(path, fields, **options, **self._environ)

    def request(self, method: str, path: str, **options: Any) -> HttpResponse:
        return self._client.generic(method, path, **options, **self._environ)  # type: ignore[return-value]

    def close(self) -> None:
        self._udp.close()


@pytest.fixture
def console(database: Path, storage: Storage, store: Store, settings: Any) -> Iterator[Console]:
    """The console and the API; what they pass on is stored at once."""
    for name in (
        "ALLOWED_HOSTS",
        "MIDDLEWARE",
        "ROOT_URLCONF",
        "TEMPLATES",
        "USE_I18N",
        "DATA_UPLOAD_MAX_MEMORY_SIZE",
        "TAKES_ANY_ADDRESS",
    ):
        setattr(settings, name, getattr(own_settings, name))
    # The site takes only small files.
    settings.FILE_UPLOAD_HANDLERS = global_settings.FILE_UPLOAD_HANDLERS
    console = Console(database, lambda bodies: store(*map(json.loads, bodies)), storage.clear)
    yield console
    console.close()


@pytest.fixture(scope="session")
def shared_xray(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Program]:
    """A local X-Ray that runs for all tests that only add traces of their own."""
    with run_xray(tmp_path_factory.mktemp("xray"), command=AS_COMMAND, is_measured=True) as program:
        yield program


@pytest.fixture
def client(shared_xray: Program) -> Iterator[Any]:
    """boto3's client for X-Ray, talking to the program."""
    client = make_client(shared_xray.url)
    yield client
    client.close()


def make_client(url: str) -> Any:
    """Return boto3's client, whose every answer is checked against X-Ray's model."""
    client = boto3.client(
        "xray",
        endpoint_url=url,
        region_name="us-east-1",
        aws_access_key_id="local",
        aws_secret_access_key="local",
    )
    return watch(client)
