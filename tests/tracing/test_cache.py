"""What operations on Django's caches say in a trace, with caches of each kind."""

import asyncio
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from django.core.cache import caches
from django.core.cache.backends.filebased import FileBasedCache
from django.core.cache.backends.redis import RedisCache
from django.core.management import call_command

from tests.conftest import Daemon
from tests.tracing.conftest import finish
from tracing import in_subsegment
from tracing.cache import find_place, trace_cache

KEY = "session-of-hunter2"


class RefusingCache(FileBasedCache):
    """A cache whose folder is gone."""

    def set(self, key: Any, value: Any, timeout: Any = None, version: Any = None) -> None:
        raise PermissionError("The folder is locked.")

    def add(self, key: Any, value: Any, timeout: Any = None, version: Any = None) -> bool:
        raise ValueError(f"The key {key} is no good.")


class ServerCache(FileBasedCache):
    """A cache that names a server, as those of Redis do, and is none."""

    _servers = ("redis://user:hunter2@cache.example.com:6379/1", "redis://replica.example.com")


class FrontCache(FileBasedCache):
    """A cache in front of another."""

    def get(self, key: Any, default: Any = None, version: Any = None) -> Any:
        return super().get(key, caches["server"].get(key, default), version)


class SealedCache(FileBasedCache):
    """A cache that takes no attribute of anybody else's."""

    _is_sealed = False

    def __init__(self, location: str, params: dict[str, Any]) -> None:
        super().__init__(location, params)
        self._is_sealed = True

    def __setattr__(self, name: str, value: object) -> None:
        if self._is_sealed:
            raise AttributeError(name)
        super().__setattr__(name, value)


@pytest.fixture
def stores(settings: Any, tmp_path: Path) -> Any:
    """Caches of every kind: in files, in the database, in memory, nowhere."""
    backends = "django.core.cache.backends"
    location = str(tmp_path / "cache")
    settings.CACHES = {
        "default": {"BACKEND": f"{backends}.filebased.FileBasedCache", "LOCATION": location},
        "database": {"BACKEND": f"{backends}.db.DatabaseCache", "LOCATION": "cached"},
        "memory": {"BACKEND": f"{backends}.locmem.LocMemCache", "LOCATION": KEY},
        "dummy": {"BACKEND": f"{backends}.dummy.DummyCache"},
        "refusing": {"BACKEND": f"{__name__}.RefusingCache", "LOCATION": location},
        "front": {"BACKEND": f"{__name__}.FrontCache", "LOCATION": location},
        "sealed": {"BACKEND": f"{__name__}.SealedCache", "LOCATION": location},
        "server": {"BACKEND": f"{__name__}.ServerCache", "LOCATION": location},
    }
    return caches


