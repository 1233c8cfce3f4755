"""What becomes of a span, rule by rule."""

from typing import Any

import pytest

from tests.xray_local.made import NOON, make_id
from tests.xray_local.otlp.made import NOON_NS, call, convert, make_span
from xray_local.errors import DocumentRefused
from xray_local.otlp.segments import make_documents
from xray_local.otlp.spans import Event, Kind, Link, StatusCode

SHOP = {"service.name": "shop"}
PARENT = "00f067aa0ba902b7"
AWS = {"rpc.system": "aws-api", "rpc.service": "S3", "rpc.method": "PutObject"}


def serve(**fields: Any) -> dict[str, Any]:
    """Return the document of a SERVER span of the shop."""
    return convert(**{"kind": Kind.SERVER, "resource": SHOP} | fields)


def test_ids_and_times() -> None:
    document = convert(
        trace_id="8781bababe12771e99b9f9c84185675f",
        id=PARENT,
        start_ns=NOON_NS,
        end_ns=NOON_NS + 250_000_000,
    )

    # The first digits are no time: nobody looks at that.
    assert document["trace_id"] == "1-8781baba-be12771e99b9f9c84185675f"
    assert document["id"] == PARENT
    assert document["start_time"] == NOON
    assert document["end_time"] == NOON + 0.25
    assert "in_progress" not in document


def test_end_before_the_start() -> None:
    assert convert(end_ns=0)["end_time"] == NOON


@pytest.mark.parametrize(
    ("fields", "code"),
    [
        ({"trace_id": ""}, "InvalidTraceId"),
        ({"trace_id": "0" * 32}, "InvalidTraceId"),
        ({"trace_id": "a" * 30}, "InvalidTraceId"),
        ({"id": ""}, "InvalidId"),
        ({"id": "0" * 16}, "InvalidId"),
        ({"id": "g" * 16}, "InvalidId"),
        ({"parent_id": "ab"}, "InvalidId"),
    ],
)
def test_ids_that_are_none(fields: dict[str, str], code: str) -> None:
    with pytest.raises(DocumentRefused, match=r"Expected (32|16) hexadecimal digits") as raised:
        convert(**fields)
    assert raised.value.code == code


@pytest.mark.parametrize(
    ("kind", "parent_id", "is_segment"),
    [
        *((kind, "", True) for kind in Kind),
        (Kind.INTERNAL, "0" * 16, True),
        (Kind.SERVER, PARENT, True),
        (Kind.UNSPECIFIED, PARENT, False),
        (Kind.INTERNAL, PARENT, False),
        (Kind.CLIENT, PARENT, False),
        (Kind.PRODUCER, PARENT, False),
        (Kind.CONSUMER, PARENT, False),
    ],
)
def test_segment_or_subsegment(kind: Kind, parent_id: str, is_segment: bool) -> None:
    document = convert(kind=kind, parent_id=parent_id)

    assert document.get("type") == (None if is_segment else "subsegment")
    assert document.get("parent_id") == (PARENT if parent_id == PARENT else None)


@pytest.mark.parametrize(
    ("kind", "attributes", "namespace"),
    [
        (Kind.CLIENT, {}, "remote"),
        (Kind.INTERNAL, {}, None),
        (Kind.PRODUCER, {}, None),
        (Kind.CONSUMER, {}, None),
        (Kind.PRODUCER, {"aws.remote.service": "AWS::SQS"}, "remote"),
        (Kind.CLIENT, AWS, "aws"),
        (Kind.CLIENT, {"rpc.system.name": "aws-api"}, "aws"),
        (Kind.INTERNAL, {"aws.service": "S3"}, "aws"),
        (Kind.CLIENT, {"rpc.system": "grpc"}, "remote"),
    ],
)
def test_namespace(kind: Kind, attributes: dict[str, Any], namespace: str | None) -> None:
    document = convert(kind=kind, parent_id=PARENT, attributes=attributes)

    assert document.get("namespace") == namespace


def test_segments_have_no_namespace() -> None:
    assert "namespace" not in convert(kind=Kind.CLIENT)


DATABASE = {"db.name": "items", "db.connection_string": "jdbc:mysql://db.local:3306"}


