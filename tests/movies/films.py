"""Films for the tests of this package, and a stand-in for an AWS that refuses."""

import socket
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

from botocore.awsrequest import AWSResponse
from botocore.exceptions import ReadTimeoutError

from movies import aws
from movies.fields import MovieFields


def make_fields(title: str = "The Matrix", year: int = 1999, **others: Any) -> MovieFields:
    """Return the fields of a film, as they come out of the validation."""
    return MovieFields(year=year, title=title, **others)


@contextmanager
def listening() -> Iterator[list[tuple[str, dict[str, Any]]]]:
    """Yield what is asked of DynamoDB meanwhile: each operation with its parameters."""
    client = aws.get_client("dynamodb")
    asked: list[tuple[str, dict[str, Any]]] = []

    def note(params: dict[str, Any], model: Any, **_: Any) -> None:
        asked.append((model.name, params))

    client.meta.events.register("before-parameter-build.dynamodb", note)
    try:
        yield asked
    finally:
        client.meta.events.unregister("before-parameter-build.dynamodb", note)


class _Body:
    def __init__(self, content: bytes) -> None:
        self._content = content

    def stream(self) -> Iterator[bytes]:
        yield self._content


@contextmanager
def hanging(operation: str, patience: aws.Patience) -> Iterator[threading.Event]:
    """Send the calls of an operation to somebody who never answers; yield an event set by them."""
    client = aws.get_client("dynamodb", patience=patience)
    event = f"before-send.dynamodb.{operation}"
    was_asked = threading.Event()
    with socket.create_server(("127.0.0.1", 0)) as silent:

        def divert(request: Any, **_: Any) -> None:
            request.url = f"http://127.0.0.1:{silent.getsockname()[1]}/"
            was_asked.set()

        client.meta.events.register(event, divert)
        try:
            yield was_asked
        finally:
            client.meta.events.unregister(event, divert)


@contextmanager
def losing_answers(operation: str, patience: aws.Patience) -> Iterator[None]:
    """Have DynamoDB do what an operation asks, and lose every answer to it."""
    client = aws.get_client("dynamodb", patience=patience)
    event = f"before-send.dynamodb.{operation}"

    def send_and_lose(request: Any, **_: Any) -> None:
        client._endpoint.http_session.send(request)
        raise ReadTimeoutError(endpoint_url=request.url)

    client.meta.events.register(event, send_and_lose)
    try:
        yield
    finally:
        client.meta.events.unregister(event, send_and_lose)


@contextmanager
def holding_back(operation: str, patience: aws.Patience) -> Iterator[Callable[[], None]]:
    """Have DynamoDB not answer an operation's calls; yield what makes it do them after all."""
    client = aws.get_client("dynamodb", patience=patience)
    event = f"before-send.dynamodb.{operation}"
    held: list[Any] = []

    def hold(request: Any, **_: Any) -> None:
        held.append(request)
        raise ReadTimeoutError(endpoint_url=request.url)

    def release() -> None:
        for request in held:
            assert client._endpoint.http_session.send(request).status_code == 200

    client.meta.events.register(event, hold)
    try:
        yield release
    finally:
        client.meta.events.unregister(event, hold)


@contextmanager
def breaking(operation: str, patience: aws.Patience = aws.USUAL) -> Iterator[None]:
    """Have DynamoDB do what an operation asks, and answer every time that it is broken."""
    client = aws.get_client("dynamodb", patience=patience)
    event = f"before-send.dynamodb.{operation}"

    def send_and_break(request: Any, **_: Any) -> AWSResponse:
        client._endpoint.http_session.send(request)
        return AWSResponse(request.url, 500, {}, _Body(b'{"__type": "InternalServerError"}'))

    client.meta.events.register(event, send_and_break)
    try:
        yield
    finally:
        client.meta.events.unregister(event, send_and_break)


@contextmanager
def refusing(
    operation: str,
    body: str,
    *,
    times: int = 1,
    status: int = 400,
    patience: aws.Patience = aws.USUAL,
) -> Iterator[list[int]]:
    """Have DynamoDB answer this JSON to the next calls of an operation; yield the calls so far.

    The answer is put in where botocore would send the request, so its retries are the real ones.
    """
    client = aws.get_client("dynamodb", patience=patience)
    event = f"before-send.dynamodb.{operation}"
    calls: list[int] = []

    def answer(**_: Any) -> AWSResponse | None:
        calls.append(1)
        if len(calls) > times:
            return None
        return AWSResponse("http://refused", status, {}, _Body(body.encode()))

    client.meta.events.register(event, answer)
    try:
        yield calls
    finally:
        client.meta.events.unregister(event, answer)
