"""Start and stop the real parts that tests talk to."""

import os
import random
import socket
import subprocess
import time
import urllib.error
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
MINISTACK = ROOT / ".venv-aws" / "bin" / "ministack"


# Below those that the system gives to whoever asks for any: before the port is listened on, another
# test's connection could get it.
PORTS = range(20_000, 32_000)


def find_free_port() -> int:
    """Return a port of 127.0.0.1 that nobody has, neither for TCP nor for UDP."""
    while True:
        # Tests are shuffled with the same seed in all processes.
        port = random.SystemRandom().choice(PORTS)
        with socket.socket() as tcp, socket.socket(type=socket.SOCK_DGRAM) as udp:
            try:
                tcp.bind(("127.0.0.1", port))
                udp.bind(("127.0.0.1", port))
            except OSError:
                continue
            return port


def wait_for_http(url: str, process: subprocess.Popen[bytes], timeout_seconds: float = 30) -> None:
    """Return when the URL answers anything at all. Raises RuntimeError if it does not in time."""
    deadline = time.monotonic() + timeout_seconds
    while time.monotonic() < deadline:
        if process.poll() is not None:
            raise RuntimeError(f"{process.args!r} ended with {process.returncode}.")
        try:
            urllib.request.urlopen(url, timeout=1).close()
        except urllib.error.HTTPError:
            return
        except OSError:
            time.sleep(0.05)
        else:
            return
    raise RuntimeError(f"{url} did not answer within {timeout_seconds} s.")


def stop(process: subprocess.Popen[bytes], timeout_seconds: float = 10) -> None:
    """End a process that we started: politely first, then for certain."""
    if process.poll() is None:
        process.terminate()
        try:
            process.wait(timeout_seconds)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()


@contextmanager
def run_embedded_aws(state_dir: Path, port: int | None = None) -> Iterator[str]:
    """Run the embedded S3 and DynamoDB; yield its URL."""
    port = port or find_free_port()
    environment = {
        **{name: value for name, value in os.environ.items() if not name.startswith("COV")},
        "BIND_HOST": "127.0.0.1",
        "GATEWAY_PORT": str(port),
        "STATE_DIR": str(state_dir / "state"),
        "S3_DATA_DIR": str(state_dir / "s3"),
    }
    environment.pop("AWS_ENDPOINT_URL", None)
    with (state_dir / "ministack.log").open("wb") as log:
        process = subprocess.Popen([MINISTACK], env=environment, stdout=log, stderr=log)
        try:
            url = f"http://127.0.0.1:{port}"
            wait_for_http(url, process)
            yield url
        finally:
            stop(process)