@pytest.mark.parametrize(
    ("kind", "attributes", "name"),
    [
        (Kind.SERVER, {}, "shop"),
        (Kind.SERVER, {"aws.local.service": "local", "peer.service": "peer"}, "local"),
        (Kind.SERVER, {"http.host": "a.example"}, "shop"),
        (Kind.INTERNAL, {"aws.local.service": "local"}, "work"),
        (Kind.INTERNAL, {"aws.span.kind": "LOCAL_ROOT", "aws.local.service": "local"}, "local"),
        (Kind.INTERNAL, {}, "work"),
        (Kind.CLIENT, {"aws.remote.service": "far", "peer.service": "peer"}, "far"),
        (Kind.CLIENT, AWS | {"aws.remote.service": "AWS.SDK.S3"}, "S3"),
        (Kind.CLIENT, AWS | {"aws.remote.service": "AWS::S3"}, "S3"),
        (Kind.CLIENT, {"aws.remote.service": "AWS::S3"}, "AWS::S3"),
        (Kind.CLIENT, {"peer.service": "peer", "aws.service": "S3"}, "peer"),
        (Kind.CLIENT, {"service.peer.name": "peer"}, "peer"),
        (Kind.CLIENT, {"aws.service": "S3", "db.name": "items"}, "S3"),
        (Kind.CLIENT, DATABASE | {"rpc.service": "r"}, "items@db.local"),
        (Kind.CLIENT, {"db.namespace": "items", "server.address": "db.local"}, "items@db.local"),
        (Kind.CLIENT, {"db.name": "items"}, "items"),
        (Kind.CLIENT, AWS, "S3"),
        (Kind.CLIENT, {"rpc.system.name": "aws-api", "rpc.method": "S3/PutObject"}, "S3"),
        (Kind.CLIENT, {"rpc.service": "r", "http.host": "a.example"}, "r"),
        (Kind.CLIENT, {"http.host": "a.example", "net.peer.name": "b.example"}, "a.example"),
        (Kind.CLIENT, {"net.peer.name": "b.example"}, "b.example"),
        (Kind.CLIENT, {"server.address": "c.example", "server.port": 80}, "c.example"),
        (Kind.CLIENT, {"http.url": "https://d.example:8443/path"}, "d.example"),
        (Kind.CLIENT, {"http.url": "http://[nonsense"}, "work"),
        (Kind.CLIENT, {"db.system": "sqlite"}, "sqlite"),
        (Kind.INTERNAL, {"http.url": "https://d.example/", "db.system": "sqlite"}, "work"),
        (Kind.CLIENT, {}, "work"),
    ],
)
def test_name(kind: Kind, attributes: dict[str, Any], name: str) -> None:
    parent_id = "" if kind == Kind.SERVER else PARENT

    assert convert(kind=kind, parent_id=parent_id, attributes=attributes, resource=SHOP)[
        "name"
    ] == (name)


@pytest.mark.parametrize(
    ("name", "cleaned"),
    [
        ("GET /items/{id}", "GET /items/id"),
        ("ünïcode ٣ _.:/%&#=+-@", "ünïcode ٣ _.:/%&#=+-@"),
        ("<script>", "script"),
        ("line\nfeed", "linefeed"),
        ("a" * 300, "a" * 200),
        ("{}", "span"),
        ("", "span"),
    ],
)
def test_name_of_characters_that_segments_may_have(name: str, cleaned: str) -> None:
    document = convert(name=name)

    assert document["name"] == cleaned
    assert document["metadata"]["otel"].get("name", "") == name


@pytest.mark.parametrize(
    ("status", "code", "flags"),
    [
        (None, StatusCode.UNSET, set()),
        (None, StatusCode.OK, set()),
        (None, StatusCode.ERROR, {"fault"}),
        (200, StatusCode.UNSET, set()),
        (302, StatusCode.ERROR, {"fault"}),
        (404, StatusCode.UNSET, {"error"}),
        (404, StatusCode.ERROR, {"error"}),
        (429, StatusCode.UNSET, {"error", "throttle"}),
        (500, StatusCode.UNSET, {"fault"}),
        (599, StatusCode.OK, {"fault"}),
        (600, StatusCode.UNSET, set()),
        ("503", StatusCode.UNSET, {"fault"}),
    ],
)
@pytest.mark.parametrize("name", ["http.status_code", "http.response.status_code"])
def test_flags(status: Any, code: StatusCode, flags: set[str], name: str) -> None:
    document = serve(attributes={name: status}, status_code=code)

    assert {flag for flag in ("error", "fault", "throttle") if document.get(flag)} == flags


