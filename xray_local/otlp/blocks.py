"""The blocks of a segment, from the attributes that have a place of their own there.

Each `take_` function takes what it uses out of the attributes it is given; what is left becomes
annotations and metadata. Names are those of the semantic conventions, the old ones and the stable
ones: https://opentelemetry.io/docs/specs/semconv/registry/attributes/
"""

import re
from collections.abc import Callable, Mapping
from typing import Any
from urllib.parse import urlsplit

from .spans import Attributes, Span, Value

Block = dict[str, Any]

METHOD = ("http.request.method", "http.method")
STATUS = ("http.response.status_code", "http.status_code")
URL = ("url.full", "http.url")
USER_AGENT = ("user_agent.original", "http.user_agent")
CLIENT_IP = ("client.address", "http.client_ip")
PEER_IP = ("network.peer.address", "net.sock.peer.addr", "net.peer.ip")
LENGTH = ("http.response.body.size", "http.response.size", "http.response_content_length")
SCHEME = ("url.scheme", "http.scheme")
TARGET = ("http.target",)
# What names the other side to its client, and this side to itself.
REMOTE_HOST = ("http.host", "server.address", "net.peer.name", "net.sock.peer.name", *PEER_IP)
REMOTE_PORT = ("server.port", "net.peer.port")
OWN_HOST = ("http.host", "server.address", "http.server_name", "net.host.name")
OWN_PORT = ("server.port", "net.host.port")
HOST_WITH_PORT = re.compile(r"(?:[^:]*|\[[^]]*\]):[0-9]+")
DEFAULT_PORTS = {"http": "80", "https": "443"}

DATABASE = ("db.system.name", "db.system")
DATABASE_NAME = ("db.namespace", "db.name")
STATEMENT = ("db.query.text", "db.statement")
# db.system by its old names, then db.system.name where it has another one.
SQL_SYSTEMS = frozenset(
    (
        *("db2", "derby", "hive", "mariadb", "mssql", "mysql", "oracle", "postgresql", "sqlite"),
        *("teradata", "other_sql", "ibm.db2", "microsoft.sql_server", "oracle.db", "sap.hana"),
        *("hanadb", "h2database", "hsqldb", "firebirdsql", "clickhouse", "cockroachdb"),
        *("redshift", "aws.redshift", "trino", "gcp.spanner", "spanner"),
    )
)

# The aws block of a call, by the attributes that fill each of its members.
CALL_MEMBERS = {
    "operation": ("aws.operation", "rpc.method"),
    "account_id": ("aws.account_id",),
    "region": ("aws.region", "cloud.region"),
    "request_id": ("aws.request_id", "aws.requestId"),
    "queue_url": ("messaging.url", "aws.sqs.queue.url", "aws.queue_url", "aws.queue.url"),
    "bucket_name": ("aws.s3.bucket", "aws.bucket.name"),
    "topic_arn": ("aws.sns.topic.arn",),
    "function_name": ("aws.lambda.function.name", "faas.invoked_name"),
    "stream_name": ("aws.kinesis.stream.name", "aws.kinesis.stream_name"),
    "state_machine_arn": (
        "aws.step_functions.state_machine.arn",
        "aws.stepfunctions.state_machine.arn",
    ),
    "secret_id": ("aws.secretsmanager.secret.arn",),
}
TABLES = ("aws.dynamodb.table_names", "aws.table_name", "aws.table.name")

ORIGINS = {
    "aws_ec2": "AWS::EC2::Instance",
    "aws_eks": "AWS::EKS::Container",
    "aws_elastic_beanstalk": "AWS::ElasticBeanstalk::Environment",
    "aws_app_runner": "AWS::AppRunner::Service",
    # Doubtful: the collector gives none, as on Lambda X-Ray itself makes the function's segment.
    "aws_lambda": "AWS::Lambda::Function",
}
ECS_ORIGINS = {"ec2": "AWS::ECS::EC2", "fargate": "AWS::ECS::Fargate"}


def as_written(value: Value) -> str:
    """Return a scalar as a text; an empty one for anything else."""
    if isinstance(value, bool):
        return "true" if value else "false"
    return str(value) if isinstance(value, str | int | float) else ""


def find(attributes: Mapping[str, Value], *names: str) -> str:
    """Return the first of the attributes that is a text or a number and not empty, as a text."""
    for name in names:
        value = attributes.get(name)
        if value is not None:
            text = as_written(value)
            if text:
                return text
    return ""


def find_integer(attributes: Mapping[str, Value], *names: str) -> int | None:
    """Return the first of the attributes that is an integer, or the text of one."""
    for name in names:
        value = attributes.get(name)
        text = as_written(value[0] if isinstance(value, list) and value else value)
        if text.isascii() and text.isdigit() and len(text) < 16:
            return int(text)
    return None


