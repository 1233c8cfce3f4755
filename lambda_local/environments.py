"""Execution environments: one process each, one event at a time, frozen in between.

https://docs.aws.amazon.com/lambda/latest/dg/lambda-runtime-environment.html
"""

import json
import os
import secrets
import threading
import time
from collections.abc import Callable, Mapping
from contextlib import suppress

from .errors import Throttled
from .function import PAYLOAD_BYTES, VERSION, Function
from .invocation import Invocation, Outcome, make_error
from .process import Process
from .runtime_api import RuntimeAPI

# How often a process is looked at, for whether it has more memory than it was given.
MEMORY_SECONDS = 0.1
# Until a process that was killed is gone.
END_SECONDS = 5.0
STARTS = os.cpu_count() or 1


class Environment:
    """One execution environment, from its start until its process ends."""

    def __init__(
        self,
        function: Function,
        xray_address: str,
        write_log: Callable[[bytes], None],
        pool: "Pool",
    ) -> None:
        self._function = function
        self._pool = pool
        self._change = threading.Condition()
        self._invocation: Invocation | None = None
        self._init_error: Outcome | None = None
        self._has_ended = False
        self.is_new = True
        self.started = time.time()
        self.ready: float | None = None
        self.idle_since = 0.0
        self._api = RuntimeAPI(self)
        date = time.strftime("%Y/%m/%d", time.gmtime())
        stream = f"{date}/[{VERSION}]{secrets.token_hex(16)}"
        self.process = Process(
            function, self._api.address, stream, xray_address, write_log, self._note_exit
        )

    @property
    def init(self) -> tuple[float, float] | None:
        """When it began to start and when it was ready; None while it isn't."""
        return (self.started, self.ready) if self.ready else None

    # --- What the invoker does ---------------------------------------------------------------

    def wait_until_ready(self, timeout_seconds: float) -> bool:
        """Return whether the process has asked for an event in time; it may have ended instead."""
        with self._change:
            self._change.wait_for(lambda: self.ready or self._has_ended, timeout_seconds)
            return self.ready is not None and not self._has_ended

    def invoke(self, invocation: Invocation) -> Outcome | None:
        """Return what came of an event; None if the process ended before it had seen it.

        What takes longer than it may is ended, and so is what takes more memory than it was given.
        """
        with self._change:
            was_ready = self.ready is not None
            self._invocation = invocation
            invocation.started = time.time()
            self._change.notify_all()
            while invocation.outcome is None and not self._has_ended:
                left = invocation.deadline - time.time()
                if left <= 0:
                    break
                self._change.wait(min(left, MEMORY_SECONDS))
                invocation.max_memory_mb = self.process.read_memory_mb("VmHWM")
                if self.process.read_memory_mb() > self._function.memory_mb:
                    self.process.kill()
            if invocation.outcome is not None:
                return invocation.outcome
            if not self._has_ended:
                invocation.outcome = make_error(
                    "Sandbox.Timedout",
                    f"RequestId: {invocation.request_id} Error: Task timed out after "
                    f"{self._function.timeout_seconds:.2f} seconds",
                )
            elif was_ready and not invocation.is_delivered:
                self._invocation = None
                return None
            else:
                invocation.outcome = self._init_error or make_error(
                    "Runtime.ExitError",
                    f"RequestId: {invocation.request_id} Error: {self.process.describe_exit()}",
                )
                self._end_invocation()
        self.close()
        return invocation.outcome

    def close(self) -> None:
        """End it without notice."""
        self.process.thaw()
        self.process.kill()

    def wait_for_end(self, timeout_seconds: float) -> None:
        """Return when its process has ended, and what that left is removed."""
        with self._change:
            self._change.wait_for(lambda: self._has_ended, timeout_seconds)

    def is_usable(self) -> bool:
        """Say whether an event may be given to it."""
        with self._change:
            return not self._has_ended and self.process.is_alive()

    # --- What its process does, by the Runtime API -------------------------------------------

    def wait_for_event(self) -> tuple[Mapping[str, str], bytes] | None:
        """Freeze the process; thaw it when there is an event, and return that."""
        with self._change:
            if self.ready is None:
                self.ready = time.time()
                self._change.notify_all()
            self.idle_since = time.monotonic()
            self.process.freeze()
            done, self._invocation = self._invocation, None
            if done is not None and done.outcome is None:  # it waits for this process to start
                self._invocation, done = done, None
        if not self.is_new:
            self._pool.give_back(self)
        if done is not None:
            self._end(done)
        with self._change:
            self._change.wait_for(lambda: self._invocation or self._has_ended)
            invocation = self._invocation
            self.process.thaw()
            if invocation is None or not self.process.is_alive():
                return None
            self.is_new = False
            invocation.is_delivered = True
            self.process.take_tail()
        return self._make_headers(invocation), invocation.event

    def _make_headers(self, invocation: Invocation) -> dict[str, str]:
        function = self._function
        headers = {
            "Lambda-Runtime-Aws-Request-Id": invocation.request_id,
            "Lambda-Runtime-Deadline-Ms": str(int(invocation.deadline * 1000)),
            "Lambda-Runtime-Invoked-Function-Arn": function.arn,
            "Lambda-Runtime-Trace-Id": invocation.trace.under(invocation.span_id).write(
                function.arn
            ),
        }
        if invocation.client_context is not None:
            headers["Lambda-Runtime-Client-Context"] = invocation.client_context
        return headers

    def take_response(self, request_id: str, body: bytes) -> int:
        """Take a response; one that is too large is refused, which ends the process."""
        if len(body) > PAYLOAD_BYTES:
            outcome = make_error(
                "Function.ResponseSizeTooLarge",
                "Response payload size exceeded maximum allowed payload size "
                f"({PAYLOAD_BYTES} bytes).",
            )
            self._finish(request_id, outcome)
            return 413
        return 202 if self._finish(request_id, Outcome(body)) else 400

    def take_error(self, request_id: str, body: bytes, cause: str | None) -> int:
        """Take an error, with what X-Ray is to know of it."""
        known = None
        with suppress(ValueError):
            known = json.loads(cause or "null")
        outcome = Outcome(body, is_error=True, cause=known if isinstance(known, dict) else None)
        return 202 if self._finish(request_id, outcome) else 400

    def take_init_error(self, body: bytes, error_type: str | None) -> int:
        """Take what kept the process from starting; it ends by itself."""
        with self._change:
            self._init_error = Outcome(body, is_error=True)
        return 202

    def _finish(self, request_id: str, outcome: Outcome) -> bool:
        with self._change:
            invocation = self._invocation
            if invocation is None or invocation.request_id != request_id or invocation.outcome:
                return False
            invocation.responded = time.time()
            invocation.outcome = outcome
            self._change.notify_all()
        return True

    def _end_invocation(self) -> None:
        """Let go of an invocation whose process has ended."""
        invocation = self._invocation
        if invocation is not None and invocation.outcome is not None:
            self._invocation = None
            self._end(invocation)

    def _end(self, invocation: Invocation) -> None:
        # Of a process that has ended, what was seen last.
        invocation.max_memory_mb = self.process.read_memory_mb("VmHWM") or invocation.max_memory_mb
        invocation.log_tail = self.process.take_tail()
        invocation.end()

    def _note_exit(self) -> None:
        self._pool.forget(self)
        with self._change:
            self._has_ended = True
            self._change.notify_all()
            self._end_invocation()
        self._api.close()