def said(calls: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """Return what each operation says of itself."""
    return [call["metadata"]["default"] for call in calls]


def test_each_operation_is_one_subsegment(stores: Any, daemon: Daemon, segment: Any) -> None:
    cache = stores["default"]

    cache.get(KEY)
    cache.add(KEY, 1)
    cache.get(KEY, default=None)
    cache.incr(KEY)
    cache.decr(key=KEY)
    cache.touch(KEY)
    cache.has_key(KEY)
    assert KEY in cache
    cache.set_many({KEY: 2, "b": 3})
    cache.get_many([KEY, "b", "c"])
    cache.get_many(key for key in (KEY, "c"))
    cache.delete_many(["b", "c"])
    cache.delete(KEY)
    cache.clear()

    calls = finish(daemon)
    assert {call["name"] for call in calls} == {"cache default"}
    assert all("namespace" not in call and "subsegments" not in call for call in calls)
    assert [
        {key: value for key, value in one.items() if key != "alias"} for one in said(calls)
    ] == [
        {"operation": "get", "keys": 1, "misses": 1},
        {"operation": "add", "keys": 1},
        {"operation": "get", "keys": 1, "hits": 1},
        {"operation": "incr", "keys": 1},
        {"operation": "decr", "keys": 1},
        {"operation": "touch", "keys": 1, "hits": 1},
        {"operation": "has_key", "keys": 1, "hits": 1},
        {"operation": "has_key", "keys": 1, "hits": 1},
        {"operation": "set_many", "keys": 2},
        {"operation": "get_many", "keys": 3, "hits": 2, "misses": 1},
        {"operation": "get_many", "hits": 1},
        {"operation": "delete_many", "keys": 2},
        {"operation": "delete", "keys": 1},
        {"operation": "clear"},
    ]
    assert KEY.encode() not in daemon.datagrams[0]


def test_get_or_set_is_what_it_calls(stores: Any, daemon: Daemon, segment: Any) -> None:
    def work() -> str:
        with in_subsegment("work"):
            return "done"

    assert stores["default"].get_or_set(KEY, work) == "done"

    calls = finish(daemon)
    assert [call["name"] for call in calls] == [
        "cache default",
        "work",
        "cache default",
        "cache default",
    ]
    operations = said([call for call in calls if call["name"] != "work"])
    assert [one["operation"] for one in operations] == ["get", "add", "get"]


@pytest.mark.django_db
def test_the_sql_of_a_database_cache_is_beneath(stores: Any, daemon: Daemon, segment: Any) -> None:
    call_command("createcachetable", verbosity=0)
    with in_subsegment("caching") as caching:
        stores["database"].set_many({KEY: 1, "b": 2})
        stores["database"].get(KEY)

    calls = finish(daemon)
    (caching,) = [call for call in calls if call["name"] == "caching"]
    assert [call["name"] for call in caching["subsegments"]] == ["cache database"] * 2
    written, read = caching["subsegments"]
    assert {call["namespace"] for call in written["subsegments"]} == {"remote"}
    assert "SELECT" in read["subsegments"][0]["sql"]["sanitized_query"]
    assert read["metadata"]["default"]["hits"] == 1


@pytest.mark.parametrize("alias", ["memory", "dummy"])
def test_caches_of_this_process_are_not_traced(
    alias: str, stores: Any, daemon: Daemon, segment: Any
) -> None:
    stores[alias].get_or_set(KEY, 1)

    assert finish(daemon) == []
    assert "_xray_place" not in vars(type(stores[alias]))


def test_an_asynchronous_operation_is_one_subsegment(
    stores: Any, daemon: Daemon, segment: Any
) -> None:
    async def cache() -> Any:
        await stores["default"].aset(KEY, 1)
        return await stores["default"].aget(KEY)

    assert asyncio.run(cache()) == 1

    assert [one["operation"] for one in said(finish(daemon))] == ["set", "get"]


def test_a_cache_that_fails(stores: Any, daemon: Daemon, segment: Any) -> None:
    with pytest.raises(PermissionError):
        stores["refusing"].set(KEY, 1)
    with pytest.raises(ValueError, match="no good"):
        stores["refusing"].add(KEY, 1)
    with pytest.raises(ValueError, match="not found"):
        stores["refusing"].incr(KEY)

    broken, refused, missing = finish(daemon)
    assert broken["fault"] is True
    assert broken["cause"]["exceptions"][0]["type"] == "PermissionError"
    assert (refused["error"], "cause" in refused) == (True, False)
    assert missing["metadata"]["default"]["misses"] == 1
    assert not {"fault", "error", "cause"} & missing.keys()
    assert KEY.encode() not in daemon.datagrams[0]


def test_a_cache_on_a_server_has_its_node(stores: Any, daemon: Daemon, segment: Any) -> None:
    stores["server"].get(KEY)

    (call,) = finish(daemon)
    assert (call["name"], call["namespace"]) == ("cache.example.com", "remote")
    assert call["metadata"]["default"]["alias"] == "server"
    assert b"hunter2" not in daemon.datagrams[0]


def test_a_cache_in_front_of_another(stores: Any, daemon: Daemon, segment: Any) -> None:
    stores["front"].get(KEY)

    front, server = finish(daemon)
    assert front["subsegments"] == [server]
    assert (front["name"], server["name"]) == ("cache front", "cache.example.com")


def test_a_cache_that_cannot_be_traced(
    stores: Any, daemon: Daemon, segment: Any, caplog: pytest.LogCaptureFixture
) -> None:
    stores["sealed"].set(KEY, 1)

    assert stores["sealed"].get(KEY) == 1
    assert finish(daemon) == []
    assert "Could not trace the cache 'sealed'." in caplog.text


@pytest.mark.parametrize(
    ("servers", "name"),
    [
        (["127.0.0.1:11211", "127.0.0.2:11211"], "127.0.0.1"),
        ("rediss://:hunter2@cache.example.com", "cache.example.com"),
        (["unix:/tmp/memcached.sock"], "cache sessions"),
        ("/tmp/memcached.sock", "cache sessions"),
        ("redis://[::1", "cache sessions"),
        (None, "cache sessions"),
    ],
)
def test_names(servers: Any, name: str) -> None:
    place = find_place(SimpleNamespace(_servers=servers), "sessions")

    assert place.name == name
    assert place.namespace == ("local" if name == "cache sessions" else "remote")


def test_djangos_own_cache_of_redis_is_known() -> None:
    cache = RedisCache("redis://cache.example.com:6379,redis://replica.example.com", {})

    trace_cache(cache, "default")

    assert find_place(cache, "default").name == "cache.example.com"
    assert "_xray_place" in vars(RedisCache)


def test_outside_a_trace_nothing_is_told(stores: Any, daemon: Daemon) -> None:
    stores["default"].set(KEY, 1)

    assert stores["default"].get(KEY) == 1
    assert daemon.receive() == []