def take(attributes: Attributes, *names: str) -> str:
    """Take all of them out; return the first that is there."""
    text = find(attributes, *names)
    for name in names:
        attributes.pop(name, None)
    return text


def without_nothing(block: Block) -> Block:
    """Return the block less the members that are None, empty texts and empty blocks."""
    return {key: value for key, value in block.items() if value not in (None, "", {}, [])}


def find_status(span: Span) -> int | None:
    """Return the HTTP status of the span."""
    return find_integer(span.attributes, *STATUS)


def take_http(span: Span, rest: Attributes) -> Block:
    """Return the http block; empty if the span has nothing to do with HTTP."""
    if not any(find(rest, *names) for names in (METHOD, STATUS, URL, TARGET, USER_AGENT)):
        return {}
    client_ip = find(rest, *CLIENT_IP) if span.is_server else ""
    peer_ip = find(rest, *PEER_IP) if span.is_server else ""
    request = {
        "url": _take_own_url(rest) if span.is_server else _take_remote_url(rest),
        "method": take(rest, *METHOD),
        "user_agent": take(rest, *USER_AGENT),
        "client_ip": client_ip or peer_ip,
        # Somebody between them has told the client's address.
        "x_forwarded_for": True if client_ip and client_ip != peer_ip else None,
    }
    if span.is_server:
        take(rest, *CLIENT_IP, *PEER_IP)
    response = {"status": find_status(span), "content_length": _find_length(span)}
    take(rest, *STATUS, *LENGTH)
    return without_nothing(
        {"request": without_nothing(request), "response": without_nothing(response)}
    )


def _take_own_url(rest: Attributes) -> str:
    """Return the URL that a server was asked for."""
    return _take_url(rest, OWN_HOST, OWN_PORT)


def _take_remote_url(rest: Attributes) -> str:
    """Return the URL that a client has asked for."""
    return _take_url(rest, REMOTE_HOST, REMOTE_PORT)


def _take_url(rest: Attributes, hosts: tuple[str, ...], ports: tuple[str, ...]) -> str:
    """Return the URL as it is, or put together of its parts; "" if not even a host is known."""
    whole = take(rest, *URL)
    host = find(rest, *hosts)
    if not whole and not host:
        return ""
    # Some write the port into the host, too.
    port = "" if HOST_WITH_PORT.fullmatch(host) else find(rest, *ports)
    scheme = take(rest, *SCHEME) or ("https" if port == "443" else "http")
    take(rest, *hosts, *ports)
    target = take(rest, *TARGET)
    path, query = take(rest, "url.path"), take(rest, "url.query")
    if whole:
        return whole
    if host.count(":") > 1 and not host.startswith("["):
        host = f"[{host}]"
    place = f"{host}:{port}" if port and port != DEFAULT_PORTS.get(scheme) else host
    target = target or (f"{path or '/'}?{query}" if query else path or "/")
    return f"{scheme}://{place}{target}"


def _find_length(span: Span) -> int | None:
    """Return the bytes of the answer's body; instrumentations say it in three ways."""
    length = find_integer(span.attributes, *LENGTH, "http.response.header.content-length")
    if length is not None:
        return length
    for told in (span.attributes, *(event.attributes for event in span.events)):
        if told.get("message.type") == "RECEIVED":
            return find_integer(told, "messaging.message_payload_size_bytes")
    return None


def find_host(attributes: Mapping[str, Value]) -> str:
    """Return the host of the URL that was asked for, without port; "" if there is none."""
    try:
        return urlsplit(find(attributes, *URL)).hostname or ""
    except ValueError:
        return ""


def find_database_host(attributes: Mapping[str, Value]) -> str:
    """Return the host of a database, from its connection string or its address."""
    url = find(attributes, "db.connection_string").removeprefix("jdbc:")
    try:
        host = urlsplit(url).hostname
    except ValueError:
        host = None
    return host or find(attributes, "server.address", "net.peer.name")


def take_sql(span: Span, rest: Attributes) -> Block:
    """Return the sql block; empty if the span asked no SQL database.

    The statement stays as the client sent it: whoever wrote it has to leave secrets out.
    """
    system = find(rest, *DATABASE)
    if system not in SQL_SYSTEMS:
        return {}
    connection = take(rest, "db.connection_string")
    if not connection:
        host, port = find(rest, "server.address", "net.peer.name"), find(rest, *REMOTE_PORT)
        take(rest, "server.address", "net.peer.name", *REMOTE_PORT)
        connection = (f"{host}:{port}" if port else host) or "localhost"
    take(rest, *DATABASE)
    return without_nothing(
        {
            "url": span.name,
            "connection_string": f"{connection}/{take(rest, *DATABASE_NAME)}",
            "database_type": system,
            "user": take(rest, "db.user"),
            "sanitized_query": take(rest, *STATEMENT),
        }
    )


