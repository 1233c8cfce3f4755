"""The settings of aws-xray-sdk 2.15 that do not do what they say, each by its key.

test_plain_sdk.py shows that each of these tests fails without `tracing`.
"""

import json
from pathlib import Path
from typing import Any

from .conftest import ACTIVE, Runner
from .test_defects import call, children


def give(**recorder: Any) -> str:
    """Return keys for XRAY_RECORDER as the settings of these tests take them."""
    return json.dumps(recorder)


def test_setting_any_is_read_again_when_it_is_overridden(run: Runner) -> None:
    _, result = call(run, "ask_with_overridden_settings")

    assert result.documents[0].get("annotations", {}).get("url") == "http://localhost/ok"


def test_setting_unknown_keys_are_told_with_the_nearest_right_name(run: Runner) -> None:
    told, _ = call(run, "check_settings", TEST_XRAY_RECORDER=give(SAMPLNG=True))

    assert len([message for message in told if "SAMPLNG" in message]) == 1


def test_setting_auto_instrument_leaves_all_as_it_is_where_tracing_is_off(run: Runner) -> None:
    found, _ = call(run, "find_instruments", AWS_XRAY_SDK_ENABLED="false")

    assert found == []


def test_setting_auto_instrument_has_templates_apart_from_sql(run: Runner) -> None:
    result = run("/template", "/queries", TEST_INSTRUMENTS='["sql"]')

    template, queries = result.documents
    assert children(template) == []
    assert children(queries) == ["default@sqlite"]


def test_setting_stream_sql_stays_when_something_else_is_configured(run: Runner) -> None:
    _, result = call(run, "configure_the_name", TEST_XRAY_RECORDER=give(STREAM_SQL=False))

    (statement,) = result.documents[0]["subsegments"]
    assert statement["namespace"] == "remote"
    assert "sanitized_query" not in statement["sql"]


def test_setting_aws_xray_daemon_address_stays_too(run: Runner) -> None:
    told, _ = call(run, "configure_and_find_addresses", without="AWS_XRAY_DAEMON_ADDRESS")

    assert told == []


def test_setting_sampling_decides_nothing_on_lambda(run: Runner) -> None:
    decisions, result = call(run, "count_decisions", on_lambda=True, XRAY_SAMPLING="true")

    assert decisions == 0
    assert len(result.documents) == 1


def test_setting_auto_patch_parent_segment_name_is_silent_on_lambda(run: Runner) -> None:
    recorder = give(AUTO_PATCH_PARENT_SEGMENT_NAME="start", PATCH_MODULES=["httplib"])

    result = run({"path": "/ok", "trace": ACTIVE}, on_lambda=True, TEST_XRAY_RECORDER=recorder)

    assert result.names() == ["movies"]
    assert "segment" not in result.log


def test_setting_dynamic_naming_believes_no_host_that_django_refuses(run: Runner) -> None:
    hosts = ["localhost", "made-up.example"]

    result = run(
        *({"path": "/host", "environ": {"HTTP_HOST": host}} for host in hosts),
        TEST_XRAY_RECORDER=give(DYNAMIC_NAMING="*"),
    )

    assert [answer["status"] for answer in result.answers] == [200, 400]
    assert [document["name"] for document in result.documents] == ["localhost", "movies"]


def test_setting_patch_modules_finds_what_python_finds(run: Runner, tmp_path: Path) -> None:
    recorder = give(
        PATCH_MODULES=["tests.tracing.patched"], IGNORE_MODULE_PATTERNS=["tests.*ignored"]
    )

    result = run(
        {"call": "call_patched_code"}, TEST_XRAY_RECORDER=recorder, may_fail=True, cwd=tmp_path
    )

    assert result.answers == [{"value": ["plain", "ignored", "asynchronous"]}]
    assert children(result.documents[0]) == ["plain", "asynchronous"]
    asynchronous = result.find("asynchronous")
    assert asynchronous["end_time"] - asynchronous["start_time"] >= 0.045


def test_setting_urls_as_annotation_has_no_query(run: Runner) -> None:
    result = run("/ok?token=tell-nobody", TEST_XRAY_RECORDER=give(URLS_AS_ANNOTATION="ALL"))

    annotations = result.documents[0]["annotations"]
    assert (annotations["url"], annotations["method"]) == ("http://localhost/ok", "GET")
    assert "status" not in annotations


def test_setting_max_trace_back_reads_no_source(run: Runner) -> None:
    looked, result = call(run, "count_reads_of_source", TEST_XRAY_RECORDER=give(MAX_TRACE_BACK=3))

    assert looked == 0
    assert 1 <= len(result.find("fail")["cause"]["exceptions"][0]["stack"]) <= 3
