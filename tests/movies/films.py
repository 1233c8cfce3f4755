"""Films for the tests of this package, and a stand-in for an AWS that refuses."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from botocore.awsrequest import AWSResponse

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
