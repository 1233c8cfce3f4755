"""The tables, the bucket and the sample object: made where they are missing, and looked at."""

from __future__ import annotations

from contextlib import suppress

from django.conf import settings

from .aws import BRIEF, get_client, translate_errors
from .errors import AWSRefused, SQLUnavailable
from .movie import SAMPLE_KEY
from .reviews import has_sql

MAX_WAIT_SECONDS, POLL_SECONDS = 60, 1
SAMPLE_OBJECT = """\
# The object that /app downloads: a small text, to show an S3 call in a trace.
Description: A sample that the movies site reads from S3.
Resources:
  Screening:
    Film: The Big New Movie
    Year: 2015
    Seats: 120
"""


def create_tables() -> None:
    """Create the two tables where they are missing, and wait until both can be used.

    Where they are there, it takes no right to create any: a function's role has none.
    """
    for table, create in (
        (settings.MOVIES_TABLE, create_movies_table),
        (settings.MOVIES_TERMS_TABLE, _create_terms_table),
    ):
        if _has_table(table):
            wait_for_table(table)
        else:
            create()


def _has_table(table: str) -> bool:
    with translate_errors(f"DescribeTable {table}"):
        client = get_client("dynamodb")
        try:
            client.describe_table(TableName=table)
        except client.exceptions.ResourceNotFoundException:
            return False
    return True


def create_movies_table(max_wait_seconds: int = MAX_WAIT_SECONDS) -> bool:
    """Create the films' table and wait until it exists; False where it was there already."""
    table = settings.MOVIES_TABLE
    created = True
    with translate_errors(f"CreateTable {table}"):
        client = get_client("dynamodb")
        try:
            client.create_table(
                TableName=table,
                KeySchema=[
                    {"AttributeName": "year", "KeyType": "HASH"},
                    {"AttributeName": "title", "KeyType": "RANGE"},
                ],
                AttributeDefinitions=[
                    {"AttributeName": "year", "AttributeType": "N"},
                    {"AttributeName": "title", "AttributeType": "S"},
                ],
                ProvisionedThroughput={"ReadCapacityUnits": 5, "WriteCapacityUnits": 5},
            )
        except client.exceptions.ResourceInUseException:
            created = False
    wait_for_table(table, max_wait_seconds)
    return created


def _create_terms_table() -> None:
    table = settings.MOVIES_TERMS_TABLE
    with translate_errors(f"CreateTable {table}"):
        client = get_client("dynamodb")
        with suppress(client.exceptions.ResourceInUseException):
            client.create_table(
                TableName=table,
                KeySchema=[
                    {"AttributeName": "term", "KeyType": "HASH"},
                    {"AttributeName": "position", "KeyType": "RANGE"},
                ],
                AttributeDefinitions=[
                    {"AttributeName": "term", "AttributeType": "S"},
                    {"AttributeName": "position", "AttributeType": "S"},
                ],
                BillingMode="PAY_PER_REQUEST",
            )
    wait_for_table(table)


def wait_for_table(table: str, max_wait_seconds: int = MAX_WAIT_SECONDS) -> None:
    """Return when the table is active. Raises AWSUnreachable if it isn't in time."""
    with translate_errors(f"the wait for {table}"):
        get_client("dynamodb").get_waiter("table_exists").wait(
            TableName=table,
            WaiterConfig={"Delay": POLL_SECONDS, "MaxAttempts": max_wait_seconds // POLL_SECONDS},
        )


def create_bucket() -> None:
    """Create the posters' bucket where it is missing; where it is there, it takes no such right."""
    bucket, region = settings.POSTERS_BUCKET, settings.AWS_REGION
    if check_s3() is None:
        return
    with translate_errors(f"CreateBucket {bucket}"):
        client = get_client("s3")
        with suppress(client.exceptions.BucketAlreadyOwnedByYou):
            if region == "us-east-1":
                # The one region that S3 refuses to be told.
                client.create_bucket(Bucket=bucket)
            else:
                client.create_bucket(
                    Bucket=bucket,
                    CreateBucketConfiguration={"LocationConstraint": region},  # type: ignore[typeddict-item]
                )


def put_sample_object() -> None:
    """Put the object that /app downloads into its bucket."""
    bucket, key = settings.SAMPLE_BUCKET, settings.SAMPLE_KEY
    with translate_errors(f"PutObject {key} into {bucket}"):
        get_client("s3", settings.SAMPLE_REGION).put_object(
            Bucket=bucket, Key=key, Body=SAMPLE_OBJECT.encode(), ContentType="text/yaml"
        )


def check_dynamodb() -> AWSRefused | None:
    """Return why the tables don't answer, or None; within about two seconds."""
    try:
        with translate_errors("BatchGetItem"):
            get_client("dynamodb", patience=BRIEF).batch_get_item(
                RequestItems={
                    settings.MOVIES_TABLE: {
                        "Keys": [
                            {
                                "year": {"N": str(SAMPLE_KEY.year)},
                                "title": {"S": SAMPLE_KEY.title},
                            }
                        ]
                    },
                    settings.MOVIES_TERMS_TABLE: {
                        "Keys": [{"term": {"S": "all"}, "position": {"S": "-"}}]
                    },
                }
            )
    except AWSRefused as error:
        return error
    return None


def check_s3() -> AWSRefused | None:
    """Return why the posters' bucket doesn't answer, or None; within about two seconds."""
    try:
        with translate_errors(f"HeadBucket {settings.POSTERS_BUCKET}"):
            get_client("s3", patience=BRIEF).head_bucket(Bucket=settings.POSTERS_BUCKET)
    except AWSRefused as error:
        return error
    return None


def check_sql() -> SQLUnavailable | None:
    """Return why the SQL database doesn't answer, or None; None too where there is none."""
    if not has_sql():
        return None
    from django.db import Error, connection

    try:
        with connection.cursor() as cursor:
            cursor.execute("SELECT 1")
    except Error as error:
        return SQLUnavailable(error)
    return None