def test_http_of_a_server_by_the_old_conventions() -> None:
    document = serve(
        attributes={
            "http.method": "POST",
            "http.scheme": "https",
            "net.host.name": "shop.local",
            "net.host.port": 8443,
            "http.target": "/items?page=2",
            "http.user_agent": "curl/8",
            "http.client_ip": "192.0.2.1",
            "net.peer.ip": "10.0.0.1",
            "http.status_code": 201,
            "http.response_content_length": 17,
        }
    )

    assert document["http"] == {
        "request": {
            "url": "https://shop.local:8443/items?page=2",
            "method": "POST",
            "user_agent": "curl/8",
            "client_ip": "192.0.2.1",
            "x_forwarded_for": True,
        },
        "response": {"status": 201, "content_length": 17},
    }
    assert set(document["annotations"]) == {"otel.resource.service.name"}


def test_http_of_a_server_by_the_stable_conventions() -> None:
    document = serve(
        attributes={
            "http.request.method": "GET",
            "url.scheme": "https",
            "server.address": "shop.local",
            "server.port": 443,
            "url.path": "/items",
            "url.query": "page=2",
            "user_agent.original": "curl/8",
            "client.address": "192.0.2.1",
            "network.peer.address": "192.0.2.1",
            "http.response.status_code": 200,
            "http.response.body.size": 17,
            "http.route": "/items",
        }
    )

    assert document["http"] == {
        "request": {
            "url": "https://shop.local/items?page=2",
            "method": "GET",
            "user_agent": "curl/8",
            "client_ip": "192.0.2.1",
        },
        "response": {"status": 200, "content_length": 17},
    }
    assert document["annotations"]["http.route"] == "/items"


@pytest.mark.parametrize(
    ("attributes", "url"),
    [
        ({"http.url": "http://a.example/b?c"}, "http://a.example/b?c"),
        ({"url.full": "http://a.example/b?c"}, "http://a.example/b?c"),
        ({"http.host": "a.example:81", "http.target": "/b"}, "http://a.example:81/b"),
        ({"net.peer.name": "a.example", "net.peer.port": 80}, "http://a.example/"),
        ({"server.address": "a.example", "server.port": 443}, "https://a.example/"),
        ({"server.address": "::1", "server.port": 81}, "http://[::1]:81/"),
        ({"server.address": "[::1]:81", "server.port": 81}, "http://[::1]:81/"),
        ({"server.address": "a.example:81", "server.port": 81}, "http://a.example:81/"),
        ({"http.target": "/b"}, None),
    ],
)
def test_url_of_a_client(attributes: dict[str, Any], url: str | None) -> None:
    document = call(attributes={"http.method": "GET"} | attributes)

    assert document["http"]["request"] == {"method": "GET"} | ({"url": url} if url else {})


def test_length_of_an_answer_in_an_event() -> None:
    received = {"message.type": "RECEIVED", "messaging.message_payload_size_bytes": 9}

    document = call(attributes={"http.method": "GET"}, events=[Event("message", 1, received)])

    assert document["http"]["response"] == {"content_length": 9}


def test_length_of_an_answer_in_a_header() -> None:
    header = {"http.method": "GET", "http.response.header.content-length": ["12"]}

    assert call(attributes=header)["http"]["response"] == {"content_length": 12}


def test_no_http() -> None:
    document = call(attributes={"server.address": "a.example", "rpc.system": "grpc"})

    assert "http" not in document
    assert document["annotations"] == {"server.address": "a.example", "rpc.system": "grpc"}


def test_sql_by_the_old_conventions() -> None:
    document = call(
        name="SELECT items",
        attributes={
            "db.system": "postgresql",
            "db.connection_string": "postgresql://db.local:5432",
            "db.name": "items",
            "db.statement": "SELECT * FROM items WHERE id = 7",
            "db.user": "ada",
        },
    )

    assert document["sql"] == {
        "url": "SELECT items",
        "connection_string": "postgresql://db.local:5432/items",
        "database_type": "postgresql",
        "user": "ada",
        "sanitized_query": "SELECT * FROM items WHERE id = 7",
    }
    assert document["namespace"] == "remote"
    assert "annotations" not in document