class Pool:
    """The environments of a function: as many as there are events at once, up to a limit."""

    def __init__(
        self, function: Function, xray_address: str, write_log: Callable[[bytes], None]
    ) -> None:
        self._function = function
        self._xray_address = xray_address
        self._write_log = write_log
        self._change = threading.Condition()
        self._starting = 0
        self._idle: list[Environment] = []
        self._taken = 0  # events that have an environment, or wait for it to start
        self._all: set[Environment] = set()
        self._is_closed = threading.Event()
        threading.Thread(target=self._end_idle, daemon=True).start()

    def enter(self) -> None:
        """Take one of the places for events. Raises Throttled if there is none."""
        with self._change:
            if self._taken >= self._function.concurrency:
                raise Throttled
            self._taken += 1

    def leave(self) -> None:
        """Give the place back."""
        with self._change:
            self._taken -= 1

    def take(self) -> Environment:
        """Return an environment: the one that was busy last, so that others may end; or a new.

        As many as there are processors may be new, until `note_start` tells how that went: who
        would wait for a processor takes what becomes free meanwhile. Lambda starts all at once, and
        gives each a processor.
        """
        with self._change:
            while True:
                while self._idle:
                    environment = self._idle.pop()
                    if environment.is_usable():
                        return environment
                if self._starting < STARTS:
                    break
                self._change.wait()
            self._starting += 1
        try:
            return self.start()
        except BaseException:
            self.note_start()
            raise

    def note_start(self) -> None:
        """Note that a new environment is ready, or has failed."""
        with self._change:
            self._starting -= 1
            self._change.notify_all()

    def start(self) -> Environment:
        """Return an environment that has only begun to start."""
        environment = Environment(self._function, self._xray_address, self._write_log, self)
        with self._change:
            if environment.is_usable():
                self._all.add(environment)
        return environment

    def give_back(self, environment: Environment) -> None:
        """Keep an environment that is frozen for the next event."""
        with self._change:
            if environment in self._all:
                self._idle.append(environment)
                self._change.notify_all()

    def forget(self, environment: Environment) -> None:
        """Note that an environment's process has ended."""
        with self._change:
            self._all.discard(environment)
            if environment in self._idle:
                self._idle.remove(environment)

    def _end_idle(self) -> None:
        while not self._is_closed.wait(1):
            oldest = time.monotonic() - self._function.idle_seconds
            with self._change:
                ended = [each for each in self._idle if each.idle_since < oldest]
                self._idle = [each for each in self._idle if each.idle_since >= oldest]
            for environment in ended:
                environment.close()

    def close(self) -> None:
        """End every environment, and return when all have ended."""
        self._is_closed.set()
        with self._change:
            environments, self._idle = list(self._all), []
        for environment in environments:
            environment.close()
        for environment in environments:
            environment.wait_for_end(END_SECONDS)
