"""The SDK's own patches, mended; test_defects.py has them in a process of their own."""

import importlib
import os
import subprocess
import sys
from pathlib import Path
from types import ModuleType, SimpleNamespace
from typing import Any

import pytest
from aws_xray_sdk.core import patcher

from tests.conftest import Daemon
from tracing import capture, patches, xray_recorder

from .conftest import ROOT, finish

URL = "postgresql://me@db.example:5432/films"


@pytest.mark.parametrize(
    ("meta", "name", "left"),
    [
        (
            {"name": "films.db@sqlite", "database_version": "3"},
            "films.db@sqlite",
            {"database_version"},
        ),
        ({"database_type": "PostgreSQL", "url": URL}, "films@db.example", {"database_type", "url"}),
        ({"url": "mysql://db.example"}, "db.example", {"url"}),
        (
            {
                "database_type": "PostgreSQL",
                "url": "postgresql://unknown@unknown:unknown/unknown",
                "user": "unknown",
            },
            "PostgreSQL",
            {"database_type"},
        ),
        ({"database_type": "MySQL", "url": "mysql://[::1"}, "MySQL", {"database_type", "url"}),
        ({}, "database", set()),
    ],
)
def test_name_database(meta: dict[str, Any], name: str, left: set[str]) -> None:
    assert patches.name_database(meta) == name
    assert meta.keys() == left


@pytest.mark.parametrize(
    ("database", "name"),
    [
        (":memory:", "memory@sqlite"),
        ("", "memory@sqlite"),
        (Path("/var/data/films.db"), "films.db@sqlite"),
        ("file:/var/data/films.db?mode=ro&key=secret", "films.db@sqlite"),
    ],
)
def test_name_file(database: object, name: str) -> None:
    assert patches.name_file(database) == name


class Driver:
    """As much of a driver's cursor as the SDK's wraps."""

    def execute(self, operation: str, params: object = None) -> str:
        if operation == "fail":
            raise ValueError("no such statement")
        return f"{operation} {params}"

    def callproc(self, procname: str) -> str:
        return procname


@pytest.fixture
def cursor() -> Any:
    """The SDK's cursor around a driver's."""
    dbapi2 = importlib.import_module("aws_xray_sdk.ext.dbapi2")
    return dbapi2.XRayTracedCursor(Driver(), {"database_type": "MySQL", "url": URL})


def test_a_cursor_takes_what_its_driver_takes(cursor: Any, daemon: Daemon, segment: Any) -> None:
    assert cursor.execute(operation="SELECT", params=1) == "SELECT 1"
    assert cursor.callproc("p") == "p"
    with pytest.raises(ValueError, match="no such statement"):
        cursor.execute("fail")

    first, second, failed = finish(daemon)
    assert first["name"] == second["name"] == "films@db.example"
    assert first["namespace"] == "remote"
    assert first["sql"] == {"database_type": "MySQL", "url": URL.replace("me@", "")}
    assert failed["cause"]["exceptions"][0]["message"] == "no such statement"


def test_a_cursor_outside_a_trace(cursor: Any, daemon: Daemon) -> None:
    xray_recorder.clear_trace_entities()

    assert cursor.execute("SELECT") == "SELECT None"
    assert daemon.receive() == []


def test_psycopg_and_its_pool_are_patched_once(
    monkeypatch: pytest.MonkeyPatch, daemon: Daemon, segment: Any
) -> None:
    info = SimpleNamespace(dsn="host=db.example dbname=films user=me", server_version=17)
    connection = SimpleNamespace(info=info, cursor=Driver)
    psycopg: Any = ModuleType("psycopg")
    psycopg.connect = lambda: connection
    pool: Any = ModuleType("psycopg_pool.pool")
    pool.ConnectionPool = type("ConnectionPool", (), {"_connect": lambda pool: connection})
    monkeypatch.setitem(sys.modules, "psycopg", psycopg)
    monkeypatch.setitem(sys.modules, "psycopg_pool", ModuleType("psycopg_pool"))
    monkeypatch.setitem(sys.modules, "psycopg_pool.pool", pool)
    package = importlib.import_module("aws_xray_sdk.ext.psycopg")

    package.patch()
    package.patch()
    psycopg.connect().cursor().execute("SELECT")
    pool.ConnectionPool()._connect().cursor().execute("SELECT")

    assert [call["name"] for call in finish(daemon)] == ["films@db.example"] * 2


def test_list_modules() -> None:
    assert patches.list_modules("tests.tracing.patched") == [
        "tests.tracing.patched",
        "tests.tracing.patched.ignored",
        "tests.tracing.patched.inner",
    ]
    assert patches.list_modules("json.tool") == ["json.tool"]


@pytest.mark.parametrize("name", ["no_such_module", "json.nothing", "json.tool.nothing", ".json"])
def test_patch_of_what_is_not_there(name: str) -> None:
    with pytest.raises(ModuleNotFoundError, match="Expected a library or a module, got"):
        patches.patch(name)

    assert name not in patcher._PATCHED_MODULES


def test_a11_own_code_that_a_decorator_traces_is_not_patched_too(daemon: Daemon) -> None:
    def plain() -> None:
        pass

    def captured() -> None:
        pass

    module: Any = ModuleType("own_code")
    plain.__module__ = captured.__module__ = module.__name__
    module.plain, module.captured = plain, capture("named")(captured)

    patcher._on_import(module)

    xray_recorder.begin_segment("test", sampling=1)
    module.plain()
    module.captured()
    assert [child["name"] for child in finish(daemon)] == ["plain", "named"]


EARLY = """
import sys, sqlite3, http.client
from aws_xray_sdk.core import patch_all, patch
patch_all()
patch(["httplib"])
import requests, botocore.client, botocore.endpoint
import django
django.setup()
import wrapt
found = [
    requests.Session.__dict__["request"], requests.Session.__dict__["prepare_request"],
    botocore.client.BaseClient.__dict__["_make_api_call"],
    botocore.endpoint.Endpoint.__dict__["prepare_request"],
    http.client.HTTPConnection.__dict__["getresponse"],
]
assert not any(isinstance(function, wrapt.FunctionWrapper) for function in found), found
connection = sqlite3.connect(database=":memory:")
print(connection._xray_meta["name"])
connection.close()
"""


def test_a15_what_the_sdk_patched_before_the_start_is_traced_once(tmp_path: Path) -> None:
    done = subprocess.run(
        [sys.executable, "-c", EARLY],
        cwd=ROOT,
        env={
            "PATH": os.environ["PATH"],
            "DJANGO_SETTINGS_MODULE": "tests.tracing.site_settings",
            "LOCAL_DIR": str(tmp_path),
        },
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )

    assert done.stdout == "memory@sqlite\n", done.stderr
