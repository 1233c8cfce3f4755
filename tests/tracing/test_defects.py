"""The defects of aws-xray-sdk 2.15, each by the id it is known under.

B: breaks the application; W: wrong data; L: lost data; A: asynchronous code; N: noise.
test_plain_sdk.py shows that each fails without `tracing`.
"""

import json
import os
import re
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from tests.conftest import walk

from .api import IS_PLAIN_SDK
from .conftest import (
    ACTIVE,
    PARENT_ID,
    PASS_THROUGH,
    SITE_SETTINGS,
    TRACE_ID,
    UNSAMPLED,
    Run,
    Runner,
)

BOTH = pytest.mark.parametrize("on_lambda", [False, True], ids=["server", "lambda"])


def call(run: Runner, name: str, **options: Any) -> tuple[Any, Run]:
    """Call a scenario in a process of its own; return what it did and what was sent."""
    result = run({"call": name, "trace": ACTIVE}, **options)
    assert "value" in result.answers[0], result.answers
    return result.answers[0]["value"], result


def children(entity: dict[str, Any]) -> list[str]:
    """Return the names of what stands directly beneath an entity."""
    return [child["name"] for child in entity.get("subsegments", ())]


def beneath(result: Run, entity: dict[str, Any]) -> list[str]:
    """Return the same names, of those too that left in documents of their own."""
    apart = [part["name"] for part in result.documents if part.get("parent_id") == entity["id"]]
    return [*children(entity), *apart]


@BOTH
def test_control_a_request(run: Runner, on_lambda: bool) -> None:
    result = run({"path": "/queries", "trace": ACTIVE}, on_lambda=on_lambda)

    assert result.answers[0]["status"] == 200
    assert "movies" in result.names()


def test_control_a_scenario_and_a_request_by_asgi(run: Runner) -> None:
    result = run({"call": "raise_an_exception_again"}, {"paths": ["/ok"]})

    assert result.answers == [{"value": None}, {"bodies": ["200 ok"], "open": []}]
    assert result.names().count("fail") == 2
    assert "movies" in result.names()


@pytest.mark.parametrize("trace", [PASS_THROUGH, UNSAMPLED, None], ids=["pass", "unsampled", "no"])
def test_b1_statuses_stay_under_pass_through(run: Runner, trace: str | None) -> None:
    result = run(
        *({"path": path, "trace": trace} for path in ("/missing", "/forbidden", "/ok")),
        on_lambda=True,
    )

    assert [answer["status"] for answer in result.answers] == [404, 403, 200]
    assert result.datagrams == []
    assert [answer["open"] for answer in result.answers] == [[], [], []]
    assert "ERROR" not in result.log


def test_b2_annotations_and_user_on_lambda(run: Runner) -> None:
    result = run({"path": "/annotated", "trace": ACTIVE}, on_lambda=True)

    assert result.answers[0]["status"] == 200
    request = result.find("movies")
    assert request["annotations"]["colour"] == "red"
    assert request["annotations"]["size"] == 7
    assert request["annotations"]["user"] == "alice"
    assert request["metadata"]["default"] == {"shape": {"corners": 4}}


def test_w1_404_and_403_are_errors_not_faults(run: Runner) -> None:
    result = run("/missing", "/forbidden", "/broken")

    missing, forbidden, broken = result.documents
    for document in (missing, forbidden):
        assert document["error"] is True
        assert "fault" not in document
        assert "cause" not in document
    assert broken["fault"] is True
    assert "error" not in broken
    assert broken["http"]["response"]["status"] == 500


def test_w6_client_address_is_not_the_clients_word(run: Runner) -> None:
    result = run({"path": "/ok", "headers": {"X-Forwarded-For": "203.0.113.9, 198.51.100.2"}})

    request = result.documents[0]["http"]["request"]
    assert request["client_ip"] == "192.0.2.7"
    assert b"203.0.113.9" not in result.datagrams[0]


@BOTH
def test_w7_no_query_string_leaves(run: Runner, on_lambda: bool) -> None:
    result = run({"path": "/ok?token=tell-nobody", "trace": ACTIVE}, on_lambda=on_lambda)

    assert result.find("movies")["http"]["request"]["url"] == "http://localhost/ok"
    assert b"tell-nobody" not in b"".join(result.datagrams)


