"""A subsegment for each SQL statement, through Django's own hook for them.

Source: https://docs.djangoproject.com/en/5.2/topics/db/instrumentation/
"""

from collections.abc import Callable
from typing import Any

from aws_xray_sdk.core import xray_recorder
from django.db import connections
from django.db.backends.signals import connection_created

from .exceptions import record_failure
from .subsegments import begin_leaf, end

# What X-Ray calls the databases that Django names by vendor.
DATABASE_TYPES = {"postgresql": "PostgreSQL", "sqlite": "SQLite", "mysql": "MySQL"}


def install() -> None:
    """Trace every connection of this process, those to come too."""
    connection_created.connect(trace_connection, dispatch_uid="tracing.sql")
    for connection in connections.all(initialized_only=True):
        trace_connection(connection=connection)


def trace_connection(*, connection: Any, **kwargs: object) -> None:
    """Put the wrapper on a connection, once."""
    if record_statement not in connection.execute_wrappers:
        connection.execute_wrappers.append(record_statement)


def record_statement(
    execute: Callable[..., Any], sql: str, parameters: Any, many: bool, context: dict[str, Any]
) -> Any:
    """Run a statement in a subsegment of its own. Its parameters are not recorded."""
    connection = context["connection"]
    subsegment = begin_leaf(name_connection(connection), "remote")
    if subsegment is None:
        return execute(sql, parameters, many, context)
    try:
        return execute(sql, parameters, many, context)
    except BaseException as exception:
        record_failure(subsegment, exception, is_remote=True)
        raise
    finally:
        subsegment.set_sql(describe_statement(connection, sql))
        end(subsegment)


def name_connection(connection: Any) -> str:
    """Return `database@host`, as X-Ray names databases; without a host the file's or the alias."""
    values = connection.settings_dict
    name = str(values.get("NAME") or connection.alias)
    host = values.get("HOST")
    if connection.vendor == "sqlite" or not host or str(host).startswith("/"):
        return f"{connection.alias}@{connection.vendor}"
    return f"{name}@{host}"


def describe_statement(connection: Any, sql: str) -> dict[str, str]:
    """Return the `sql` block of a subsegment."""
    values = connection.settings_dict
    described = {
        "database_type": DATABASE_TYPES.get(connection.vendor, connection.vendor),
        "driver_version": str(getattr(connection.Database, "__version__", ""))
        or str(getattr(connection.Database, "sqlite_version", "")),
    }
    if values.get("USER"):
        described["user"] = str(values["USER"])
    if values.get("HOST"):
        port = f":{values['PORT']}" if values.get("PORT") else ""
        described["url"] = f"{connection.vendor}://{values['HOST']}{port}/{values.get('NAME')}"
    if xray_recorder.stream_sql:
        described["sanitized_query"] = str(sql)
    return described
