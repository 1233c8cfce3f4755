"""Code as applications have it, after the SDK's guide: each function is called by a test.

It runs in a process of its own (program.py), with `tracing` or with the plain SDK.
"""

import asyncio
import contextvars
import os
import sqlite3
import sys
import threading
import time
from collections.abc import AsyncIterator, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing, suppress
from http.server import BaseHTTPRequestHandler, HTTPServer
from types import ModuleType
from typing import Any

from asgiref.sync import sync_to_async
from aws_xray_sdk.core import patch
from django.conf import settings
from django.contrib.contenttypes.models import ContentType
from django.core.checks import run_checks
from django.db import connection, connections
from django.template.base import Template
from django.test import Client, override_settings
from django.utils.functional import SimpleLazyObject

from .api import xray_recorder


def request(name: str = "request") -> Any:
    """Return a block that stands for a request: a segment or, on Lambda, a subsegment."""
    is_on_lambda = bool(os.environ.get("AWS_LAMBDA_FUNCTION_NAME"))
    return (xray_recorder.in_subsegment if is_on_lambda else xray_recorder.in_segment)(name)


def outside_a_request() -> None:
    for _ in range(2):
        xray_recorder.begin_subsegment("outside")
        xray_recorder.end_subsegment()


def outlive_a_request() -> list[str]:
    ended, told = threading.Event(), []

    def work() -> None:
        xray_recorder.set_trace_entity(entity)
        ended.wait(5)
        try:
            with xray_recorder.in_subsegment("late"):
                told.append("worked")
        except Exception as error:
            told.append(type(error).__name__)

    with request():
        entity = xray_recorder.get_trace_entity()
        thread = threading.Thread(target=work)
        thread.start()
    ended.set()
    thread.join()
    return told


class FrozenError(Exception):
    """An exception that nobody can write to."""

    def __setattr__(self, name: str, value: object) -> None:
        raise TypeError("frozen")


def raise_a_frozen_exception() -> str:
    @xray_recorder.capture("break_ice")  # type: ignore[untyped-decorator]
    def break_ice() -> None:
        raise FrozenError("ice")

    with request():
        try:
            break_ice()
        except Exception as error:
            return type(error).__name__
    return "nothing"


def raise_an_exception_again() -> None:
    error = ValueError("again")

    @xray_recorder.capture("fail")  # type: ignore[untyped-decorator]
    def fail() -> None:
        raise error

    for _ in range(2):
        with request(), suppress(ValueError):
            fail()


def call_cursors() -> list[Any]:
    """Use the cursor as Django documents it; SQLite has no procedures, so a driver that has."""
    from django.db.backends.sqlite3.base import SQLiteCursorWrapper

    class Cursor(SQLiteCursorWrapper):
        def callproc(self, name: str, *arguments: Any) -> list[Any]:
            return [name, *arguments]

    connection.ensure_connection()
    connection.features.supports_callproc_kwargs = True  # type: ignore[attr-defined]
    connection.create_cursor = lambda name=None: connection.connection.cursor(factory=Cursor)  # type: ignore[method-assign]
    with request(), connection.cursor() as cursor:
        cursor.execute(sql="SELECT 7")
        return [
            cursor.fetchone()[0],
            cursor.callproc("p"),
            cursor.callproc("p", [1]),
            cursor.callproc("p", [1], {"a": 2}),
        ]


def patch_sqlite() -> list[Any]:
    patch(("sqlite3",))
    patch(("sqlite3",))
    connection.close()
    with request():
        with closing(sqlite3.connect(database="file:films.db?mode=memory", uri=True)) as opened:
            found = opened.execute("SELECT 1").fetchone()
        with closing(sqlite3.connect(":memory:")) as opened:
            found += opened.cursor().execute("SELECT 2").fetchone()
        with connection.cursor() as cursor:
            cursor.execute("SELECT 3")
            found += cursor.fetchone()
    return list(found)


def patch_psycopg_without_its_pool() -> dict[str, Any]:
    """Patch a driver that is there without the package that pools its connections."""
    psycopg: Any = ModuleType("psycopg")
    psycopg.connect = lambda *args, **kwargs: None
    sys.modules["psycopg"] = psycopg
    sys.modules["psycopg_pool"] = None  # type: ignore[assignment]
    raised = []
    for _ in range(2):
        try:
            patch(["psycopg"])
        except Exception as error:
            raised.append(type(error).__name__)
    layers, function = 0, psycopg.connect
    while hasattr(function, "__wrapped__"):
        layers, function = layers + 1, function.__wrapped__
    return {"raised": raised, "layers": layers}


