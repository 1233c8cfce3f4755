"""The same bad functions through AWS's own emulator and through ours: the same errors.

Where the two differ, the emulator is not as Lambda is; those have a test of their own below.
"""

import json
import re
from pathlib import Path
from typing import Any

import pytest

from lambda_local.function import PAYLOAD_BYTES
from tests.lambda_local.emulator import ask_emulator
from tests.lambda_local.running import INVOKE, run_lambda

ID = re.compile(r"[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}")


def ask_ours(handler: str, event: bytes, folder: Path, *options: str) -> tuple[bytes, str | None]:
    with run_lambda(folder, handler, *options) as local:
        answer = local.ask(INVOKE, "POST", data=event)
        return answer.content, answer.headers.get("X-Amz-Function-Error")


def normalise(body: bytes) -> Any:
    """Return the JSON with every id of a request replaced, which is another each time."""
    return json.loads(ID.sub("ID", body.decode()))


@pytest.mark.parametrize(
    "handler",
    [
        "limits.raise_error",
        "limits.raise_chained",
        "limits.exit_with_status",
        "limits.exit_in_silence",
        "limits.kill_itself",
        "limits.answer_7_mb",
        "limits.answer_what_is_no_json",
        "limits.no_such_function",
        "raises_at_import.answer",
        "imports_what_is_not_there.answer",
        "no_such_module.answer",
        "without_a_point",
        "sys.exit",
    ],
)
def test_errors(tmp_path: Path, handler: str) -> None:
    theirs = ask_emulator(handler, b"{}", tmp_path / "theirs.log")
    ours, kind = ask_ours(handler, b"{}", tmp_path)

    assert normalise(ours) == normalise(theirs)
    assert set(normalise(ours)) >= {"errorType", "errorMessage"}
    assert kind == "Unhandled"


def test_syntax_error(tmp_path: Path) -> None:
    task_dir = tmp_path / "task"
    task_dir.mkdir()
    (task_dir / "wrong.py").write_text("def answer(:\n")
    with run_lambda(tmp_path, "wrong.answer", task_dir=task_dir) as local:
        said = local.invoke().json()

    assert said["errorType"] == "Runtime.UserCodeSyntaxError"


@pytest.mark.parametrize(
    ("length", "is_too_large"), [(PAYLOAD_BYTES, False), (PAYLOAD_BYTES + 1, True)]
)
def test_size_of_a_response(tmp_path: Path, length: int, is_too_large: bool) -> None:
    """The limit is the same byte."""
    event = json.dumps({"times": length - 2}).encode()
    theirs = ask_emulator("limits.answer_x", event, tmp_path / "theirs.log")
    ours, kind = ask_ours("limits.answer_x", event, tmp_path)

    assert normalise(ours) == normalise(theirs)
    assert (kind is not None) == is_too_large
    assert len(ours) == length or is_too_large


def test_an_event_of_the_largest_size(tmp_path: Path) -> None:
    event = b'"' + b"x" * (PAYLOAD_BYTES - 2) + b'"'

    theirs = ask_emulator("limits.echo", event, tmp_path / "theirs.log")
    ours, kind = ask_ours("limits.echo", event, tmp_path)

    assert ours == theirs == event
    assert kind is None


def test_where_the_emulator_is_not_as_lambda_is(tmp_path: Path) -> None:
    """It tells of time in a text that is no JSON, and of an exit at import nothing at all."""
    late = ask_emulator("limits.sleep", b"{}", tmp_path / "theirs.log", timeout_seconds=1)
    silent = ask_emulator("exits_at_import.answer", b"{}", tmp_path / "theirs.log")
    ours_late, _ = ask_ours("limits.sleep", b"{}", tmp_path, "--timeout", "1")
    ours_silent, _ = ask_ours("exits_at_import.answer", b"{}", tmp_path)

    assert late == b"Task timed out after 1.00 seconds"
    assert normalise(ours_late) == {
        "errorType": "Sandbox.Timedout",
        "errorMessage": f"RequestId: ID Error: {late.decode()}",
    }
    assert silent == b""
    assert normalise(ours_silent) == {
        "errorType": "Runtime.ExitError",
        "errorMessage": "RequestId: ID Error: Runtime exited with error: exit status 4",
    }
