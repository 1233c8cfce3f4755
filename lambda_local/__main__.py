"""The local API Gateway and Lambda as a program: python -m lambda_local --task-dir FOLDER ..."""

import argparse
import json
import signal
import sys
import threading
from pathlib import Path

from .function import IDLE_SECONDS, INIT_SECONDS, RETRY_SECONDS, Function
from .http_front import Front, Server
from .invoker import Invoker
from .trace_header import Sampler


def read_options(arguments: list[str]) -> argparse.Namespace:
    """Return what the command line says."""
    parser = argparse.ArgumentParser(
        prog="lambda_local", description="A local API Gateway and Lambda for one Python function."
    )
    add = parser.add_argument
    add("--task-dir", type=Path, required=True, help="the function's folder, as in /var/task")
    add("--handler", default="lambda_entry.lambda_handler", help="as in Lambda's configuration")
    add("--name", default="movies-dev-web", help="the function's name")
    add("--host", default="127.0.0.1", help="where to listen")
    add("--port", type=int, default=3000, help="where to listen; 0 takes any that is free")
    add("--stage", default="dev", help="the stage of the REST API")
    add("--api-name", default="movies-dev", help="the name of the REST API")
    add("--python", default=sys.executable, help="the Python that runs the function")
    add("--python-version", default="{}.{}".format(*sys.version_info), metavar="X.Y")
    add("--runtime-dir", type=Path, help="where awslambdaric is, unless that Python has it")
    add("--variables", type=Path, metavar="FILE", help="the function's variables, a JSON object")
    add("--xray-address", default="127.0.0.1:2000", help="where segments go, by UDP")
    add("--region", default="us-east-1")
    add("--timeout", type=float, default=29.0, metavar="SECONDS", help="of an invocation")
    add("--init-timeout", type=float, default=INIT_SECONDS, metavar="SECONDS", help="of a start")
    add("--memory", type=int, default=1024, metavar="MB")
    add("--storage", type=int, default=512, metavar="MB", help="the largest file in TMPDIR")
    add("--concurrency", type=int, default=20, help="events at once; more are throttled")
    add(
        "--idle",
        type=float,
        default=IDLE_SECONDS,
        metavar="SECONDS",
        help="until an environment ends",
    )
    add(
        "--retries",
        type=float,
        nargs="*",
        default=list(RETRY_SECONDS),
        metavar="SECONDS",
        help="before an asynchronous event is tried again",
    )
    add("--sampling", action="store_true", help="trace one request a second and 5 %% of the others")
    return parser.parse_args(arguments)


def make_function(options: argparse.Namespace) -> Function:
    """Return the function that the options describe."""
    runtime_dir = options.runtime_dir and options.runtime_dir.resolve()
    return Function(
        name=options.name,
        handler=options.handler,
        task_dir=options.task_dir.resolve(),
        # Of the machine's own packages the function shall see none.
        command=[options.python, *(["-S"] if runtime_dir else [])],
        version=options.python_version,
        runtime_dir=runtime_dir,
        variables=json.loads(options.variables.read_text()) if options.variables else {},
        region=options.region,
        timeout_seconds=options.timeout,
        init_seconds=options.init_timeout,
        memory_mb=options.memory,
        storage_mb=options.storage,
        concurrency=options.concurrency,
        idle_seconds=options.idle,
        retry_seconds=options.retries,
    )


def main(arguments: list[str]) -> int:
    """Serve until SIGTERM, SIGINT or SIGHUP; end every environment."""
    options = read_options(arguments)
    invoker = Invoker(make_function(options), options.xray_address)
    front = Front(invoker, Sampler(is_sparing=options.sampling), options.stage, options.api_name)
    server = Server((options.host, options.port), front)
    is_stopped = threading.Event()
    for number in (signal.SIGTERM, signal.SIGINT, signal.SIGHUP):
        signal.signal(number, lambda caught, frame: is_stopped.set())
    threading.Thread(target=server.serve_forever, args=[0.1], daemon=True).start()
    print(f"Listening at http://{options.host}:{server.server_address[1]}", flush=True)  # noqa: T201
    is_stopped.wait()
    server.shutdown()
    front.close()
    invoker.close()
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