def use_asyncio_as_the_guide_says() -> list[str]:
    from aws_xray_sdk.core.async_context import AsyncContext

    async def work(name: str) -> str:
        async with xray_recorder.in_subsegment_async(name):
            await asyncio.sleep(0.01)
        return name

    async def main() -> list[str]:
        xray_recorder.configure(context=AsyncContext())
        async with xray_recorder.in_segment_async("request"):
            context = contextvars.copy_context()
            tasks = [
                asyncio.create_task(work("in a context"), context=context),
                asyncio.create_task(work("in a task"), name="task"),
            ]
            return [await task for task in tasks]

    async def more() -> str:
        return "ran again"

    with asyncio.Runner() as runner:
        return [*runner.run(main()), runner.run(more())]


def make_an_async_context_in_a_thread() -> str:
    from aws_xray_sdk.core.async_context import AsyncContext

    with ThreadPoolExecutor(1) as pool:
        return pool.submit(lambda: type(AsyncContext()).__name__).result()


def use_a_context_of_ones_own() -> None:
    from aws_xray_sdk.core.lambda_launcher import LambdaContext

    class OwnContext(LambdaContext):  # type: ignore[misc]
        pass

    xray_recorder.configure(context=OwnContext())


def interleave_two_databases() -> None:
    connections.databases["replica"] = {
        **connections.databases["default"],
        "NAME": ":memory:",
        "HOST": "replica.example",
    }
    connections.databases["default"]["HOST"] = "primary.example"
    with (
        request(),
        connections["default"].cursor() as primary,
        connections["replica"].cursor() as replica,
    ):
        primary.execute("SELECT 1")
        replica.execute("SELECT 2")
        primary.execute("SELECT 3")


def call_aws_where_nobody_answers() -> str:
    import boto3
    from botocore.config import Config

    client = boto3.client(
        "dynamodb",
        endpoint_url="http://127.0.0.1:9",
        region_name="us-east-1",
        aws_access_key_id="test",
        aws_secret_access_key="test",
        config=Config(retries={"total_max_attempts": 1}),
    )
    with request():
        try:
            client.list_tables()
        except Exception as error:
            return type(error).__name__
    return "nothing"


def make_table() -> None:
    with connection.schema_editor() as editor:
        editor.create_model(ContentType)


def iterate_over_rows() -> int:
    make_table()
    with request():
        return len(list(ContentType.objects.iterator()))


def work_in_threads() -> None:
    def work(name: str) -> None:
        with xray_recorder.in_subsegment(name):
            pass

    async def main() -> None:
        await asyncio.to_thread(work, "to_thread")
        await sync_to_async(work)("sync_to_async")
        await sync_to_async(work, thread_sensitive=False)("in a pool of asgiref")

    # Its worker is there before the request is.
    with ThreadPoolExecutor(1) as pool:
        pool.submit(int).result()
        with request(), xray_recorder.in_subsegment("outer"):
            thread = threading.Thread(target=work, args=("thread",))
            thread.start()
            thread.join()
            pool.submit(work, "submit").result()
            list(pool.map(work, ["map"]))
            asyncio.run(main())
        # What the request left there belongs to nobody.
        pool.submit(work, "afterwards").result()


def capture_what_takes_its_time() -> None:
    capture = xray_recorder.capture

    @capture("coroutine")  # type: ignore[untyped-decorator]
    async def coroutine() -> None:
        await asyncio.sleep(0.05)

    @capture("generator")  # type: ignore[untyped-decorator]
    def generator() -> Iterator[int]:
        time.sleep(0.05)
        yield 1

    @capture("asynchronous generator")  # type: ignore[untyped-decorator]
    async def asynchronous_generator() -> AsyncIterator[int]:
        await asyncio.sleep(0.05)
        yield 1

    async def main() -> None:
        await coroutine()
        async for _ in asynchronous_generator():
            pass

    with request():
        list(generator())
        asyncio.run(main())


def name_subsegments() -> None:
    with request():
        with xray_recorder.in_subsegment("assigned") as subsegment:
            subsegment.name = "file:films?mode=memory<script>"
        with xray_recorder.in_subsegment("long") as subsegment:
            subsegment.name = "x" * 1000
        with connection.cursor() as cursor:
            cursor.execute("SELECT 1")


def put_what_json_lacks() -> None:
    with request() as entity:
        for key, value in {
            "bytes": b"\x00\x01",
            "error": ValueError("wrong"),
            "number": float("nan"),
            "endless": float("inf"),
            "keys": {(1, 2): "pair"},
        }.items():
            entity.put_metadata(key, value)