def take_call(rest: Attributes) -> Block:
    """Return the aws block of a call of an AWS service."""
    operation = find(rest, *CALL_MEMBERS["operation"])
    block: Block = {name: take(rest, *names) for name, names in CALL_MEMBERS.items()}
    # Newer conventions write "S3/PutObject".
    block["operation"] = operation.rpartition("/")[2]
    for name in TABLES:
        value = rest.pop(name, None)
        tables = [as_written(each) for each in (value if isinstance(value, list) else [value])]
        tables = [table for table in tables if table]
        if len(tables) == 1:
            block.setdefault("table_name", tables[0])
        elif tables:
            block.setdefault("table_names", tables)
    return without_nothing(block)


def make_environment(resource: Attributes) -> Block:
    """Return the aws block of a segment: where it ran, and what traced it."""
    language, sdk = find(resource, "telemetry.sdk.language"), find(resource, "telemetry.sdk.name")
    automatic = find(resource, "telemetry.distro.version", "telemetry.auto.version")
    tracer = without_nothing(
        {
            "sdk": f"{sdk} for {language}" if sdk and language else sdk,
            "sdk_version": find(resource, "telemetry.sdk.version"),
            "auto_instrumentation": True if automatic else None,
        }
    )
    if find(resource, "cloud.provider") not in ("", "aws"):
        return {"xray": tracer} if tracer else {}
    platform = find(resource, "cloud.platform")
    blocks: list[tuple[str, bool, Callable[[Attributes], Block]]] = [
        ("ec2", platform == "aws_ec2", _make_ec2),
        ("ecs", platform == "aws_ecs", _make_ecs),
        ("eks", platform == "aws_eks" or "k8s.cluster.name" in resource, _make_eks),
        ("elastic_beanstalk", platform == "aws_elastic_beanstalk", _make_beanstalk),
    ]
    return without_nothing(
        {
            "account_id": find(resource, "cloud.account.id"),
            "cloudwatch_logs": _make_log_groups(resource),
            "xray": tracer,
            **{name: make(resource) for name, is_here, make in blocks if is_here},
        }
    )


def _make_ec2(resource: Attributes) -> Block:
    return _fill(
        resource,
        instance_id="host.id",
        availability_zone="cloud.availability_zone",
        instance_size="host.type",
        ami_id="host.image.id",
    )


def _make_ecs(resource: Attributes) -> Block:
    return _fill(
        resource,
        container="container.name",
        container_id="container.id",
        availability_zone="cloud.availability_zone",
        container_arn="aws.ecs.container.arn",
        cluster_arn="aws.ecs.cluster.arn",
        task_arn="aws.ecs.task.arn",
        task_family="aws.ecs.task.family",
        launch_type="aws.ecs.launchtype",
    )


def _make_eks(resource: Attributes) -> Block:
    return _fill(
        resource,
        cluster_name="k8s.cluster.name",
        pod="k8s.pod.name",
        container_id="container.id",
    )


def _make_beanstalk(resource: Attributes) -> Block:
    return _fill(
        resource, environment_name="service.namespace", version_label="service.version"
    ) | without_nothing({"deployment_id": find_integer(resource, "service.instance.id")})


def _fill(resource: Attributes, **names: str) -> Block:
    return without_nothing({member: find(resource, name) for member, name in names.items()})


def _make_log_groups(resource: Attributes) -> list[Block]:
    arns = _list_texts(resource.get("aws.log.group.arns"))
    if arns:
        # arn:aws:logs:region:account:log-group:NAME:*
        return [{"log_group": (arn.split(":") + [""] * 7)[6] or arn, "arn": arn} for arn in arns]
    return [{"log_group": name} for name in _list_texts(resource.get("aws.log.group.names"))]


def _list_texts(value: Value) -> list[str]:
    """Return the texts of a list; environment variables write it with an & between them."""
    values = value.split("&") if isinstance(value, str) else value
    return [text for text in map(as_written, values if isinstance(values, list) else []) if text]


def find_origin(resource: Attributes) -> str:
    """Return the type of the node that made a segment; "" where it is not AWS's."""
    if find(resource, "cloud.provider") not in ("", "aws"):
        return ""
    platform = find(resource, "cloud.platform")
    if platform == "aws_ecs":
        launch_type = find(resource, "aws.ecs.launchtype").lower()
        return ECS_ORIGINS.get(launch_type, "AWS::ECS::Container")
    return ORIGINS.get(platform, "")
