"""Each defect's test fails without `tracing`, so it looks at the right place; none is forgotten."""

import os
import re
import subprocess
import sys
from pathlib import Path
from xml.etree import ElementTree

import pytest

from .api import IS_PLAIN_SDK
from .conftest import ROOT

HERE = Path(__file__).parent
# The ids of the defects that are known: breaks, wrong data, lost data, asynchronous code, noise.
LAST_NUMBERS = {"b": 10, "w": 18, "l": 5, "a": 2, "n": 5}
IDS = {f"{kind}{number + 1}" for kind, last in LAST_NUMBERS.items() for number in range(last)}
SETTINGS = {
    "any",
    "unknown",
    "auto_instrument",
    "stream_sql",
    "aws_xray_daemon_address",
    "sampling",
    "aws_xray_context_missing",
    "streaming_threshold",
    "auto_patch_parent_segment_name",
    "dynamic_naming",
    "patch_modules",
    "urls_as_annotation",
    "max_trace_back",
}
LEFT = {"b9", "aws_xray_context_missing"}
# Told by the test of an id.
ELSEWHERE = {"streaming_threshold": "l2"}
# Run with either; what is left has its twin for the SDK beside it, called test_<id>_in_the_sdk.
WITH_EITHER = [
    "test_defects.py",
    "test_misleading_settings.py",
    "test_middleware.py::test_n5_on_lambda_one_datagram_hangs_under_the_function",
    "test_middleware.py::test_w14_a_server_passes_on_what_it_was_told",
    "test_middleware.py::test_w14_the_trace_goes_on_downstream",
]
# These work with the SDK too: that the others fail is not for want of a daemon or a view.
CONTROL = "test_control"
# How the SDK itself fails in a scenario; by anything else, the scenario is wrong.
KNOWN_FAILURES = {"IndexError", "RuntimeError", "TypeError"}


@pytest.mark.skipif(IS_PLAIN_SDK, reason="It would run itself.")
def test_every_defect_is_there_in_the_plain_sdk(tmp_path: Path) -> None:
    failures = run_with_the_sdk(tmp_path / "report.xml")

    # Of several cases of one test, some may be right with the SDK.
    works = sorted(name for name, messages in failures.items() if not any(messages))
    assert works == sorted(name for name in failures if name.startswith(CONTROL))
    assert len(works) == 2
    for name, messages in failures.items():
        for message in messages:
            assert "ProcessFailed" not in message, (name, message)
            raised = re.search(r"'raised': '(\w+)'", message)
            assert raised is None or raised[1] in KNOWN_FAILURES, (name, message)
    twins = {name for name in list_tests() if name.endswith("_in_the_sdk")}
    shown = {subject for name in {*failures, *twins} for subject in name_subjects(name)}
    assert shown == (IDS | SETTINGS) - LEFT - ELSEWHERE.keys()


def test_the_table_names_every_defect() -> None:
    text = (ROOT / "docs/tracing.md").read_text()
    text = text.split("## What is mended")[1].split("\n## ")[0]
    rows = dict(re.findall(r"^\| (\S[^|]*?) \|[^|]+\| ([^|]+) \|$", text, re.MULTILINE))
    rows.pop("id")
    told = {name.strip("`").split()[0].lower(): here for name, here in rows.items()}

    assert told.keys() == IDS | SETTINGS
    assert {name for name, here in told.items() if here.startswith("left: ")} == LEFT
    for name, id in ELSEWHERE.items():
        assert told[name] == id.upper()
    tested = {subject for name in list_tests() for subject in name_subjects(name)}
    assert (IDS | SETTINGS) - LEFT - ELSEWHERE.keys() <= tested


def run_with_the_sdk(report: Path) -> dict[str, list[str]]:
    """Return how each case of each test fails with the plain SDK; empty where it does not."""
    environment = {
        name: value
        for name, value in os.environ.items()
        if "PYTEST" not in name and not name.startswith("COVERAGE_")
    }
    tests = [str(HERE / test) for test in WITH_EITHER]
    run = subprocess.run(
        [sys.executable, "-m", "pytest", "-q", "-n", "2", f"--junitxml={report}", *tests],
        cwd=ROOT,
        env={**environment, "TRACING_UNDER_TEST": "sdk"},
        capture_output=True,
        text=True,
        timeout=900,
        check=False,
    )
    assert report.exists(), run.stdout + run.stderr
    failures: dict[str, list[str]] = {}
    for case in ElementTree.parse(report).iter("testcase"):  # noqa: S314
        assert case.find("error") is None, ElementTree.tostring(case, "unicode")
        failure = case.find("failure")
        told = "" if failure is None else failure.attrib["message"]
        failures.setdefault(case.attrib["name"].partition("[")[0], []).append(told)
    return failures


def list_tests() -> list[str]:
    """Return the names of the tests of tracing."""
    files = HERE.glob("test_*.py")
    return [
        name for file in files for name in re.findall(r"^def (test_\w+)", file.read_text(), re.M)
    ]


def name_subjects(test: str) -> set[str]:
    """Return the id that a test is named after, or the setting."""
    if match := re.match(r"test_([a-z]\d+)_", test):
        return {match[1]} & IDS
    rest = test.removeprefix("test_setting_")
    return set() if rest == test else {max((s for s in SETTINGS if rest.startswith(s)), key=len)}
