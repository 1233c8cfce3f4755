"""Functions that try Lambda's limits; each is a handler."""

import base64
import json
import os
import signal
import subprocess
import sys
import threading
import time
from pathlib import Path
from tempfile import gettempdir

STARTED = time.time()
calls = 0
ticks = 0


class Oops(Exception):
    pass


def raise_error(event, context):
    raise Oops("too bad")


def raise_chained(event, context):
    try:
        raise KeyError("first")
    except KeyError as error:
        raise Oops("then") from error


def exit_with_status(event, context):
    sys.exit(3)


def exit_in_silence(event, context):
    os._exit(0)


def kill_itself(event, context):
    os.kill(os.getpid(), signal.SIGKILL)


def answer_7_mb(event, context):
    return "x" * 7_000_000


def answer_what_is_no_json(event, context):
    return {1, 2}


def answer_as_told(event, context):
    return json.loads(base64.b64decode(event["body"]))["answer"]


def answer_x(event, context):
    return "x" * event["times"]


def sleep(event, context):
    time.sleep(event.get("seconds", 30))
    return "slept"


def sleep_two_seconds(event, context):
    time.sleep(2)
    return "slept"


def echo(event, context):
    return event


def echo_over_http(event, context):
    return {"statusCode": 200, "body": json.dumps(event)}


def answer_in_many_headers(event, context):
    return {
        "statusCode": "201",
        "headers": {"Date": "yesterday", "X-Number": 3, "Content-Length": "99", "X-One": "a"},
        "multiValueHeaders": {"Set-Cookie": ["a=1", "b=2"], "X-One": ["b", "c"]},
        "body": "w6k=",
        "isBase64Encoded": True,
    }


def answer_in_format_2(event, context):
    return {"statusCode": 201, "headers": {"x-one": "a"}, "cookies": ["a=1", "b=2"], "body": "é"}


def count(event, context):
    """What this environment is, and for how many events it has been."""
    global calls
    calls += 1
    return {"pid": os.getpid(), "calls": calls, "started": STARTED}


def tick():
    global ticks
    while True:
        time.sleep(0.01)
        ticks += 1


def count_ticks(event, context):
    """What a thread has done until now; it goes on after the answer."""
    if not calls:
        threading.Thread(target=tick, daemon=True).start()
    count(event, context)
    return {"ticks": ticks, "now": time.time()}


def describe(event, context):
    return {
        "environment": dict(os.environ),
        "left_ms": context.get_remaining_time_in_millis(),
        "request_id": context.aws_request_id,
        "arn": context.invoked_function_arn,
        "memory": context.memory_limit_in_mb,
        "log_stream": context.log_stream_name,
        "client": context.client_context and context.client_context.custom,
        "folder": os.getcwd(),
        "path": sys.path,
    }


def write(event, context):
    """Write where it may and where it may not."""
    said = {}
    for name, path in {
        "new": Path("new.txt"),
        "own": Path(__file__),
        "temporary": Path(gettempdir()) / "new.txt",
    }.items():
        try:
            with path.open("a") as file:
                file.write("#")
            said[name] = "written"
        except OSError as error:
            said[name] = error.strerror
    return said


def fill_storage(event, context):
    with (Path(gettempdir()) / "large").open("wb") as file:
        for _ in range(20):
            file.write(bytes(1024 * 1024))


def fill_memory(event, context):
    parts = []
    while True:
        parts.append(bytearray(os.urandom(1024) * 1024 * 10))
        time.sleep(0.01)


def print_much(event, context):
    for number in range(20_000):
        sys.stdout.write(f"{number:06d} {'x' * 90}\n")
    return "printed"


def start_child(event, context):
    return subprocess.Popen(["sleep", "300"]).pid
