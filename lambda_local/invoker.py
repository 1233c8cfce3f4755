"""Lambda's Invoke: find or start an environment, hand it the event, tell what came of it.

https://docs.aws.amazon.com/lambda/latest/dg/lambda-runtime-environment.html#runtimes-lifecycle
"""

import json
import math
import sys
import threading
import time

from .environments import Environment, Pool
from .errors import BadContent, RequestTooLarge
from .function import ASYNC_PAYLOAD_BYTES, PAYLOAD_BYTES, VERSION, Function
from .invocation import Invocation, Outcome
from .segments import Sender, make_function_segment, make_service_segment
from .trace_header import Trace

# Until the process asks for the next event, having answered this one.
OVERHEAD_SECONDS = 1.0


class Log:
    """The function's log: its own output, and Lambda's lines about it."""

    def __init__(self) -> None:
        self._lock = threading.Lock()

    def write(self, output: bytes) -> None:
        """Write what the function said."""
        with self._lock:
            try:
                sys.stdout.buffer.write(output)
                sys.stdout.buffer.flush()
            except OSError:
                pass  # the terminal is gone


class Invoker:
    """Invokes one function."""

    def __init__(self, function: Function, xray_address: str) -> None:
        self.function = function
        self.sender = Sender(xray_address)
        self._log = Log()
        self._pool = Pool(function, xray_address, self._log.write)
        self._is_closed = threading.Event()

    def invoke(
        self, event: bytes, trace: Trace, request_id: str, client_context: str | None = None
    ) -> tuple[Outcome, Invocation]:
        """Return what the function made of an event, and the invocation's account.

        trace: decided. client_context: JSON. Raises InvokeError where the event never reaches it.
        """
        check_event(event, PAYLOAD_BYTES)
        return self._attempt(Invocation(event, trace, request_id, client_context))

    def invoke_later(
        self, event: bytes, trace: Trace, request_id: str, client_context: str | None = None
    ) -> None:
        """Have an event handled; where that fails, twice more. Raises InvokeError."""
        check_event(event, ASYNC_PAYLOAD_BYTES)

        def run() -> None:
            for delay in (0.0, *self.function.retry_seconds):
                if self._is_closed.wait(delay):
                    return
                try:
                    # Each try has the same id.
                    again = Invocation(event, trace, request_id, client_context)
                    outcome, _ = self._attempt(again)
                except Exception as error:  # all places are taken
                    self._log.write(f"An asynchronous event waits: {error}\n".encode())
                    continue
                if not outcome.is_error:
                    return

        threading.Thread(target=run, daemon=True).start()

    def _attempt(self, invocation: Invocation) -> tuple[Outcome, Invocation]:
        received = time.time()
        trace = invocation.trace
        invocation.on_end = self._report
        status = 200
        try:
            self._pool.enter()
            try:
                outcome = self._run(invocation)
                invocation.is_over.wait(OVERHEAD_SECONDS)
            finally:
                self._pool.leave()
            return outcome, invocation
        except Exception as error:
            status = getattr(error, "status", 500)
            raise
        finally:
            if trace.is_sampled:
                times = received, time.time()
                self.sender.send(
                    make_service_segment(
                        self.function,
                        trace,
                        invocation.segment_id,
                        invocation.request_id,
                        times,
                        status,
                    )
                )

    def _run(self, invocation: Invocation) -> Outcome:
        """Run an event in an environment. One that ends before it has seen the event is no loss."""
        while True:
            environment = self._pool.take()
            if environment.is_new:
                try:
                    environment = self._start(environment)
                finally:
                    self._pool.note_start()
                invocation.init = environment.init
            invocation.deadline = time.time() + self.function.timeout_seconds
            self._write_line(f"START RequestId: {invocation.request_id} Version: {VERSION}")
            outcome = environment.invoke(invocation)
            if outcome is not None:
                return outcome

    def _start(self, environment: Environment) -> Environment:
        """Return a new environment that is ready; where init fails, one that starts once more.

        The second init is a part of the first invocation, within the function's own time.
        """
        self._write_line(f"INIT_START Runtime Version: python:{self.function.version}")
        if environment.wait_until_ready(self.function.init_seconds):
            return environment
        environment.close()
        duration_ms = (time.time() - environment.started) * 1000
        self._write_line(
            f"INIT_REPORT Init Duration: {duration_ms:.2f} ms Phase: init Status: error"
        )
        return self._pool.start()

    def _report(self, invocation: Invocation) -> None:
        """Write Lambda's lines about an invocation that has ended, and send its segment."""
        function = self.function
        duration_ms = (invocation.ended - (invocation.started or invocation.ended)) * 1000
        parts = [
            f"REPORT RequestId: {invocation.request_id}",
            f"Duration: {duration_ms:.2f} ms",
            f"Billed Duration: {math.ceil(duration_ms)} ms",
            f"Memory Size: {function.memory_mb} MB",
            f"Max Memory Used: {invocation.max_memory_mb} MB",
        ]
        if invocation.init:
            parts.append(
                f"Init Duration: {(invocation.init[1] - invocation.init[0]) * 1000:.2f} ms"
            )
        lines = [f"END RequestId: {invocation.request_id}", "\t".join(parts)]
        trace = invocation.trace
        if trace.is_sampled:
            lines.append(
                f"XRAY TraceId: {trace.root}\tSegmentId: {invocation.segment_id}\tSampled: true"
            )
            self.sender.send(make_function_segment(function, invocation))
        if invocation.outcome is not None and not invocation.responded:
            # Nobody else tells of it: the process could not.
            error = json.loads(invocation.outcome.payload or b"{}")
            lines.insert(0, f"{error.get('errorType')} {error.get('errorMessage')}")
        start = f"START RequestId: {invocation.request_id} Version: {VERSION}\n".encode()
        text = "\n".join(lines)
        invocation.log_tail = start + invocation.log_tail + text.encode() + b"\n"
        self._write_line(text)

    def _write_line(self, text: str) -> None:
        self._log.write(text.encode() + b"\n")

    def close(self) -> None:
        """End every environment."""
        self._is_closed.set()
        self._pool.close()
        self.sender.close()


def check_event(event: bytes, limit_bytes: int) -> None:
    """Raise InvokeError for an event that is too large, or no JSON."""
    if len(event) > limit_bytes:
        raise RequestTooLarge(limit_bytes)
    try:
        json.loads(event)
    except ValueError as error:
        raise BadContent(error) from error