@BOTH
def test_w8_segments_are_closed_on_every_path(run: Runner, on_lambda: bool) -> None:
    result = run(
        {"path": "/host", "environ": {"HTTP_HOST": "evil.example"}, "trace": ACTIVE},
        {"path": "/leaky", "trace": ACTIVE.replace(PARENT_ID, "b" * 16)},
        {"path": "/ok?middleware=break", "trace": ACTIVE.replace(PARENT_ID, "c" * 16)},
        {"path": "/ok", "trace": ACTIVE.replace(PARENT_ID, "d" * 16)},
        on_lambda=on_lambda,
    )

    assert [answer["status"] for answer in result.answers] == [400, 200, 500, 200]
    assert [answer["open"] for answer in result.answers] == [[], [], [], []]
    assert len(result.documents) == 4
    assert result.documents[0]["error"] is True
    assert "fault" not in result.documents[0]
    assert result.documents[0]["http"]["response"]["status"] == 400
    for document in result.documents:
        assert all("end_time" in entity for entity in walk(document))
    assert result.names().count("left open too") == 1
    assert "subsegments" not in result.documents[3]


def test_w9_exception_in_a_middleware_is_recorded(run: Runner) -> None:
    result = run("/ok?middleware=break")

    exception = result.documents[0]["cause"]["exceptions"][0]
    assert exception["type"] == "LookupError"
    assert exception["stack"][0]["label"].endswith("middleware")


@BOTH
def test_w10_a_streaming_body_belongs_to_its_trace(run: Runner, on_lambda: bool) -> None:
    result = run(
        {"path": "/stream", "trace": ACTIVE},
        {"path": "/stream?break=1", "trace": ACTIVE.replace(PARENT_ID, "b" * 16)},
        on_lambda=on_lambda,
    )

    whole, broken = result.documents
    assert [child["name"] for child in whole["subsegments"]] == ["chunk 0", "chunk 1", "chunk 2"]
    assert whole["end_time"] >= whole["subsegments"][-1]["end_time"]
    assert broken["fault"] is True
    assert broken["cause"]["exceptions"][0]["message"] == "The body broke."
    assert [answer["open"] for answer in result.answers] == [[], []]


def test_w2_the_whole_header_is_the_key(run: Runner) -> None:
    result = run(
        {"path": "/trace", "trace": ACTIVE},
        {"path": "/trace", "trace": ACTIVE.replace(PARENT_ID, "b" * 16)},
        {"path": "/trace", "trace": None},
        {"path": "/trace", "trace": UNSAMPLED},
        {"path": "/trace", "trace": ACTIVE},
        on_lambda=True,
    )

    assert [document["parent_id"] for document in result.documents] == [
        PARENT_ID,
        "b" * 16,
        PARENT_ID,
    ]
    told = [json.loads(answer["body"]) for answer in result.answers]
    assert [item["is_sampled"] for item in told] == [True, True, False, False, True]
    assert told[3]["trace_id"] == TRACE_ID


def test_l2_nothing_is_lost_below_the_threshold_on_lambda(run: Runner) -> None:
    result = run(
        {"path": "/many?count=6", "trace": ACTIVE}, on_lambda=True, XRAY_STREAMING_THRESHOLD="30"
    )

    assert len(result.datagrams) == 1
    document = result.documents[0]
    assert (document["type"], document["trace_id"], document["parent_id"]) == (
        "subsegment",
        TRACE_ID,
        PARENT_ID,
    )
    assert len(document["subsegments"]) == 6


def test_l1_a_large_segment_arrives_in_parts(run: Runner) -> None:
    result = run("/many?count=40&bytes=5000", "/many?count=1&bytes=100000")

    assert len(result.documents) > 4
    assert max(len(datagram) for datagram in result.datagrams) < 61_000
    assert sorted(name for name in result.names() if name.startswith("step")) == sorted(
        [f"step {number}" for number in range(40)] + ["step 0"]
    )
    parts = [document for document in result.documents if document.get("type") == "subsegment"]
    roots = {document["id"]: document for document in result.documents if "type" not in document}
    assert {part["parent_id"] for part in parts} <= roots.keys()
    cut = [part for part in parts if "tracing" in part.get("metadata", {})]
    assert [part["metadata"]["tracing"] for part in cut] == [
        {"cut_because_too_large": ["metadata"]}
    ]


