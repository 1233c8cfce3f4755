"""What a call of boto3 says in a trace, against a real S3 and DynamoDB over HTTP."""

import json
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, HTTPServer
from threading import Thread
from typing import Any

import boto3
import pytest
from botocore.config import Config
from botocore.exceptions import ClientError, EndpointConnectionError
from django.http import HttpResponse
from django.test import RequestFactory

from tests.conftest import Daemon
from tests.tracing.conftest import finish
from tracing import xray_recorder
from tracing.context import LambdaContext
from tracing.middleware import answer_request, begin_request

KEYS = {"aws_access_key_id": "test", "aws_secret_access_key": "test", "region_name": "us-east-1"}
ONCE = Config(retries={"total_max_attempts": 1}, connect_timeout=1, read_timeout=2)


class Refusal(BaseHTTPRequestHandler):
    """A DynamoDB that is always too busy; it keeps the headers that it got."""

    headers_seen: list[dict[str, str]]

    def do_POST(self) -> None:
        self.rfile.read(int(self.headers["Content-Length"]))
        self.headers_seen.append(dict(self.headers))
        body = json.dumps(
            {
                "__type": "com.amazonaws.dynamodb.v20120810#ProvisionedThroughputExceededException",
                "message": "The level of configured provisioned throughput was exceeded.",
            }
        ).encode()
        self.send_response(400)
        self.send_header("x-amzn-RequestId", "REQUEST1")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, format: str, *args: object) -> None:
        pass


@pytest.fixture
def busy() -> Iterator[tuple[str, list[dict[str, str]]]]:
    """The URL of a DynamoDB that throttles, and the headers of each request it got."""
    seen: list[dict[str, str]] = []
    handler = type("BusyHandler", (Refusal,), {"headers_seen": seen})
    with HTTPServer(("127.0.0.1", 0), handler) as server:
        Thread(target=server.serve_forever, daemon=True).start()
        yield f"http://127.0.0.1:{server.server_port}", seen
        server.shutdown()


def test_dynamodb(aws: str, daemon: Daemon, segment: Any, settings: Any) -> None:
    client = boto3.client("dynamodb", endpoint_url=aws, **KEYS)
    table = settings.MOVIES_TABLE
    key = {"year": {"N": "2015"}, "title": {"S": "The Big New Movie"}}

    client.put_item(TableName=table, Item=key)
    client.batch_get_item(RequestItems={table: {"Keys": [key]}})
    client.transact_write_items(TransactItems=[{"Delete": {"TableName": table, "Key": key}}])
    client.query(
        TableName=table,
        KeyConditionExpression="#y = :y",
        ExpressionAttributeNames={"#y": "year"},
        ExpressionAttributeValues={":y": {"N": "2015"}},
    )

    calls = finish(daemon)
    assert [call["aws"]["operation"] for call in calls] == [
        "PutItem",
        "BatchGetItem",
        "TransactWriteItems",
        "Query",
    ]
    for call in calls:
        assert (call["name"], call["namespace"]) == ("dynamodb", "aws")
        assert call["http"]["response"]["status"] == 200
        assert call["aws"]["table_name"] == table
        assert call["aws"]["resource_names"] == [table]
        assert call["aws"]["region"] == "us-east-1"
        assert call["aws"]["request_id"]
        assert call["aws"]["retries"] == 0
    assert calls[3]["aws"]["count"] == 0
    assert b"The Big New Movie" not in daemon.datagrams[0]


def test_s3(aws: str, daemon: Daemon, segment: Any, settings: Any) -> None:
    client = boto3.client("s3", endpoint_url=aws, **KEYS)
    client.put_object(Bucket=settings.POSTERS_BUCKET, Key="a/b.txt", Body=b"text")

    with pytest.raises(ClientError, match="NoSuchKey"):
        client.get_object(Bucket=settings.POSTERS_BUCKET, Key="missing")

    put, get = finish(daemon)
    assert (put["name"], put["aws"]["bucket_name"]) == ("s3", settings.POSTERS_BUCKET)
    assert (put["aws"]["key"], put["aws"]["resource_names"]) == (
        "a/b.txt",
        [settings.POSTERS_BUCKET],
    )
    assert get["error"] is True
    assert "fault" not in get
    assert get["http"]["response"]["status"] == 404
    assert get["cause"]["exceptions"][0]["remote"] is True


