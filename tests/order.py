"""In which order the files of tests are begun, so that no process ends long after the others."""

import pytest

# Those of more than 12 s of CPU, the longest first. The rest comes after them, in any order.
LONGEST = (
    "tests/deploy/test_stage.py",
    "tests/lambda_local/test_walk.py",
    "tests/movies/api/test_schemathesis.py",
    "tests/scripts/test_run.py",
    "tests/tracing/test_harm.py",
    "tests/test_walk.py",
    "tests/test_serverless.py",
    "tests/test_packaged_function.py",
    "tests/xray_local/console/test_screens_in_browser.py",
    "tests/xray_local/console/test_walk.py",
    "tests/xray_local/console/test_trace_in_browser.py",
    "tests/lambda_local/test_make_lambda.py",
    "tests/test_load.py",
    "tests/xray_local/test_server.py",
    "tests/tracing/test_plain_sdk.py",
    "tests/xray_local/forwarding/test_forwarder.py",
    "tests/xray_local/console/test_map_in_browser.py",
    "tests/xray_local/test_fuzz.py",
    "tests/xray_local/console/test_traces_in_browser.py",
    "tests/movies/views/test_in_browser.py",
    "tests/xray_local/test_operations.py",
    "tests/xray_local/test_robustness.py",
    "tests/movies/test_postgresql.py",
    "tests/tracing/test_defects.py",
)


def sort_longest_first(items: list[pytest.Item]) -> None:
    """Put the tests of the longest files first; leave the order within a file as it is."""
    places = {name: place for place, name in enumerate(LONGEST)}
    items.sort(key=lambda item: places.get(item.nodeid.partition("::")[0], len(places)))