def test_sql_by_the_stable_conventions() -> None:
    document = call(
        attributes={
            "db.system.name": "microsoft.sql_server",
            "db.namespace": "items",
            "db.query.text": "SELECT ?",
            "server.address": "db.local",
            "server.port": 1433,
            "db.collection.name": "items",
        }
    )

    assert document["name"] == "items@db.local"
    assert document["sql"] == {
        "url": "work",
        "connection_string": "db.local:1433/items",
        "database_type": "microsoft.sql_server",
        "sanitized_query": "SELECT ?",
    }
    assert document["annotations"] == {"db.collection.name": "items"}


def test_sql_of_a_database_without_an_address() -> None:
    sql = call(attributes={"db.system": "sqlite", "db.name": "file.db"})["sql"]

    assert sql["connection_string"] == "localhost/file.db"


def test_no_sql() -> None:
    """A statement of another database is an annotation, and says nothing as SQL."""
    document = call(attributes={"db.system": "redis", "db.statement": "GET a"})

    assert "sql" not in document
    assert document["annotations"] == {"db.system": "redis", "db.statement": "GET a"}


def test_aws_call() -> None:
    document = call(
        attributes=AWS
        | {
            "aws.region": "eu-west-1",
            "aws.account_id": "123456789012",
            "aws.request_id": "R1",
            "aws.s3.bucket": "posters",
            "http.status_code": 200,
        },
        resource={"cloud.account.id": "999", "cloud.provider": "aws", "cloud.platform": "aws_ec2"},
    )

    assert document["aws"] == {
        "operation": "PutObject",
        "region": "eu-west-1",
        "account_id": "123456789012",
        "request_id": "R1",
        "bucket_name": "posters",
    }
    assert "origin" not in document


@pytest.mark.parametrize(
    ("attributes", "aws"),
    [
        ({"aws.operation": "Get", "rpc.method": "Put"}, {"operation": "Get"}),
        ({"rpc.method": "S3/PutObject"}, {"operation": "PutObject"}),
        ({"aws.requestId": "R"}, {"request_id": "R"}),
        ({"aws.queue_url": "http://q/1/a"}, {"queue_url": "http://q/1/a"}),
        ({"aws.queue.url": "http://q/1/a"}, {"queue_url": "http://q/1/a"}),
        ({"messaging.url": "u", "aws.queue.url": "v"}, {"queue_url": "u"}),
        ({"aws.table_name": "t"}, {"table_name": "t"}),
        ({"aws.table.name": "t"}, {"table_name": "t"}),
        ({"aws.dynamodb.table_names": ["t"]}, {"table_name": "t"}),
        ({"aws.dynamodb.table_names": ["t", "u"]}, {"table_names": ["t", "u"]}),
        ({"aws.dynamodb.table_names": "t"}, {"table_name": "t"}),
        ({"aws.sns.topic.arn": "arn:t"}, {"topic_arn": "arn:t"}),
    ],
)
def test_aws_members(attributes: dict[str, Any], aws: dict[str, Any]) -> None:
    document = call(attributes={"rpc.system": "aws-api"} | attributes)

    assert document["aws"] == aws


def test_operation_of_a_call_that_is_not_of_aws() -> None:
    document = call(attributes={"rpc.system": "grpc", "rpc.method": "Get"})

    assert "aws" not in document
    assert document["annotations"]["rpc.method"] == "Get"


@pytest.mark.parametrize(
    ("resource", "origin"),
    [
        ({"cloud.platform": "aws_ec2"}, "AWS::EC2::Instance"),
        ({"cloud.platform": "aws_ecs"}, "AWS::ECS::Container"),
        ({"cloud.platform": "aws_ecs", "aws.ecs.launchtype": "EC2"}, "AWS::ECS::EC2"),
        ({"cloud.platform": "aws_ecs", "aws.ecs.launchtype": "fargate"}, "AWS::ECS::Fargate"),
        ({"cloud.platform": "aws_eks"}, "AWS::EKS::Container"),
        ({"cloud.platform": "aws_elastic_beanstalk"}, "AWS::ElasticBeanstalk::Environment"),
        ({"cloud.platform": "aws_app_runner"}, "AWS::AppRunner::Service"),
        ({"cloud.platform": "aws_lambda"}, "AWS::Lambda::Function"),
        ({"cloud.platform": "aws_ec2", "cloud.provider": "gcp"}, None),
        ({"cloud.platform": "azure_vm"}, None),
        ({}, None),
    ],
)
def test_origin(resource: dict[str, Any], origin: str | None) -> None:
    assert serve(resource=resource).get("origin") == origin


