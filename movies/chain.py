"""The whole chain in one request, as a sample of everything in a trace.

A remote URL, an S3 object, DynamoDB, a response: each in a subsegment of its own, closed whatever
happens in it. The subsegments are begun here as the SDK's documentation teaches it: by hand, and by
a decorator.
"""

import tempfile
import time
from collections.abc import Callable
from typing import Any, NamedTuple

from django.conf import settings

from tracing import capture, record_failure, xray_recorder

from .aws import get_client, translate_errors
from .errors import AWSRefused, MoviesError, StepFailed
from .items import to_attribute, to_key
from .movie import SAMPLE_KEY, SAMPLE_PLOT
from .remote import fetch
from .tables import create_movies_table, wait_for_table

SAMPLE_INFO = {
    "plot": SAMPLE_PLOT,
    "rating": 7,
}
# Of the time that API Gateway gives a request, 29 s.
WAIT_FOR_TABLE_SECONDS = 15
SAMPLE_MAX_BYTES = 1024 * 1024
CHUNK_BYTES = 64 * 1024


class Step(NamedTuple):
    """One step of the chain: what it did, in one sentence, and how long that took."""

    name: str
    is_ok: bool
    did: str
    duration_ms: float


def run_chain() -> list[Step]:
    """Run the steps remote, s3, dynamodb and response; return them in order.

    A remote that doesn't answer fails its own step only. Raises StepFailed if AWS refuses one, with
    the steps until then.
    """
    steps: list[Step] = []
    for name, run in (
        ("remote", _call_remote),
        ("s3", _read_sample),
        ("dynamodb", _write_and_read_film),
    ):
        steps.append(_time(name, run, steps))
    steps.append(_time("response", lambda: _respond(steps), steps))
    return steps


class _RemoteFailed(MoviesError):
    """What is recorded on the subsegment of a remote that failed."""


def _time(name: str, run: Callable[[], tuple[bool, str]], before: list[Step]) -> Step:
    started = time.monotonic()

    def make_step(is_ok: bool, did: str) -> Step:
        return Step(name, is_ok, did, round((time.monotonic() - started) * 1000, 3))

    try:
        return make_step(*run())
    except AWSRefused as error:
        steps = [*before, make_step(False, str(error))]
        raise StepFailed(name, error.aws_code, error.aws_message, steps) from error


def _call_remote() -> tuple[bool, str]:
    subsegment = xray_recorder.begin_subsegment("remote")
    try:
        answer = fetch(settings.REMOTE_URL_SECOND, settings.REMOTE_TIMEOUT_SECONDS)
        if answer.status is not None:
            _annotate(subsegment, "status", answer.status)
        if answer.error is None:
            return answer.is_ok, f"{answer.url} answered {answer.status}."
        record_failure(subsegment, _RemoteFailed(answer.error))
        return False, f"{answer.url} failed: {answer.error}"
    finally:
        _end(subsegment)


@capture("s3")
def _read_sample() -> tuple[bool, str]:
    bucket, key = settings.SAMPLE_BUCKET, settings.SAMPLE_KEY
    size_bytes = 0
    # Not download_file: it works in threads of its own, which the trace does not reach.
    with translate_errors(f"GetObject {key} from {bucket}"), tempfile.TemporaryFile() as copy:
        answer = get_client("s3", settings.SAMPLE_REGION).get_object(Bucket=bucket, Key=key)
        with answer["Body"] as body:
            while size_bytes < SAMPLE_MAX_BYTES and (chunk := body.read(CHUNK_BYTES)):
                size_bytes += copy.write(chunk)
    _annotate(xray_recorder.current_subsegment(), "bytes", size_bytes)
    return True, f"Downloaded {size_bytes} bytes of {key} from {bucket}."


def _write_and_read_film() -> tuple[bool, str]:
    subsegment = xray_recorder.begin_subsegment("dynamodb")
    try:
        table = settings.MOVIES_TABLE
        _annotate(subsegment, "table", table)
        is_new = _ensure_table(table)
        put_sample(table)
        is_found = _find_sample(table)
        _annotate(subsegment, "item_found", is_found)
        found = f"{'found' if is_found else 'did not find'} it again"
        return is_found, (
            f"{'Created' if is_new else 'Found'} the table {table}, "
            f"put {SAMPLE_KEY.title!r} ({SAMPLE_KEY.year}) into it and {found}."
        )
    except Exception as error:
        record_failure(subsegment, error)
        raise
    finally:
        _end(subsegment)


def _ensure_table(table: str) -> bool:
    """Create the films' table where it is missing and wait for it; return whether it was."""
    with translate_errors(f"DescribeTable {table}"):
        client = get_client("dynamodb")
        try:
            status = client.describe_table(TableName=table)["Table"]["TableStatus"]
        except client.exceptions.ResourceNotFoundException:
            return create_movies_table(WAIT_FOR_TABLE_SECONDS)
    if status == "CREATING":
        wait_for_table(table, WAIT_FOR_TABLE_SECONDS)
    return False


def put_sample(table: str) -> None:
    """Put the sample film into the table, whatever stands there."""
    with translate_errors(f"PutItem into {table}"):
        get_client("dynamodb").put_item(
            TableName=table, Item={**to_key(SAMPLE_KEY), "info": to_attribute(SAMPLE_INFO)}
        )


def _find_sample(table: str) -> bool:
    with translate_errors(f"GetItem on {table}"):
        answer = get_client("dynamodb").get_item(
            TableName=table, Key=to_key(SAMPLE_KEY), ConsistentRead=True
        )
    return "Item" in answer


def _respond(steps: list[Step]) -> tuple[bool, str]:
    subsegment = xray_recorder.begin_subsegment("response")
    try:
        failed = [step.name for step in steps if not step.is_ok]
        _annotate(subsegment, "failed_steps", len(failed))
        if failed:
            return True, f"The chain ran; failed: {', '.join(failed)}."
        return True, "The chain ran from end to end."
    finally:
        _end(subsegment)


def _annotate(subsegment: Any, key: str, value: str | int | bool) -> None:
    # Outside a trace there is no subsegment.
    if subsegment is not None:
        subsegment.put_annotation(key, value)


def _end(subsegment: Any) -> None:
    if subsegment is not None:
        xray_recorder.end_subsegment()