def test_a_throttled_call(
    busy: tuple[str, list[dict[str, str]]], daemon: Daemon, segment: Any
) -> None:
    url, seen = busy
    config = Config(retries={"total_max_attempts": 3, "mode": "standard"})
    client = boto3.client("dynamodb", endpoint_url=url, config=config, **KEYS)

    with pytest.raises(ClientError, match="throughput was exceeded"):
        client.describe_table(TableName="Movies")

    (call,) = finish(daemon)
    assert (call["throttle"], call["error"]) == (True, True)
    assert "fault" not in call
    assert call["aws"]["retries"] == 2
    assert call["aws"]["request_id"] == "REQUEST1"
    assert {headers["X-Amzn-Trace-Id"] for headers in seen} == {
        f"Root={segment.trace_id};Parent={call['id']};Sampled=1"
    }


@pytest.mark.parametrize("on_lambda", [False, True], ids=["server", "lambda"])
@pytest.mark.parametrize(
    "header",
    [
        "Root=1-5759e988-bd862e3fe1be46a994272793;Parent=53995c3f42cd8ad8;Sampled=0;Lineage=1:a:0",
        # Not as services write it: put together anew.
        "Root=1-5759e988-bd862e3fe1be46a994272793;Sampled=0;Parent=53995c3f42cd8ad8",
    ],
)
def test_w14_not_sampled_a_call_passes_the_header_on(
    busy: tuple[str, list[dict[str, str]]],
    header: str,
    on_lambda: bool,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    url, seen = busy
    client = boto3.client("dynamodb", endpoint_url=url, config=ONCE, **KEYS)
    request = RequestFactory().get("/", headers={"X-Amzn-Trace-Id": header})
    request.resolver_match = None
    if on_lambda:
        monkeypatch.setattr(xray_recorder, "_context", LambdaContext())
        monkeypatch.setenv("AWS_LAMBDA_FUNCTION_NAME", "shop")
        monkeypatch.setenv("_X_AMZN_TRACE_ID", header)

    entity = begin_request(request)
    with pytest.raises(ClientError, match="throughput was exceeded"):
        client.describe_table(TableName="Movies")
    answer_request(entity, request, HttpResponse())

    (headers,) = seen
    fields = headers["X-Amzn-Trace-Id"].split(";")
    assert sorted(fields) == sorted(header.split(";"))


def test_w4_a_connection_that_fails_is_a_fault(daemon: Daemon, segment: Any) -> None:
    client = boto3.client("dynamodb", endpoint_url="http://127.0.0.1:9", config=ONCE, **KEYS)

    with pytest.raises(EndpointConnectionError):
        client.list_tables()

    (call,) = finish(daemon)
    assert call["fault"] is True
    assert call["cause"]["exceptions"][0]["type"] == "EndpointConnectionError"
    assert "http" not in call


def test_what_is_put_on_a_call_while_it_lasts_is_kept(
    aws: str, daemon: Daemon, segment: Any
) -> None:
    def put(**keywords: object) -> None:
        call = xray_recorder.current_subsegment()
        call.put_annotation("attempt", 1)
        call.put_http_meta("url", aws)

    client = boto3.client("dynamodb", endpoint_url=aws, **KEYS)
    client.meta.events.register("before-send.dynamodb", put)

    client.list_tables(Limit=5)

    (call,) = finish(daemon)
    assert call["annotations"] == {"attempt": 1}
    assert call["http"]["response"] == {"status": 200}
    assert call["aws"].pop("request_id")
    assert call["aws"] == {
        "operation": "ListTables",
        "region": "us-east-1",
        "limit": 5,
        "retries": 0,
    }


def test_outside_a_trace_nothing_is_sent(
    aws: str, daemon: Daemon, caplog: pytest.LogCaptureFixture
) -> None:
    boto3.client("dynamodb", endpoint_url=aws, **KEYS).list_tables()

    assert daemon.receive() == []
    assert caplog.records == []
