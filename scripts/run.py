"""`make run`: the site, the local X-Ray and the embedded AWS in one terminal.

Starts all of it, starts again what ends, and stops all of it on Ctrl-C, SIGTERM or SIGHUP.
SITE_PORT, XRAY_PORT, AWS_PORT, OTLP_PORT and LOCAL_DIR in the environment choose other ports and
folders.
"""

import fcntl
import os
import sys
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

from scripts.ports import BadPort, find_conflicts, read_ports
from scripts.stack import Stack, read_stack
from scripts.supervisor import Failed, Stopped, StopRequest, Supervisor, say


@contextmanager
def hold(local_dir: Path, target: str = "run") -> Iterator[None]:
    """Keep the folder to ourselves. Raises Failed if another run uses it.

    target: of make, which another folder would be given to.
    """
    try:
        local_dir.mkdir(parents=True, exist_ok=True)
        (local_dir / "aws").mkdir(exist_ok=True)
        lock = (local_dir / "run.lock").open("a+")
    except OSError as error:
        raise Failed(f"Cannot use the folder {str(local_dir)!r}: {error.strerror}.") from error
    with lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            lock.seek(0)
            raise Failed(
                f"Process {lock.read().strip()} runs already with the data in {local_dir}. "
                f"Stop it, or choose another folder: make {target} LOCAL_DIR=.local2"
            ) from None
        lock.truncate(0)
        lock.write(str(os.getpid()))
        lock.flush()
        yield


def main() -> int:
    """Run until stopped. Returns 0 if that was asked for, else 1."""
    started = time.monotonic()
    stop_request = StopRequest(os.environ)
    stop_request.listen()
    try:
        stack = read_stack(os.environ)
        conflicts = find_conflicts(read_ports(os.environ))
        if conflicts:
            raise Failed("\n".join(conflicts))
        with hold(stack.local_dir):
            return supervise(stack, stop_request, started)
    except (BadPort, Failed) as error:
        say(str(error), sys.stderr)
        return 1


def supervise(
    stack: Stack,
    stop_request: StopRequest,
    started: float,
    site_command: Sequence[str | Path] | None = None,
) -> int:
    """Start the stack, say where it is, watch it, stop it.

    site_command: in place of the development server's.
    """
    supervisor = Supervisor(stack, os.environ, stop_request, site_command)
    try:
        supervisor.start()
        seconds = time.monotonic() - started
        say(
            f"\nReady after {seconds:.1f} s.\n\n"
            f"  The site            {stack.site_url}{stack.site_root}\n"
            f"  The traces of it    {stack.xray_url}/\n"
            f"  The embedded AWS    AWS_ENDPOINT_URL={stack.aws_url}\n\n"
            f"Logs and data are in {stack.local_dir}. Ctrl-C stops all of it.\n"
        )
        supervisor.watch()
    except Stopped:
        say("\nStopping the site, the embedded AWS and the local X-Ray.")
        return 0
    finally:
        supervisor.stop()


if __name__ == "__main__":
    sys.exit(main())
