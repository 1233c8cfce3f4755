from collections.abc import Callable
from typing import Any

import pytest
from django.test import Client

from movies import lab
from tests.conftest import Daemon, walk

from .markup import read

Segment = dict[str, Any]


@pytest.fixture
def visitor(aws: str, db: None) -> Client:
    """A browser in the lab, with AWS and SQL behind it."""
    return Client(raise_request_exception=False)


def find(documents: list[Segment], name: str) -> list[Segment]:
    """Return every subsegment of this name."""
    return [
        each
        for document in documents
        for each in walk(document)
        if each["name"] == name and each is not document
    ]


def test_show_lab(visitor: Client) -> None:
    response = visitor.get("/lab/")

    page = read(response)
    for experiment in lab.EXPERIMENTS:
        assert experiment.title in page.text
        assert f'action="/lab/{experiment.slug}/"' in response.content.decode()


def test_lab_is_off_unless_turned_on(client: Client, settings: Any) -> None:
    settings.LAB_ENABLED = False

    for url in ("/lab/", "/lab/slow/"):
        response = client.get(url)

        assert response.status_code == 404
        assert "The lab is off" in read(response).text


def test_run_experiment_unknown(client: Client) -> None:
    assert client.get("/lab/nothing/").status_code == 404


@pytest.mark.parametrize(
    ("slug", "status", "outcome"),
    [
        ("remote-404", 200, "/missing answered 404 in "),
        ("remote-timeout", 200, "/hang did not answer within 1 s"),
        ("missing-object", 200, "NoSuchKey"),
        ("throttled", 429, "ProvisionedThroughputExceededException"),
        ("failed-condition", 200, "ConditionalCheckFailedException"),
        ("slow", 200, "waited for 1.5 s"),
        ("exception", 500, "Something broke here"),
        ("many-queries", 200, "20 queries asked for one review each"),
        ("many-subsegments", 200, "100 subsegments began and ended."),
        ("stream", 200, "Part 5 of 5: DynamoDB says that the table is ACTIVE; SQL counts 0"),
    ],
)
def test_run_experiment_says_what_happened(
    visitor: Client, slug: str, status: int, outcome: str
) -> None:
    response = visitor.get(f"/lab/{slug}/")

    page = read(response)
    assert response.status_code == status
    assert outcome in page.text
    assert "This page’s trace: 1-" in page.text  # noqa: RUF001


def is_not_found(subsegment: Segment) -> bool:
    return subsegment["http"]["response"]["status"] == 404 and subsegment["error"] is True


def is_fault(subsegment: Segment) -> bool:
    return subsegment["fault"] is True and bool(subsegment["cause"]["exceptions"])


def is_throttled(subsegment: Segment) -> bool:
    return subsegment["throttle"] is True


def is_refused(subsegment: Segment) -> bool:
    return subsegment["http"]["response"]["status"] == 400 and subsegment["error"] is True


@pytest.mark.parametrize(
    ("slug", "name", "is_right"),
    [
        ("remote-404", "127.0.0.1", is_not_found),
        ("remote-timeout", "127.0.0.1", is_fault),
        ("missing-object", "s3", is_not_found),
        ("throttled", "dynamodb", is_throttled),
        ("failed-condition", "dynamodb", is_refused),
    ],
)
def test_run_experiment_makes_its_trace(
    visitor: Client, daemon: Daemon, slug: str, name: str, is_right: Callable[[Segment], bool]
) -> None:
    visitor.get(f"/lab/{slug}/")

    (subsegment,) = find(daemon.documents(1), name)
    assert is_right(subsegment)


def test_an_exception_has_its_stack(visitor: Client, daemon: Daemon) -> None:
    visitor.get("/lab/exception/")

    (segment,) = daemon.documents(1)
    assert segment["fault"] is True
    exception = segment["cause"]["exceptions"][0]
    assert exception["type"].endswith("DeliberateFailure")
    assert exception["stack"]
    assert segment["http"]["response"]["status"] == 500


@pytest.mark.parametrize(
    ("slug", "prefix", "count"),
    [("many-subsegments", "step ", lab.SUBSEGMENT_COUNT), ("slow", "wait", 1)],
)
def test_subsegments_are_all_there(
    visitor: Client, daemon: Daemon, slug: str, prefix: str, count: int
) -> None:
    visitor.get(f"/lab/{slug}/")

    names = [
        each["name"]
        for document in daemon.documents(1)
        for each in walk(document)
        if each["name"].startswith(prefix)
    ]
    assert len(names) == count


def test_queries_are_all_there(visitor: Client, daemon: Daemon) -> None:
    visitor.get("/lab/many-queries/")

    queries = [each for document in daemon.documents(1) for each in walk(document) if "sql" in each]
    assert len(queries) == lab.QUERY_COUNT


def test_a_stream_is_traced_to_its_last_byte(visitor: Client, daemon: Daemon) -> None:
    response: Any = visitor.get("/lab/stream/")
    parts = iter(response)
    next(parts)
    next(parts)
    assert daemon.documents() == []

    list(parts)
    response.close()

    calls = list(find(daemon.documents(1), "dynamodb"))
    assert len(calls) == lab.CHUNK_COUNT


@pytest.mark.usefixtures("no_sql")
def test_the_lab_without_sql(client: Client, aws: str) -> None:
    assert "no SQL database" in read(client.get("/lab/many-queries/")).text
    assert "the table is ACTIVE." in read(client.get("/lab/stream/")).text
