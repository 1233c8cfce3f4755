"""A subsegment for each SQL statement, through Django's own hook for them.

Source: https://docs.djangoproject.com/en/5.2/topics/db/instrumentation/
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from aws_xray_sdk.core import xray_recorder
from django.db import connections
from django.db.backends.signals import connection_created

from .context import begin_beneath, get_innermost
from .documents import clean_sql, encode
from .exceptions import record_failure
from .harmless import tell_failure
from .redaction import sanitise_sql
from .subsegments import end

# What X-Ray calls the databases that Django names by vendor.
DATABASE_TYPES = {"postgresql": "PostgreSQL", "sqlite": "SQLite", "mysql": "MySQL"}
# Longer ones, such as a bulk insert, are hardly ever the same twice.
KEPT_CHARACTERS = 2000
KEPT_STATEMENTS = 500


def install() -> None:
    """Trace every connection of this process, those to come too."""
    connection_created.connect(trace_connection, dispatch_uid="tracing.sql")
    for connection in connections.all(initialized_only=True):
        trace_connection(connection=connection)


def trace_connection(*, connection: Any, **kwargs: object) -> None:
    """Put the wrapper on a connection, once, and describe its database anew."""
    connection._xray_database = Database(connection)
    if record_statement not in connection.execute_wrappers:
        connection.execute_wrappers.append(record_statement)


class Database:
    """What the statements of one connection have in common, and those it has seen, as JSON."""

    def __init__(self, connection: Any) -> None:
        self.name = name_connection(connection)
        self._vendor = connection.vendor
        self._described = clean_sql(describe_connection(connection))
        self.known: dict[str, str] = {}

    def write(self, sql: str | None) -> str:
        """Return the block of the document that says a statement, after a comma."""
        if sql is None or not xray_recorder._stream_sql:
            return f',"sql":{encode(self._described)}'
        # In its own dialect, and not again in any other.
        told = {**self._described, "sanitized_query": sanitise_sql(sql, vendor=self._vendor)}
        written = f',"sql":{encode(told)}'
        if len(sql) <= KEPT_CHARACTERS and len(self.known) < KEPT_STATEMENTS:
            self.known[sql] = written
        return written


def record_statement(
    execute: Callable[..., Any], sql: str, parameters: Any, many: bool, context: dict[str, Any]
) -> Any:
    """Run a statement in a subsegment of its own. Its parameters are not recorded."""
    entity = get_innermost()
    if entity is not None and entity.is_silent:
        return execute(sql, parameters, many, context)
    connection = context["connection"]
    database = connection._xray_database
    subsegment = begin_beneath(entity, database.name, "remote", True)
    if subsegment is None:
        return execute(sql, parameters, many, context)
    try:
        statement = sql if type(sql) is str else read_statement(sql, connection)
        known = database.known.get(statement) if xray_recorder._stream_sql else None
        subsegment.text = known or database.write(statement)
    except Exception:
        tell_failure("describing a statement")
    try:
        return execute(sql, parameters, many, context)
    except BaseException as exception:
        record_failure(subsegment, exception, is_remote=True)
        raise
    finally:
        end(subsegment)


def read_statement(sql: Any, connection: Any) -> str | None:
    """Return a statement as text, or None: what it holds may be written in no known way."""
    if isinstance(sql, str):
        return str.__str__(sql)
    if isinstance(sql, bytes):
        return sql.decode("utf-8", "replace")
    try:
        # psycopg's; how it is said, the driver's own connection knows.
        text: str = sql.as_string(connection.connection)
        return text
    except Exception:
        return None


def name_connection(connection: Any) -> str:
    """Return `database@host`, as X-Ray names databases; without a host the file's or the alias."""
    values = connection.settings_dict
    name = str(values.get("NAME") or connection.alias)
    host = values.get("HOST")
    if connection.vendor == "sqlite" or not host or str(host).startswith("/"):
        return f"{connection.alias}@{connection.vendor}"
    return f"{name}@{host}"


def describe_connection(connection: Any) -> dict[str, str]:
    """Return what the `sql` block of every statement says."""
    values = connection.settings_dict
    driver = getattr(connection, "Database", None)
    described = {
        "database_type": DATABASE_TYPES.get(connection.vendor, connection.vendor),
        "driver_version": str(
            getattr(driver, "__version__", "") or getattr(driver, "sqlite_version", "")
        ),
    }
    if values.get("USER"):
        described["user"] = str(values["USER"])
    if values.get("HOST"):
        port = f":{values['PORT']}" if values.get("PORT") else ""
        described["url"] = f"{connection.vendor}://{values['HOST']}{port}/{values.get('NAME')}"
    return described
