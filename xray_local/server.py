"""The server process: starts the others, answers HTTP, ends it all."""

import argparse
import contextlib
import gc
import os
import signal
import socket
import sys
import threading
import types
from collections.abc import Callable, Iterable, Iterator
from typing import Any

from .control.database import kept_open
from .control.limits import find_limits
from .errors import CannotStart
from .intake.counts import explain_small_buffer
from .intake.pipeline import Pipeline
from .log import tell
from .options import Options, read_options
from .store.database import prepare
from .store.lock import hold

CHECK_SECONDS = 0.2
# All must have ended two seconds after it was asked for.
LAST_WRITE_SECONDS = 1.5

Application = Callable[[dict[str, Any], Any], Iterable[bytes]]


def serve(options: Options) -> None:
    """Run the local X-Ray until SIGTERM or SIGINT. Raises CannotStart."""
    stopping = threading.Event()

    def stop(_signal: int, _frame: types.FrameType | None) -> None:
        stopping.set()

    for each in (signal.SIGTERM, signal.SIGINT):
        signal.signal(each, stop)
    address = options.address
    # All ports before anything else starts; from here on datagrams wait in the socket's buffer.
    with address.listen_udp() as udp, _listen_tcp(options) as listening, _open_files(options):
        warning = explain_small_buffer(udp)
        if warning:
            tell(warning)
        pipeline = Pipeline(
            udp,
            options.database,
            find_limits(options.database, options.max_bytes, options.max_traces, options.max_hours),
            options.addresses if options.forward else (),
        )
        pipeline.start()
        try:
            application = load_application(options, pipeline, udp)
            # Nothing of what has been loaded goes: the collector need not look at it again.
            gc.freeze()
            # What is served is the same at each.
            servers = [start_http(each, application, pipeline) for each in listening]
            sys.stdout.write(
                f"X-Ray is at {address.url} (the console and the API; segments go to the same "
                f"port by UDP{_tell_otlp(options)}). Traces are kept in {options.database}.\n"
            )
            sys.stdout.flush()
            while not stopping.wait(CHECK_SECONDS):
                pipeline.check()
            for server in servers:
                server.shutdown()
        finally:
            is_done = pipeline.stop(LAST_WRITE_SECONDS)
    if not is_done:
        tell("the last segments could not be stored in time.")


@contextlib.contextmanager
def _open_files(options: Options) -> Iterator[None]:
    """Have the traces and the settings to ourselves. Raises CannotStart."""
    with hold(options.database):
        prepare(options.database)
        with kept_open(options.database):
            yield


@contextlib.contextmanager
def _listen_tcp(options: Options) -> Iterator[list[socket.socket]]:
    """Yield the sockets that listen by TCP. Raises PortTaken, BadAddress."""
    with contextlib.ExitStack() as sockets:
        listening = [sockets.enter_context(options.address.listen_tcp())]
        if options.otlp_address:
            otlp = options.otlp_address.listen_tcp("--otlp-address")
            listening.append(sockets.enter_context(otlp))
        yield listening


def _tell_otlp(options: Options) -> str:
    if not options.otlp_address:
        return ""
    return f", OpenTelemetry's spans to {options.otlp_address.url}v1/traces"


def load_application(options: Options, pipeline: Pipeline, udp: Any) -> Application:
    """Return the console and the API as a WSGI application."""
    os.environ["DJANGO_SETTINGS_MODULE"] = f"{__package__}.settings"
    os.environ["XRAY_LOCAL_HOSTS"] = " ".join(address.host for address in options.addresses)
    # Here and not above: the other processes do without Django, and so does a taken port.
    from django.core.wsgi import get_wsgi_application

    from .parts import KEY, Parts

    django = get_wsgi_application()
    parts = Parts(
        options.database,
        pipeline.send,
        udp,
        pipeline.count_forwarded,
        pipeline.clear,
        lambda: pipeline.limits,
        pipeline.set_limits,
    )

    def application(environ: dict[str, Any], start_response: Any) -> Iterable[bytes]:
        environ[KEY] = parts
        return django(environ, start_response)

    return application


def start_http(listening: Any, application: Application, pipeline: Pipeline) -> Any:
    """Serve the application on the socket, in threads; return the server."""
    from .http_server import Server
    from .shortcut import Shortcut

    server = Server(listening, application, Shortcut(pipeline.send))
    threading.Thread(
        target=server.serve_forever, kwargs={"poll_interval": 0.1}, daemon=True
    ).start()
    return server


def run(chosen: argparse.Namespace) -> int:
    """Run the local X-Ray; return the exit code, having said in one line why it is not 0."""
    try:
        serve(read_options(chosen))
    except CannotStart as error:
        tell(str(error))
        return 1
    return 0
