"""What the function may and may not: time, memory, storage, size, its folder, its variables."""

import base64
import time
from pathlib import Path

import pytest

from lambda_local.function import PAYLOAD_BYTES
from tests.lambda_local.running import FUNCTIONS, INVOKE, NAME, run_lambda
from tests.scripts.runs import wait_until


def test_time(tmp_path: Path) -> None:
    """What takes too long is ended; the next event finds a new environment."""
    with run_lambda(tmp_path, "limits.sleep", "--timeout", "1") as local:
        answer = local.invoke()
        by_api = local.ask("/dev/")
        again = local.invoke({"seconds": 0.01})

    assert answer.headers["X-Amz-Function-Error"] == "Unhandled"
    assert answer.json()["errorType"] == "Sandbox.Timedout"
    assert answer.json()["errorMessage"].endswith(" Error: Task timed out after 1.00 seconds")
    assert (by_api.status_code, by_api.json()) == (502, {"message": "Internal server error"})
    assert again.json() == "slept"


def test_init_that_takes_too_long_is_begun_again(tmp_path: Path) -> None:
    with run_lambda(
        tmp_path,
        "starts_slowly.answer",
        *("--init-timeout", "1"),
        variables={"MARKER": str(tmp_path / "marker")},
    ) as local:
        answer = local.invoke()
        log = local.read_log()

    assert answer.json() == "at last"
    assert log.count("INIT_START") == 1
    assert log.count("Phase: init Status: error") == 1


def test_the_second_init_has_the_functions_time(tmp_path: Path) -> None:
    with run_lambda(
        tmp_path,
        "starts_slowly.answer",
        *("--init-timeout", "1", "--timeout", "2"),
        variables={"MARKER": str(tmp_path / "marker"), "ALWAYS": "1"},
    ) as local:
        started = time.monotonic()
        answer = local.invoke()

    assert 3 <= time.monotonic() - started < 10
    assert answer.json()["errorMessage"].endswith(" Error: Task timed out after 2.00 seconds")


def test_memory(tmp_path: Path) -> None:
    with run_lambda(tmp_path, "limits.fill_memory", "--memory", "128") as local:
        answer = local.invoke()

    assert answer.json()["errorType"] == "Runtime.ExitError"
    assert answer.json()["errorMessage"].endswith("Runtime exited with error: signal: killed")


def test_storage(tmp_path: Path) -> None:
    """What it writes to its temporary folder goes with it, and no file is larger than it."""
    with run_lambda(tmp_path, "limits.fill_storage", "--storage", "10") as local:
        answer = local.invoke()

    assert answer.json()["errorType"] == "OSError"
    assert "File too large" in answer.json()["errorMessage"]


def test_its_folder_is_read_only(tmp_path: Path) -> None:
    """For root, too, whom the modes of files do not bind."""
    task_dir = tmp_path / "task"
    task_dir.mkdir()
    (task_dir / "limits.py").write_text((FUNCTIONS / "limits.py").read_text())
    for path in (task_dir / "limits.py", task_dir):
        path.chmod(0o555)
    with run_lambda(tmp_path, "limits.write", task_dir=task_dir) as local:
        said = local.invoke().json()

    task_dir.chmod(0o755)
    assert said == {
        "new": "Permission denied",
        "own": "Permission denied",
        "temporary": "written",
    }


def test_size_of_an_event(tmp_path: Path) -> None:
    with run_lambda(tmp_path, "limits.echo") as local:
        fits = local.ask(INVOKE, "POST", data=make_text(PAYLOAD_BYTES))
        refused = local.ask(INVOKE, "POST", data=make_text(PAYLOAD_BYTES + 1))
        too_long = local.ask("/dev/", "POST", data=bytes(10 * 1024 * 1024 + 1))
        encoded = local.ask("/dev/", "POST", data=bytes(5 * 1024 * 1024))
        later = local.ask(
            *(INVOKE, "POST"),
            data=make_text(1024 * 1024 + 1),
            headers={"X-Amz-Invocation-Type": "Event"},
        )

    assert len(fits.content) == PAYLOAD_BYTES
    assert (refused.status_code, later.status_code) == (413, 413)
    assert refused.headers["x-amzn-ErrorType"] == "RequestTooLargeException"
    assert too_long.status_code == 413
    # In base64 it is too large for Lambda, which API Gateway does not tell.
    assert (encoded.status_code, encoded.json()) == (500, {"message": "Internal server error"})