def put_what_must_not_be_touched() -> dict[str, Any]:
    make_table()
    evaluated: list[str] = []
    numbers = iter([1, 2, 3])
    rows = ContentType.objects.all()
    lazy = SimpleLazyObject(lambda: evaluated.append("lazy") or "value")
    with request() as entity:
        entity.put_metadata("numbers", numbers)
        entity.put_metadata("rows", rows)
        entity.put_metadata("lazy", lazy)
    return {
        "numbers": list(numbers),
        "rows": rows._result_cache,  # type: ignore[attr-defined]
        "lazy": evaluated,
    }


def make_many_subtrees() -> None:
    with request():
        for number in range(20):
            with xray_recorder.in_subsegment(f"tree {number}"):
                for leaf in range(3):
                    with xray_recorder.in_subsegment(f"leaf {number} {leaf}"):
                        pass


def find_peer() -> str | None:
    """Return the address that the emitter's socket is connected to."""
    xray_recorder.configure(daemon_address=None)
    with request():
        pass
    try:
        address: str = xray_recorder.emitter._socket.getpeername()[0]
    except OSError:
        return None
    return address


def ask_with_overridden_settings() -> None:
    given = {**settings.XRAY_RECORDER, "URLS_AS_ANNOTATION": "ALL"}
    with override_settings(XRAY_RECORDER=given):
        Client(SERVER_NAME="localhost").get("/ok?token=tell-nobody")


def check_settings() -> list[str]:
    return [message.msg for message in run_checks()]


def find_instruments() -> list[str]:
    """Return what of Django's is not as Django made it."""
    found = []
    if hasattr(Template.render, "__wrapped__") or hasattr(Template, "_xray_original_render"):
        found.append("templates")
    with connection.cursor() as cursor:
        if type(cursor).__name__ != "CursorWrapper" or connection.execute_wrappers:
            found.append("sql")
    return found


def configure_the_name() -> None:
    xray_recorder.configure(service="renamed")
    with request(), connection.cursor() as cursor:
        cursor.execute("SELECT 1")


def configure_and_find_addresses() -> list[str]:
    """Return where the sampler is told to find the daemon when something else is configured."""
    told: list[str] = []
    xray_recorder.sampler.load_settings = lambda daemon, *_: told.append(str(daemon.tcp_port))
    xray_recorder.configure(service="renamed")
    return told


def count_decisions() -> int:
    decisions: list[Any] = []
    xray_recorder.sampler.should_trace = lambda asked=None: decisions.append(asked) or 1
    Client(SERVER_NAME="localhost").get("/ok")
    return len(decisions)


def count_reads_of_source() -> int:
    """Return how many files are looked at for an exception's stack."""
    import linecache

    looked: list[Any] = []
    check = linecache.checkcache
    linecache.checkcache = looked.append  # type: ignore[assignment]
    try:
        raise_a_plain_exception(30)
    finally:
        linecache.checkcache = check
    return len(looked)


def raise_a_plain_exception(depth: int) -> None:
    if depth:
        return raise_a_plain_exception(depth - 1)
    with request(), suppress(ValueError), xray_recorder.in_subsegment("fail"):
        raise ValueError("deep")


class SlowBucket(BaseHTTPRequestHandler):
    """As much of S3 as takes an object in, and gives one out slowly."""

    def do_PUT(self) -> None:
        self.rfile.read(int(self.headers.get("Content-Length", 0)))
        self.send_response(200)
        self.send_header("Content-Length", "0")
        self.end_headers()

    def do_GET(self) -> None:
        self.send_response(200)
        self.send_header("Content-Length", "8")
        self.end_headers()
        self.wfile.write(b"half")
        time.sleep(0.1)
        self.wfile.write(b"half")

    def log_message(self, format: str, *args: object) -> None:
        pass


def transfer_objects() -> str:
    import boto3

    os.environ["NO_PROXY"] = "127.0.0.1"
    with HTTPServer(("127.0.0.1", 0), SlowBucket) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        client = boto3.client(
            "s3",
            endpoint_url=f"http://127.0.0.1:{server.server_port}",
            region_name="us-east-1",
            aws_access_key_id="test",
            aws_secret_access_key="test",
        )
        with request():
            with xray_recorder.in_subsegment("download"):
                body = client.get_object(Bucket="bucket", Key="key")["Body"].read().decode()
            with xray_recorder.in_subsegment("upload"):
                client.upload_file(__file__, "bucket", "key")
        server.shutdown()
    return str(body)


def call_patched_code() -> list[str]:
    from .patched import plain
    from .patched.ignored import ignored
    from .patched.inner import asynchronous

    with request():
        return [plain(), ignored(), asyncio.run(asynchronous())]