def test_aws_of_a_segment() -> None:
    document = serve(
        resource={
            "cloud.provider": "aws",
            "cloud.platform": "aws_ec2",
            "cloud.account.id": "123456789012",
            "cloud.availability_zone": "eu-west-1a",
            "host.id": "i-1",
            "host.type": "t3.micro",
            "host.image.id": "ami-1",
            "telemetry.sdk.name": "opentelemetry",
            "telemetry.sdk.language": "java",
            "telemetry.sdk.version": "1.2",
            "telemetry.distro.version": "2.0",
            "aws.log.group.names": ["a", "b"],
            "service.version": "7",
            "cloud.resource_id": "arn:aws:ec2:x",
        }
    )

    assert document["aws"] == {
        "account_id": "123456789012",
        "cloudwatch_logs": [{"log_group": "a"}, {"log_group": "b"}],
        "ec2": {
            "instance_id": "i-1",
            "availability_zone": "eu-west-1a",
            "instance_size": "t3.micro",
            "ami_id": "ami-1",
        },
        "xray": {
            "sdk": "opentelemetry for java",
            "sdk_version": "1.2",
            "auto_instrumentation": True,
        },
    }
    assert document["service"] == {"version": "7"}
    assert document["resource_arn"] == "arn:aws:ec2:x"


@pytest.mark.parametrize(
    ("resource", "block"),
    [
        (
            {"cloud.platform": "aws_ecs", "container.name": "c", "aws.ecs.task.arn": "arn:t"},
            {"ecs": {"container": "c", "task_arn": "arn:t"}},
        ),
        (
            {"k8s.cluster.name": "k", "k8s.pod.name": "p"},
            {"eks": {"cluster_name": "k", "pod": "p"}},
        ),
        (
            {
                "cloud.platform": "aws_elastic_beanstalk",
                "service.namespace": "env",
                "service.version": "v",
                "service.instance.id": "32",
            },
            {
                "elastic_beanstalk": {
                    "environment_name": "env",
                    "version_label": "v",
                    "deployment_id": 32,
                }
            },
        ),
        (
            {"aws.log.group.arns": "arn:aws:logs:r:1:log-group:g:*&arn:short"},
            {
                "cloudwatch_logs": [
                    {"log_group": "g", "arn": "arn:aws:logs:r:1:log-group:g:*"},
                    {"log_group": "arn:short", "arn": "arn:short"},
                ]
            },
        ),
        ({"cloud.provider": "gcp", "k8s.cluster.name": "k", "cloud.account.id": "p"}, None),
    ],
)
def test_aws_of_other_places(resource: dict[str, Any], block: dict[str, Any] | None) -> None:
    assert serve(resource=resource).get("aws") == block


@pytest.mark.parametrize("name", ["enduser.id", "user.id"])
def test_user(name: str) -> None:
    document = serve(attributes={name: "ada"})

    assert document["user"] == "ada"
    assert name not in document["annotations"]


def test_annotations_and_metadata() -> None:
    """Every scalar that has no place of its own is an annotation, all else is metadata."""
    long = "a" * 1001
    document = call(
        attributes={
            "text": "t",
            "number": 7,
            "half": 0.5,
            "yes": True,
            "a.b-c d": "key",
            "list": ["a", 1],
            "map": {"a": [None]},
            "none": None,
            "long": long,
            "nan": float("nan"),
            "": "no key",
        },
        resource=SHOP,
    )

    assert document["annotations"] == {
        "text": "t",
        "number": 7,
        "half": 0.5,
        "yes": True,
        "a.b_c_d": "key",
    }
    assert document["metadata"]["default"] == {
        "list": ["a", 1],
        "map": {"a": [None]},
        "long": long,
        "nan": "nan",
        "": "no key",
    }


def test_resource_goes_with_segments() -> None:
    resource = {"service.name": "shop", "process.command_args": ["a", "b"]}

    segment, subsegment = serve(resource=resource), call(resource=resource)

    assert segment["annotations"] == {"otel.resource.service.name": "shop"}
    assert segment["metadata"]["default"] == {"otel.resource.process.command_args": ["a", "b"]}
    assert "annotations" not in subsegment
    assert "default" not in subsegment["metadata"]