def make_text(length: int) -> bytes:
    return b'"' + b"x" * (length - 2) + b'"'


def test_much_is_printed(tmp_path: Path) -> None:
    """All of it is in the log, and the end of it in the answer that asks for that."""
    with run_lambda(tmp_path, "limits.print_much") as local:
        answer = local.invoke(**{"X-Amz-Log-Type": "Tail"})
        log = local.read_log()

    assert answer.json() == "printed"
    assert log.count("x" * 90) == 20_000
    tail = base64.b64decode(answer.headers["X-Amz-Log-Result"]).decode()
    assert len(tail) == 4096
    assert "019999 xxx" in tail
    assert "REPORT RequestId" in tail
    assert log.index("START RequestId") < log.index("000000 xxx")
    assert log.index("019999 xxx") < log.index("END RequestId")


def test_environment_and_context(tmp_path: Path) -> None:
    """What Lambda sets cannot be set otherwise; nothing of the terminal comes along but PATH."""
    context = base64.b64encode(b'{"custom": {"name": "\xc3\xa9"}}').decode()
    with run_lambda(
        tmp_path,
        "limits.describe",
        *("--timeout", "12", "--memory", "512"),
        variables={"STAGE": "dev", "AWS_LAMBDA_FUNCTION_NAME": "another", "LANG": "C.UTF-8"},
    ) as local:
        said = local.invoke(**{"X-Amz-Client-Context": context}).json()

    environment = said["environment"]
    assert {
        name: environment[name]
        for name in ("AWS_LAMBDA_FUNCTION_NAME", "STAGE", "LANG", "TZ", "AWS_REGION", "_HANDLER")
    } == {
        "AWS_LAMBDA_FUNCTION_NAME": NAME,
        "STAGE": "dev",
        "LANG": "C.UTF-8",
        "TZ": ":UTC",
        "AWS_REGION": "us-east-1",
        "_HANDLER": "limits.describe",
    }
    assert environment["LAMBDA_TASK_ROOT"] == said["folder"] == str(FUNCTIONS)
    assert environment["_X_AMZN_TRACE_ID"].startswith("Root=1-")
    assert "PYTEST_CURRENT_TEST" not in environment
    assert 10_000 < said["left_ms"] <= 12_000
    assert said["arn"] == f"arn:aws:lambda:us-east-1:123456789012:function:{NAME}"
    assert said["memory"] == "512"
    assert said["log_stream"] == environment["AWS_LAMBDA_LOG_STREAM_NAME"]
    assert said["client"] == {"name": "é"}


def test_asynchronous_events_are_tried_again(tmp_path: Path) -> None:
    with run_lambda(tmp_path, "limits.raise_error", "--retries", "0.1", "0.2") as local:
        answer = local.invoke(**{"X-Amz-Invocation-Type": "Event"})

        assert (answer.status_code, answer.content) == (202, b"")
        wait_until(lambda: local.read_log().count("REPORT") == 3, "Three tries")


@pytest.mark.parametrize(
    ("path", "headers", "status", "error"),
    [
        ("/2015-03-31/functions/other/invocations", {}, 404, "ResourceNotFoundException"),
        (INVOKE, {"X-Amz-Client-Context": "?"}, 400, "InvalidParameterValueException"),
    ],
)
def test_refused(
    tmp_path: Path, path: str, headers: dict[str, str], status: int, error: str
) -> None:
    with run_lambda(tmp_path, "limits.echo") as local:
        answer = local.ask(path, "POST", data=b"{}", headers=headers)

    assert (answer.status_code, answer.headers["x-amzn-ErrorType"]) == (status, error)


def test_boto3(tmp_path: Path) -> None:
    with run_lambda(tmp_path, "limits.echo") as local:
        client = local.make_client()
        for name in (NAME, f"123456789012:{NAME}", f"{NAME}:$LATEST"):
            answer = client.invoke(FunctionName=name, Payload=b'{"a": 1}')
            assert answer["Payload"].read() == b'{"a": 1}'
            assert answer["ExecutedVersion"] == "$LATEST"
        assert client.invoke(FunctionName=NAME, InvocationType="DryRun")["StatusCode"] == 204
        with pytest.raises(client.exceptions.InvalidRequestContentException):
            client.invoke(FunctionName=NAME, Payload=b"no json")
