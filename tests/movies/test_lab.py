from typing import Any

import pytest

from movies import catalogue, edits, lab
from movies.aws import get_client
from movies.errors import Throttled
from movies.fields import MovieFields


def test_experiments_have_names_of_their_own() -> None:
    slugs = [experiment.slug for experiment in lab.EXPERIMENTS]

    assert len(set(slugs)) == len(slugs) == 10


def test_be_throttled(aws: str) -> None:
    with pytest.raises(Throttled, match="ProvisionedThroughputExceededException"):
        lab.be_throttled()


@pytest.mark.django_db
def test_be_throttled_alone(aws: str) -> None:
    """Whatever the site asks DynamoDB afterwards, it asks DynamoDB, and not the lab."""
    with pytest.raises(Throttled):
        lab.be_throttled()

    movie = catalogue.add_movie(MovieFields(1999, "The Matrix"))
    moved = edits.change_movie(movie.key, MovieFields(2000, "Matrix"), version=movie.version)
    assert catalogue.count_vote(moved.key, 9).votes == 1
    edits.delete_movie(moved.key, version=moved.version)


def test_fail_condition_writes_nothing(aws: str, settings: Any) -> None:
    assert "ConditionalCheckFailedException" in lab.fail_condition()

    client = get_client("dynamodb")
    assert client.scan(TableName=settings.MOVIES_TABLE)["Count"] == 0


def test_get_missing_object_that_is_there(aws: str, settings: Any) -> None:
    get_client("s3").put_object(Bucket=settings.POSTERS_BUCKET, Key="lab/no-such-object")

    with pytest.raises(lab.DeliberateFailure, match="Expected no object"):
        lab.get_missing_object()


def test_fail() -> None:
    with pytest.raises(lab.DeliberateFailure, match="The lab was asked to fail"):
        lab.fail()


@pytest.mark.usefixtures("no_aws")
def test_be_without_aws() -> None:
    assert "AWS did not answer GetObject" in lab.get_missing_object()
    assert "AWS did not answer PutItem" in lab.fail_condition()


@pytest.fixture
def no_aws(settings: Any) -> Any:
    """AWS at an address where nobody answers."""
    from movies import aws as movies_aws

    settings.AWS_ENDPOINT_URL = "http://127.0.0.1:9"
    movies_aws.forget_clients()
    yield
    movies_aws.forget_clients()


@pytest.mark.django_db
@pytest.mark.usefixtures("no_aws")
def test_tell_slowly_without_aws() -> None:
    sentences = list(lab.tell_slowly())

    assert len(sentences) == lab.CHUNK_COUNT
    assert "AWS did not answer DescribeTable" in sentences[0]
