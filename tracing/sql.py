"""A subsegment for each SQL statement, through Django's own hook for them.

Source: https://docs.djangoproject.com/en/5.2/topics/db/instrumentation/
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from aws_xray_sdk.core import xray_recorder
from django.db import connections
from django.db.backends.signals import connection_created

from .context import begin
from .documents import write_statement
from .exceptions import record_failure
from .harmless import tell_failure
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
        self._described = describe_connection(connection)
        self.known: dict[str, str] = {}

    def write(self, sql: str) -> str:
        """Return the members of the document that say a statement."""
        if not xray_recorder._stream_sql:
            return write_statement(self.name, self._described, None)
        written = write_statement(self.name, self._described, sql)
        if len(sql) <= KEPT_CHARACTERS and len(self.known) < KEPT_STATEMENTS:
            self.known[sql] = written
        return written


def record_statement(
    execute: Callable[..., Any], sql: str, parameters: Any, many: bool, context: dict[str, Any]
) -> Any:
    """Run a statement in a subsegment of its own. Its parameters are not recorded."""
    database = context["connection"]._xray_database
    subsegment = begin(database.name, "remote", is_leaf=True)
    if subsegment is None:
        return execute(sql, parameters, many, context)
    try:
        return execute(sql, parameters, many, context)
    except BaseException as exception:
        record_failure(subsegment, exception, is_remote=True)
        raise
    finally:
        try:
            # psycopg has statements that are no text yet.
            statement = sql if type(sql) is str else str(sql)
            known = database.known.get(statement) if xray_recorder._stream_sql else None
            subsegment.fragment = known or database.write(statement)
        except Exception:
            tell_failure("describing a statement")
        end(subsegment)


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