def test_n1_management_commands_are_silent(tmp_path: Path) -> None:
    result = subprocess.run(
        [sys.executable, "manage.py", "migrate"],
        env={
            "PATH": os.environ["PATH"],
            "LOCAL_DIR": str(tmp_path),
            "DJANGO_SETTINGS_MODULE": SITE_SETTINGS
            if IS_PLAIN_SDK
            else "movies_site.settings_local",
        },
        capture_output=True,
        text=True,
        timeout=60,
        check=True,
    )

    assert "Applying auth.0001_initial... OK" in result.stdout
    # LOG_ERROR says once what it means, where the SDK wrote three lines for each query.
    assert len(result.stderr.splitlines()) <= 1, result.stderr


def test_n2_a_form_is_one_template(run: Runner) -> None:
    result = run("/template")

    assert len(result.datagrams) == 1
    assert result.names() == ["movies", "template"]


@BOTH
def test_b3_a_thread_may_outlive_its_request(run: Runner, on_lambda: bool) -> None:
    told, result = call(run, "outlive_a_request", on_lambda=on_lambda)

    assert told == ["worked"]
    assert "request" in result.names()


def test_b5_an_exception_that_cannot_be_written_to_stays_itself(run: Runner) -> None:
    raised, result = call(run, "raise_a_frozen_exception")

    assert raised == "FrozenError"
    assert result.find("break_ice")["cause"]["exceptions"][0]["type"] == "FrozenError"


def test_b5_an_exception_raised_again_is_told_again(run: Runner) -> None:
    _, result = call(run, "raise_an_exception_again")

    first, second = (document["subsegments"][0]["cause"] for document in result.documents)
    for cause in (first, second):
        assert cause["exceptions"][0]["message"] == "again"


def test_b6_cursors_take_what_django_documents(run: Runner) -> None:
    answered, result = call(run, "call_cursors")

    assert answered == [7, ["p"], ["p", [1]], ["p", [1], {"a": 2}]]
    assert len(result.documents[0]["subsegments"]) == 1


def test_b7_sqlite_is_patched_with_any_arguments(run: Runner) -> None:
    found, result = call(run, "patch_sqlite")

    assert found == [1, 2, 3]
    # Django's own statement is not told twice.
    assert len(result.documents[0]["subsegments"]) == 3
    assert children(result.documents[0]) == ["films.db@sqlite", "memory@sqlite", "default@sqlite"]


def test_b8_a_driver_is_patched_without_its_pool_and_once(run: Runner) -> None:
    answered, _ = call(run, "patch_psycopg_without_its_pool")

    assert answered == {"raised": [], "layers": 1}


@pytest.mark.parametrize("module", ["psycopg", "no_such_module"])
def test_b8_a_failed_patch_is_a_line_in_the_log(run: Runner, module: str) -> None:
    patches = json.dumps({"PATCH_MODULES": [module, "httplib"]})

    result = run("/ok", TEST_XRAY_RECORDER=patches, may_fail=True)

    assert [answer["status"] for answer in result.answers] == [200]
    assert result.log.count(f"Could not patch {module!r}") == 1


@BOTH
def test_b10_asyncio_as_the_sdks_guide_has_it(run: Runner, on_lambda: bool) -> None:
    told, result = call(run, "use_asyncio_as_the_guide_says", on_lambda=on_lambda)

    assert told == ["in a context", "in a task", "ran again"]
    if not on_lambda:
        assert sorted(children(result.find("request"))) == ["in a context", "in a task"]


def test_b10_a_context_may_be_made_where_no_loop_is(run: Runner) -> None:
    made, _ = call(run, "make_an_async_context_in_a_thread")

    assert made == "AsyncContext"


