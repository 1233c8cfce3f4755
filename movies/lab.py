"""The lab's experiments: each makes one kind of trace, and says what it did."""

import time
from collections.abc import Callable, Iterator
from typing import Any, NamedTuple

from django.conf import settings

import tracing

from . import lab_server, remote
from .aws import ONCE, get_client, lend_client, translate_errors
from .errors import AWSRefused
from .models import Review
from .reviews import has_sql

SLOW_SECONDS = 1.5
QUERY_COUNT = 20
SUBSEGMENT_COUNT = 100
CHUNK_COUNT = 5
# Enough to be seen as waiting, without keeping a server's thread for long.
HANG_TIMEOUT_SECONDS = 1.0


class DeliberateFailure(Exception):
    """What the lab raises so that an unhandled exception can be looked at."""


class Experiment(NamedTuple):
    """One button of the lab. run returns what happened; it is None for what streams its story."""

    slug: str
    title: str
    look_for: str
    run: Callable[[], str] | None


def ask_missing_page() -> str:
    """Ask a remote server for what it doesn't have."""
    answer = remote.fetch(f"{lab_server.get_url()}/missing", settings.REMOTE_TIMEOUT_SECONDS)
    return f"{answer.url} answered {answer.status} in {answer.duration_ms:.0f} ms."


def ask_hanging_page() -> str:
    """Ask a remote server that takes the request and never answers."""
    timeout_seconds = min(settings.REMOTE_TIMEOUT_SECONDS, HANG_TIMEOUT_SECONDS)
    answer = remote.fetch(f"{lab_server.get_url()}/hang", timeout_seconds)
    return f"{answer.url} did not answer within {timeout_seconds:g} s: {answer.error}"


def get_missing_object() -> str:
    """Ask S3 for an object that isn't there."""
    bucket, key = settings.POSTERS_BUCKET, "lab/no-such-object"
    try:
        with translate_errors(f"GetObject {key}"):
            get_client("s3").get_object(Bucket=bucket, Key=key)
    except AWSRefused as exc:
        return str(exc)
    raise DeliberateFailure(f"Expected no object {key!r} in {bucket!r}, but there is one.")


def be_throttled() -> str:
    """Ask a DynamoDB that has no capacity left; the error goes on, to the page for 429."""
    with (
        lend_client("dynamodb", patience=ONCE) as client,
        translate_errors(f"GetItem on {settings.MOVIES_TABLE}"),
    ):
        client.meta.events.register("before-send.dynamodb", _lead_astray)
        client.get_item(
            TableName=settings.MOVIES_TABLE, Key={"year": {"N": "1999"}, "title": {"S": "Lab"}}
        )
    raise DeliberateFailure("Expected to be throttled, but was answered.")


def _lead_astray(request: Any, **_: object) -> None:
    """Send botocore's request to the lab's server instead of to DynamoDB."""
    request.url = lab_server.get_url() + "/"


def fail_condition() -> str:
    """Write an item on a condition that no table can meet: nothing is written."""
    item = {"year": {"N": "1"}, "title": {"S": "The lab's film that never was"}}
    try:
        with translate_errors(f"PutItem on {settings.MOVIES_TABLE}"):
            get_client("dynamodb", patience=ONCE).put_item(
                TableName=settings.MOVIES_TABLE,
                Item={**item, "version": {"N": "2"}},
                ConditionExpression="#version = :seen",
                ExpressionAttributeNames={"#version": "version"},
                ExpressionAttributeValues={":seen": {"N": "1"}},
            )
    except AWSRefused as exc:
        return str(exc)
    raise DeliberateFailure("Expected the condition to fail, but the item was written.")


def be_slow() -> str:
    """Wait, as slow code of one's own would."""
    with tracing.in_subsegment("wait") as subsegment:
        subsegment.put_annotation("seconds", SLOW_SECONDS)
        time.sleep(SLOW_SECONDS)
    return f"The view waited for {SLOW_SECONDS} s in a subsegment of its own."


def fail() -> str:
    """Raise, two calls deep, what nobody catches."""
    return _fail_deeper("The lab was asked to fail, and does.")


def _fail_deeper(reason: str) -> str:
    raise DeliberateFailure(reason)


def ask_too_often() -> str:
    """Ask SQL for twenty reviews one by one, where one query would do."""
    if not has_sql():
        return "This site has no SQL database, so there was nothing to ask."
    for number in range(1, QUERY_COUNT + 1):
        Review.objects.filter(pk=number).first()
    return f"{QUERY_COUNT} queries asked for one review each; one with IN would have done."


def make_subsegments() -> str:
    """Begin and end a hundred subsegments."""
    for number in range(1, SUBSEGMENT_COUNT + 1):
        with tracing.in_subsegment(f"step {number}"):
            pass
    return f"{SUBSEGMENT_COUNT} subsegments began and ended."


def tell_slowly() -> Iterator[str]:
    """Yield sentences one by one, with work for DynamoDB and SQL before each."""
    for number in range(1, CHUNK_COUNT + 1):
        yield f"Part {number} of {CHUNK_COUNT}: {_work()}"
        time.sleep(0.1)


def _work() -> str:
    try:
        with translate_errors(f"DescribeTable {settings.MOVIES_TABLE}"):
            table = get_client("dynamodb").describe_table(TableName=settings.MOVIES_TABLE)
        said = f"DynamoDB says that the table is {table['Table']['TableStatus']}"
    except AWSRefused as exc:
        said = str(exc)
    return f"{said}; SQL counts {Review.objects.count()} reviews." if has_sql() else f"{said}."


EXPERIMENTS = (
    Experiment(
        "remote-404",
        "A remote 404",
        "A remote subsegment with status 404 and the error flag. The page itself is fine.",
        ask_missing_page,
    ),
    Experiment(
        "remote-timeout",
        "A remote that never answers",
        "A remote subsegment as long as the timeout, with a fault and the exception.",
        ask_hanging_page,
    ),
    Experiment(
        "missing-object",
        "A missing S3 object",
        "An S3 subsegment: GetObject, bucket and key, status 404, and NoSuchKey as its cause.",
        get_missing_object,
    ),
    Experiment(
        "throttled",
        "A throttled DynamoDB call",
        "A DynamoDB subsegment with the throttle flag, and the page's own status: 429.",
        be_throttled,
    ),
    Experiment(
        "failed-condition",
        "A condition that fails",
        "A DynamoDB subsegment: PutItem with status 400 and ConditionalCheckFailedException.",
        fail_condition,
    ),
    Experiment(
        "slow",
        "A slow view",
        "One subsegment, “wait”, that takes nearly all of the time.",
        be_slow,
    ),
    Experiment(
        "exception",
        "An unhandled exception",
        "A fault on the request, with the exception, its message and its stack.",
        fail,
    ),
    Experiment(
        "many-queries",
        "Twenty small queries",
        "A staircase of twenty SQL subsegments, one after the other, where one would do.",
        ask_too_often,
    ),
    Experiment(
        "many-subsegments",
        "A hundred subsegments",
        "All hundred of them, in order, though they don't fit into one datagram.",
        make_subsegments,
    ),
    Experiment(
        "stream",
        "A page that streams",
        "DynamoDB and SQL subsegments spread over a request that ends with its last byte.",
        None,
    ),
)