def test_annotations_that_are_asked_for() -> None:
    document = call(
        attributes={
            "http.method": "GET",
            "list": [1],
            "aws.xray.annotations": ["http.method", "list", "nothing", 7],
        }
    )

    assert document["http"]["request"]["method"] == "GET"
    assert document["annotations"] == {"http.method": "GET"}
    assert document["metadata"]["default"] == {"list": [1]}


LONG = ("long", "deep")


def test_metadata_with_a_namespace() -> None:
    document = call(
        attributes={
            "aws.xray.metadata.mine": '{"a": {"b": 1}}',
            "aws.xray.metadata.default": '{"c": 2}',
            "aws.xray.metadata.bad": "not JSON",
            "aws.xray.metadata.list": "[1]",
            "aws.xray.metadata.nan": '{"a": NaN}',
            "aws.xray.metadata.long": '{"a": %s}' % ("9" * 5000),
            "aws.xray.metadata.deep": '{"a": %s}' % ("[" * 5000),
            "aws.xray.metadata.": '{"e": 4}',
            "d": [3],
        }
    )

    assert document["metadata"]["mine"] == {"a": {"b": 1}}
    texts = [document["metadata"]["default"].pop(f"aws.xray.metadata.{key}") for key in LONG]
    assert all(len(text) > 5000 for text in texts)
    assert document["metadata"]["default"] == {"c": 2, "d": [3], "e": 4}
    assert document["annotations"] == {
        "aws.xray.metadata.bad": "not JSON",
        "aws.xray.metadata.list": "[1]",
        "aws.xray.metadata.nan": '{"a": NaN}',
    }


def test_what_has_no_place_in_a_segment() -> None:
    document = convert(
        name="GET /items/{id}",
        kind=Kind.SERVER,
        scope="my.library",
        events=[Event("hello", NOON_NS, {"n": 1, "f": float("inf")}), Event("bare", NOON_NS)],
    )

    assert document["metadata"]["otel"] == {
        "name": "GET /items/{id}",
        "kind": "SERVER",
        "scope": "my.library",
        "events": [
            {"name": "hello", "time": NOON, "attributes": {"n": 1, "f": "inf"}},
            {"name": "bare", "time": NOON},
        ],
    }


def test_kind_of_the_future() -> None:
    assert convert(kind=9)["metadata"]["otel"]["kind"] == "9"


def test_links() -> None:
    document = convert(
        links=[
            Link("1" * 32, "2" * 16, {"a": 1, "b": [True]}),
            Link("1" * 32, "3" * 16),
            Link("", "3" * 16),
            Link("1" * 32, "0" * 16),
        ]
    )

    trace_id = "1-11111111-" + "1" * 24
    assert document["links"] == [
        {"trace_id": trace_id, "id": "2" * 16, "attributes": {"a": 1, "b": [True]}},
        {"trace_id": trace_id, "id": "3" * 16},
    ]


STACK = """Traceback (most recent call last):
  File "a.py", line 1, in first
    second()
KeyError: 'x'

The above exception was the direct cause of the following exception:

Traceback (most recent call last):
  File "a.py", line 2, in outer
    inner()
  File "b.py", line 3, in inner
    raise ValueError("on purpose")
ValueError: on purpose
"""


def make_exception(**attributes: str) -> Event:
    return Event(
        "exception", NOON_NS, {f"exception.{key}": text for key, text in attributes.items()}
    )


def test_exceptions() -> None:
    span = make_span(
        events=[
            make_exception(type="ValueError", message="on purpose", stacktrace=STACK),
            make_exception(type="OSError", message="another"),
        ],
        resource={"telemetry.sdk.language": "python"},
        status_code=StatusCode.ERROR,
        status_message="not needed",
    )

    (document,) = make_documents(span)
    (again,) = make_documents(span)

    first, cause, other = document["cause"]["exceptions"]
    assert first == {
        "id": first["id"],
        "type": "ValueError",
        "message": "on purpose",
        "remote": False,
        "cause": cause["id"],
        "stack": [
            {"path": "b.py", "line": 3, "label": "inner"},
            {"path": "a.py", "line": 2, "label": "outer"},
        ],
    }
    assert (cause["type"], cause["message"]) == ("KeyError", "'x'")
    assert cause["stack"] == [{"path": "a.py", "line": 1, "label": "first"}]
    assert (other["type"], other["message"]) == ("OSError", "another")
    assert len({first["id"], cause["id"], other["id"]}) == 3
    # Exporters send again when they had no answer: that is the same document.
    assert again == document