def test_w3_each_statement_has_its_own_database(run: Runner) -> None:
    _, result = call(run, "interleave_two_databases")

    names = children(result.documents[0])
    assert ["replica" in name for name in names] == [False, True, False]


def test_w4_a_connection_to_aws_that_failed_is_a_fault(run: Runner) -> None:
    raised, result = call(run, "call_aws_where_nobody_answers")

    assert raised == "EndpointConnectionError"
    subsegment = result.find("dynamodb")
    assert subsegment.get("fault") is True
    assert subsegment["cause"]["exceptions"][0]["type"] == "EndpointConnectionError"


def test_w5_iterating_over_rows_is_one_subsegment(run: Runner) -> None:
    _, result = call(run, "iterate_over_rows")

    (document,) = result.documents
    assert len(list(walk(document))) == 2


def test_w11_a_body_takes_time_and_a_transfer_is_its_callers(run: Runner) -> None:
    body, result = call(run, "transfer_objects")

    assert body == "halfhalf"
    download, upload = result.documents[0]["subsegments"]
    assert sum(part["end_time"] - part["start_time"] for part in download["subsegments"]) >= 0.1
    assert [part["aws"]["operation"] for part in upload.get("subsegments", ())] == ["PutObject"]


@BOTH
def test_w12_threads_go_on_under_what_started_them(run: Runner, on_lambda: bool) -> None:
    _, result = call(run, "work_in_threads", on_lambda=on_lambda)

    assert beneath(result, result.find("outer")) == [
        "thread",
        "submit",
        "map",
        "to_thread",
        "sync_to_async",
        "in a pool of asgiref",
    ]
    assert "afterwards" not in beneath(result, result.find("request"))


def test_w13_captured_coroutines_and_generators_last_as_long_as_they_run(run: Runner) -> None:
    _, result = call(run, "capture_what_takes_its_time")

    for name in ("coroutine", "generator", "asynchronous generator"):
        subsegment = result.find(name)
        assert subsegment["end_time"] - subsegment["start_time"] >= 0.045, name


def test_w15_a_header_is_read_with_patience(run: Runner) -> None:
    headers = [
        f"Root={TRACE_ID};Parent={PARENT_ID};Sampled=1;",
        f"Root={TRACE_ID}; Parent={PARENT_ID}; Sampled=1",
        f"nonsense;Root={TRACE_ID};Parent={PARENT_ID};Sampled=1",
    ]

    result = run(*({"path": "/ok", "headers": {"X-Amzn-Trace-Id": value}} for value in headers))

    assert [document["trace_id"] for document in result.documents] == [TRACE_ID] * 3
    assert [document.get("parent_id") for document in result.documents] == [PARENT_ID] * 3


def test_w16_names_are_what_x_ray_takes_however_they_came(run: Runner) -> None:
    _, result = call(run, "name_subsegments")

    assigned, long, statement = children(result.documents[0])
    assert re.fullmatch(r"file:films[\w\s.:/%&#=+@-]*", assigned), assigned
    assert long == "x" * 200
    assert statement == "default@sqlite"


def test_w17_metadata_is_said_in_json(run: Runner) -> None:
    _, result = call(run, "put_what_json_lacks")

    assert b"NaN" not in result.datagrams[0]
    assert b"Infinity" not in result.datagrams[0]
    assert result.documents[0]["metadata"]["default"] == {
        "bytes": "2 bytes",
        "error": "ValueError: wrong",
        "number": "nan",
        "endless": "inf",
        "keys": {"(1, 2)": "pair"},
    }


def test_w17_what_is_put_is_not_consumed(run: Runner) -> None:
    left, result = call(run, "put_what_must_not_be_touched")

    assert left == {"numbers": [1, 2, 3], "rows": None, "lazy": []}
    assert children(result.documents[0]) == []


def test_w18_streaming_counts_whole_subtrees(run: Runner) -> None:
    _, result = call(run, "make_many_subtrees", XRAY_STREAMING_THRESHOLD="5")

    assert len(result.names()) == 81
    assert len(result.datagrams) <= 25


