"""The only maker of boto3 clients, on first use, and the translator of their errors."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any, Literal, NamedTuple, overload

from django.conf import settings

from .errors import AWSRefused, AWSUnreachable, Throttled

if TYPE_CHECKING:
    from mypy_boto3_dynamodb import DynamoDBClient
    from mypy_boto3_s3 import S3Client

THROTTLING_CODES = frozenset(
    {
        "LimitExceededException",
        "ProvisionedThroughputExceeded",
        "ProvisionedThroughputExceededException",
        "RequestLimitExceeded",
        "SlowDown",
        "ThrottledException",
        "Throttling",
        "ThrottlingError",
        "ThrottlingException",
        "TooManyRequestsException",
        "TransactionInProgressException",
    }
)


class Patience(NamedTuple):
    """How long a client waits for AWS, and how often it asks."""

    connect_timeout_seconds: float
    read_timeout_seconds: float
    attempts: int


# DynamoDB answers in milliseconds, so what takes seconds isn't coming: two attempts and the pause
# between them end within 5 s, long before API Gateway gives up (29 s), or a visitor.
USUAL = Patience(1, 2, 2)
# For what AWS must not do twice: after a lost answer, nobody knows whether it was done. All the
# time of two attempts for the one, so that less is lost.
ONCE = Patience(1, 4, 1)
# For pictures of up to 2 MB. Connecting's timeout bounds sending too, all of it, and on a slow line
# 2 MB take seconds; S3 itself may take one to store them.
UPLOAD = Patience(4, 4, 2)
# For health checks, which are asked again in a few seconds anyway.
BRIEF = Patience(1, 1, 1)

_clients: dict[tuple[str, str, Patience], Any] = {}
_lock = threading.Lock()


@overload
def get_client(
    service: Literal["dynamodb"], region: str | None = None, *, patience: Patience = USUAL
) -> DynamoDBClient: ...
@overload
def get_client(
    service: Literal["s3"], region: str | None = None, *, patience: Patience = USUAL
) -> S3Client: ...
def get_client(service: str, region: str | None = None, *, patience: Patience = USUAL) -> Any:
    """Return the client of a service in a region, made once; AWS_REGION unless told otherwise."""
    wanted = (service, region or settings.AWS_REGION, patience)
    client = _clients.get(wanted)
    if client is None:
        with _lock:
            client = _clients.get(wanted)
            if client is None:
                client = _clients[wanted] = _make_client(*wanted)
    return client


def forget_clients() -> None:
    """Close every client, so that the next is made from the settings as they are then."""
    with _lock:
        while _clients:
            _clients.popitem()[1].close()


def forget_credentials() -> None:
    """Close every client, so that the next finds out anew who we are."""
    import boto3

    forget_clients()
    boto3.DEFAULT_SESSION = None


@contextmanager
def lend_client(service: Literal["dynamodb"], *, patience: Patience) -> Iterator[DynamoDBClient]:
    """Yield a client that nobody else has or will have, so that it may be given hooks."""
    client = _make_client(service, settings.AWS_REGION, patience)
    try:
        yield client
    finally:
        client.close()


def _make_client(service: str, region: str, patience: Patience) -> Any:
    import boto3
    from botocore.config import Config

    endpoint = settings.AWS_ENDPOINT_URL
    options: dict[str, Any] = {}
    if service == "s3":
        # An emulation has one host name for all buckets. On AWS, only "virtual" presigns for the
        # region's own host: the global one redirects, and then the signature is wrong.
        style = "path" if endpoint else "virtual"
        options = {"signature_version": "s3v4", "s3": {"addressing_style": style}}
    config = Config(
        connect_timeout=patience.connect_timeout_seconds,
        read_timeout=patience.read_timeout_seconds,
        retries={"mode": "standard", "total_max_attempts": patience.attempts},
        # As many as threads that a server may run at once.
        max_pool_connections=50,
        **options,
    )
    return boto3.client(service, region_name=region, endpoint_url=endpoint, config=config)


@contextmanager
def translate_errors(operation: str) -> Iterator[None]:
    """Turn what boto3 raises into our errors, as a decorator or around a block.

    operation: what was tried and on what, as in "GetItem on Movies".
    Raises Throttled, AWSUnreachable or AWSRefused, with boto3's error as the cause.
    """
    from boto3.exceptions import Boto3Error
    from botocore.exceptions import BotoCoreError, ClientError

    try:
        yield
    except ClientError as error:
        raise _translate(operation, error.response) from error
    except (BotoCoreError, Boto3Error) as error:
        raise AWSUnreachable(operation, type(error).__name__, str(error)) from error


def _translate(operation: str, response: Any) -> AWSRefused:
    code = str(response["Error"].get("Code", "Unknown"))
    message = str(response["Error"].get("Message", ""))
    reasons = [str(reason.get("Code")) for reason in response.get("CancellationReasons", ())]
    is_throttled = THROTTLING_CODES.intersection((code, *reasons))
    return (Throttled if is_throttled else AWSRefused)(operation, code, message, reasons)