@pytest.mark.parametrize(("kind", "is_remote"), [(Kind.CLIENT, True), (Kind.PRODUCER, True)])
def test_exceptions_of_calls_are_remote(kind: Kind, is_remote: bool) -> None:
    document = call(kind=kind, events=[make_exception(type="Timeout")])

    assert document["cause"]["exceptions"][0]["remote"] is is_remote


def test_stack_that_nobody_can_read_stays() -> None:
    event = make_exception(type="Oops", stacktrace="somewhere")

    document = convert(events=[event], resource={"telemetry.sdk.language": "erlang"})

    assert document["cause"]["exceptions"][0]["type"] == "Oops"
    assert "stack" not in document["cause"]["exceptions"][0]
    (kept,) = document["metadata"]["otel"]["events"]
    assert kept["attributes"]["exception.stacktrace"] == "somewhere"


def test_cause_from_the_status() -> None:
    document = convert(
        status_code=StatusCode.ERROR,
        status_message="it broke",
        attributes={"error.type": "timeout"},
    )

    (exception,) = document["cause"]["exceptions"]
    assert (exception["type"], exception["message"]) == ("timeout", "it broke")
    assert len(exception["id"]) == 16


def test_no_cause() -> None:
    assert "cause" not in convert(status_code=StatusCode.ERROR)
    assert "cause" not in convert(status_code=StatusCode.OK, status_message="fine")


LOCAL_ROOT = {
    "aws.span.kind": "LOCAL_ROOT",
    "aws.local.service": "worker",
    "aws.remote.service": "AWS::S3",
    "aws.remote.operation": "PutObject",
    "http.url": "http://s3.local/a",
    "plain": 1,
}


def test_call_that_nothing_of_its_service_is_above() -> None:
    span = make_span(
        kind=Kind.CLIENT,
        parent_id=PARENT,
        attributes=LOCAL_ROOT | AWS,
        links=[Link("1" * 32, "2" * 16)],
        resource={"service.name": "other"},
    )

    call_document, segment = make_documents(span)

    assert (segment["name"], call_document["name"]) == ("worker", "S3")
    assert segment["parent_id"] == PARENT
    assert call_document["parent_id"] == segment["id"] != span.id
    assert call_document["id"] == span.id
    assert call_document["type"] == "subsegment"
    assert call_document["namespace"] == "aws"
    assert call_document["aws"] == {"operation": "PutObject"}
    assert not {"type", "namespace", "http", "aws", "links"} & segment.keys()
    assert "links" in call_document
    assert "aws.remote.service" not in segment["annotations"]
    assert segment["annotations"]["plain"] == call_document["annotations"]["plain"] == 1
    assert make_documents(span) == [call_document, segment]


def test_message_that_nothing_of_its_service_is_above() -> None:
    call_document, segment = make_documents(
        make_span(
            kind=Kind.CONSUMER,
            parent_id=PARENT,
            attributes={"aws.span.kind": "LOCAL_ROOT"},
            links=[Link("1" * 32, "2" * 16)],
            resource={"service.name": "worker"},
        )
    )

    assert segment["name"] == "worker"
    assert "links" in segment
    assert "links" not in call_document
    assert call_document["namespace"] == "remote"


@pytest.mark.parametrize("kind", [Kind.SERVER, Kind.INTERNAL])
def test_local_root_that_calls_nobody(kind: Kind) -> None:
    document = convert(kind=kind, parent_id=PARENT, attributes=LOCAL_ROOT)

    assert document["name"] == "worker"
    assert not {"type", "namespace"} & document.keys()


def test_span_that_is_local_but_not_a_root() -> None:
    document = call(attributes={"aws.span.kind": "CLIENT", "aws.local.service": "worker"})

    assert document["type"] == "subsegment"


def test_link_of_ids_in_hand() -> None:
    """A span that continues others links to them; ids of such are what traces have."""
    trace_id = make_id() * 2
    linked = convert(trace_id=trace_id)

    link = convert(links=[Link(trace_id, linked["id"])])["links"][0]

    assert link == {"trace_id": linked["trace_id"], "id": linked["id"]}