def test_l3_a_function_that_is_killed_has_told_what_it_was_at(run: Runner) -> None:
    result = run(
        {"path": "/ok", "trace": ACTIVE},
        {"path": "/killed", "trace": ACTIVE.replace(PARENT_ID, "b" * 16)},
        on_lambda=True,
        TEST_IN_PROGRESS_FIRST="true",
    )

    assert [document.get("in_progress", False) for document in result.documents] == [
        True,
        False,
        True,
    ]
    begun, whole, killed = result.documents
    # The whole takes the place of what was sent first.
    assert begun["id"] == whole["id"]
    assert begun["http"]["request"]["url"] == "http://localhost/ok"
    assert whole["http"]["response"]["status"] == 200
    assert (killed["parent_id"], killed["name"]) == ("b" * 16, "movies")
    assert killed["http"]["request"]["url"] == "http://localhost/killed"


def test_l5_an_image_of_lambda_elsewhere_is_a_server(run: Runner) -> None:
    result = run("/ok", on_lambda=True, without="AWS_LAMBDA_FUNCTION_NAME")

    assert len(result.documents) == 1
    assert "type" not in result.documents[0]
    assert result.documents[0]["http"]["response"]["status"] == 200


CHAINS = pytest.mark.parametrize("middleware", ["async", "sync"])


@CHAINS
@BOTH
def test_a1_an_async_view_is_nested_in_its_request(
    run: Runner, on_lambda: bool, middleware: str
) -> None:
    result = run(
        {"paths": ["/async?name=a"], "trace": ACTIVE},
        on_lambda=on_lambda,
        TEST_MIDDLEWARE=middleware,
    )

    assert result.answers == [{"bodies": ["200 a"], "open": []}]
    request = result.find("movies")
    assert request["http"]["response"]["status"] == 200
    assert beneath(result, request) == ["view a"]
    assert beneath(result, result.find("view a")) == ["thread a", "step a", "step a"]
    assert all("end_time" in entity for part in result.documents for entity in walk(part))


@CHAINS
def test_a1_requests_at_once_in_one_thread_do_not_mix(run: Runner, middleware: str) -> None:
    names = [str(number) for number in range(20)]

    result = run({"paths": [f"/async?name={name}" for name in names]}, TEST_MIDDLEWARE=middleware)

    assert result.answers[0]["bodies"] == [f"200 {name}" for name in names]
    assert len(result.documents) == 20
    for document in result.documents:
        (view,) = children(document)
        name = view.removeprefix("view ")
        assert children(document["subsegments"][0]) == [f"thread {name}", *[f"step {name}"] * 2]
    assert len({document["trace_id"] for document in result.documents}) == 20


def test_a1_sync_views_and_streams_under_asgi(run: Runner) -> None:
    result = run(
        {"paths": ["/async-stream"]},
        {"paths": ["/queries"]},
        {"paths": ["/broken"]},
        {"paths": ["/stream"]},
    )

    assert [answer["open"] for answer in result.answers] == [[]] * 4
    stream, queries, broken, sync_stream = result.documents
    assert children(stream) == ["chunk 0", "chunk 1", "chunk 2"]
    assert children(queries) == ["default@sqlite"]
    assert broken["cause"]["exceptions"][0]["type"] == "ValueError"
    assert children(sync_stream) == ["chunk 0", "chunk 1", "chunk 2"]


def test_a2_a_context_of_ones_own_on_lambda(run: Runner) -> None:
    result = run(
        {"call": "use_a_context_of_ones_own", "trace": ACTIVE},
        {"paths": ["/ok"], "trace": ACTIVE},
        on_lambda=True,
    )

    assert result.answers[1]["bodies"] == ["200 ok"]
    request = result.find("movies")
    assert (request["type"], request["parent_id"]) == ("subsegment", PARENT_ID)


def test_n3_sampling_without_a_daemon_is_one_line(run: Runner) -> None:
    result = run(*["/ok"] * 5, XRAY_SAMPLING="true")

    told = [line for line in result.log.splitlines() if "sampling" in line.lower()]
    assert len(told) <= 1, told


def test_n4_the_socket_knows_its_daemon(run: Runner) -> None:
    peer, _ = call(run, "find_peer")

    assert peer == "127.0.0.1"
