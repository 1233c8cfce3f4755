"""The forwarding process: sends on to AWS X-Ray what arrives here, as the X-Ray daemon does.

    writer -> outlet -> pipe -> backlog -> senders -> PutTraceSegments

Every document that is stored here goes out as it is stored, an in-progress one too. What AWS
cannot take now is sent again, with longer and longer pauses; meanwhile the oldest are dropped when
there is no more room. What AWS refuses is told and not sent again. Sampling stays local, and so
does what daemons tell of themselves (PutTelemetryRecords): that is about their senders, not ours.

Region, credentials and endpoint are boto3's to find: AWS_REGION, AWS_PROFILE, AWS_ENDPOINT_URL_XRAY
and so on. https://docs.aws.amazon.com/xray/latest/api/API_PutTraceSegments.html

    python -m xray_local.forwarding.forwarder PIPE_FD COUNTS_FD ADDRESS...
"""

import contextlib
import os
import random
import socket
import sys
import threading
import time
from collections.abc import Callable, Iterable, Sequence
from typing import Any
from urllib.parse import urlsplit

from xray_local.address import Address
from xray_local.errors import CannotForward
from xray_local.intake.frames import FrameReader, Kind
from xray_local.log import tell

from . import FORWARDED_HEADER
from .backlog import Backlog
from .count_file import CountFile

# What AWS takes in one request, and how long the first document waits for others.
BATCH_DOCUMENTS = 50
BATCH_BYTES = 1024 * 1024
BATCH_SECONDS = 1.0
# 8,000 segments of 2 KB: eight times what the daemon holds. The batches on their way come on top.
BACKLOG_MAX_BYTES = 16 * 1024 * 1024
# At 100 ms for a request of 50 this is 4,000 segments a second; AWS takes about 2,600.
SENDERS = 8
CONNECT_TIMEOUT_SECONDS = 2
ANSWER_TIMEOUT_SECONDS = 5
PAUSE_MIN_SECONDS = 0.5
PAUSE_MAX_SECONDS = 30.0
# How long the rest may take once the program is asked to end.
FLUSH_SECONDS = 2.0
# A line about the same thing comes at most this often.
NOTICE_SECONDS = 60.0
READ_BYTES = 256 * 1024
COUNTS = ("forwarded", "forward_refused", "forward_dropped", "forward_failures")
# What other credentials, or a moment, may cure.
PASSING_STATUSES = frozenset({401, 403, 408, 429})
PASSING_CODES = frozenset(
    {
        "ExpiredToken",
        "ExpiredTokenException",
        "InvalidClientTokenId",
        "RequestExpired",
        "ThrottledException",
        "ThrottlingException",
        "UnrecognizedClientException",
    }
)


class Notices:
    """Lines on stderr: the first at once, then at most one a minute of each kind."""

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._said: dict[str, float] = {}
        self._unsaid: dict[str, tuple[int, str]] = {}
        self._lock = threading.Lock()

    def add(self, line: str, number: int = 1) -> None:
        """Say the line, in which {} is the number of all that was not said of it yet."""
        kind = line.partition("{}")[0].partition(":")[0]
        with self._lock:
            number += self._unsaid.pop(kind, (0, ""))[0]
            now = self._clock()
            if kind in self._said and now - self._said[kind] < NOTICE_SECONDS:
                self._unsaid[kind] = (number, line)
                return
            self._said[kind] = now
        tell(line.replace("{}", f"{number:,}", 1))

    def finish(self) -> None:
        """Say what is left."""
        for number, line in self._unsaid.values():
            if "{}" in line:
                tell(line.replace("{}", f"{number:,}", 1))
        self._unsaid.clear()


class Forwarder:
    """Reads documents from a pipe and sends them on in batches."""

    def __init__(
        self,
        make_client: Callable[[], Any],
        counts: CountFile,
        backlog_max_bytes: int = BACKLOG_MAX_BYTES,
    ) -> None:
        self._make_client = make_client
        self._counts = counts
        self._backlog = Backlog(backlog_max_bytes)
        self._notices = Notices()
        self._client: Any = None
        self._client_lock = threading.Lock()
        self._is_failing = False
        self._ending = threading.Event()

    def run(self, pipe: int) -> None:
        """Send what the pipe brings until it ends, then the rest as far as the time allows."""
        senders = [
            threading.Thread(target=self._send_batches, name=f"sender-{number}", daemon=True)
            for number in range(SENDERS)
        ]
        for sender in senders:
            sender.start()
        reader = FrameReader()
        while data := os.read(pipe, READ_BYTES):
            bodies: list[bytes] = []
            for kind, payload in reader.feed(data):
                if kind == Kind.DROPPED:
                    self._count_dropped(int(payload))
                else:
                    bodies.append(payload)
            self._backlog.put(bodies)
            self._count_dropped(self._backlog.take_dropped())
        deadline = time.monotonic() + FLUSH_SECONDS
        self._ending.set()
        self._backlog.close()
        for sender in senders:
            sender.join(max(0.0, deadline - time.monotonic()))
        self._notices.finish()
        if any(sender.is_alive() for sender in senders):
            tell("The last segments could not be forwarded to AWS X-Ray in time.")

    def _send_batches(self) -> None:
        pause = PAUSE_MIN_SECONDS
        while taken := self._backlog.take(BATCH_DOCUMENTS, BATCH_BYTES, BATCH_SECONDS):
            reason = self._send([each.body for each in taken])
            if reason is None:
                pause = PAUSE_MIN_SECONDS
                continue
            self._counts.add("forward_failures", 1)
            self._is_failing = True
            self._notices.add(f"Cannot forward to AWS X-Ray: {reason} Trying again.")
            self._backlog.put_back(taken)
            self._count_dropped(self._backlog.take_dropped())
            # Many programs lose a service at the same moment; they must not all return at once.
            if self._ending.wait(random.uniform(pause / 2, pause)):  # noqa: S311 - no secret
                time.sleep(PAUSE_MIN_SECONDS / 2)
            pause = min(2 * pause, PAUSE_MAX_SECONDS)

    def _send(self, bodies: Sequence[bytes]) -> str | None:
        """Send one batch; return why it has to be sent again, None if it has not."""
        texts = [body.decode() for body in bodies]
        try:
            answer = self._get_client().put_trace_segments(TraceSegmentDocuments=texts)
        except CannotForward as error:
            return str(error)
        except Exception as error:  # whatever a network and a stranger's answer can come to
            if _is_final(error):
                self._refuse(len(bodies), _explain(error))
                return None
            # Other credentials may be there by the next try: look for them again.
            self._client = None
            return _explain(error)
        unprocessed = answer.get("UnprocessedTraceSegments") or []
        self._counts.add("forwarded", max(0, len(bodies) - len(unprocessed)))
        if unprocessed:
            last = unprocessed[-1]
            words = (last.get(key) for key in ("ErrorCode", "Message", "Id"))
            self._refuse(len(unprocessed), f"{_show(' '.join(filter(None, words)))}.")
        if self._is_failing:
            self._is_failing = False
            self._notices.add("Forwarding to AWS X-Ray again.")
        return None

    def _get_client(self) -> Any:
        with self._client_lock:
            client = self._client = self._client or self._make_client()
        return client

    def _refuse(self, number: int, reason: str) -> None:
        self._counts.add("forward_refused", number)
        self._notices.add(f"AWS X-Ray refused {{}} segments; the last: {reason}", number)

    def _count_dropped(self, number: int) -> None:
        if number:
            self._counts.add("forward_dropped", number)
            self._notices.add(
                "Dropped {} segments, the oldest, that waited to be forwarded to AWS X-Ray.", number
            )


def make_client(*own: Address) -> Any:
    """Return boto3's client for AWS X-Ray. Raises CannotForward, saying what is missing.

    own: where this X-Ray listens.
    """
    # Here and not above: the writer imports this module, and can do without half a second of it.
    try:
        import boto3
        from botocore.config import Config
        from botocore.exceptions import BotoCoreError
    except ImportError as error:
        raise CannotForward(
            "boto3 is not installed. Expected it after 'pip install boto3'."
        ) from error

    try:
        session = boto3.Session(region_name=os.environ.get("AWS_REGION") or None)
        if session.get_credentials() is None:
            raise CannotForward(
                "no AWS credentials were found. Expected them where the AWS CLI has them: in "
                "AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY, or in the profile that AWS_PROFILE "
                "names."
            )
        if not session.region_name:
            raise CannotForward("no AWS region was found. Expected one in AWS_REGION.")
        client = session.client(
            "xray",
            config=Config(
                connect_timeout=CONNECT_TIMEOUT_SECONDS,
                read_timeout=ANSWER_TIMEOUT_SECONDS,
                max_pool_connections=SENDERS,
                # Here it is tried again, with a limit to what waits.
                retries={"total_max_attempts": 1},
            ),
        )
    except (BotoCoreError, ValueError) as error:
        raise CannotForward(_explain(error)) from error
    if _is_own(client.meta.endpoint_url, own):
        raise CannotForward(
            f"{client.meta.endpoint_url} is this X-Ray itself. Expected AWS_ENDPOINT_URL_XRAY and "
            "AWS_ENDPOINT_URL to be unset, or to name another."
        )
    client.meta.events.register("before-call.xray.PutTraceSegments", _mark)
    return client


def _mark(params: dict[str, Any], **_: object) -> None:
    params["headers"][FORWARDED_HEADER] = "1"


def _is_own(url: str, own: Iterable[Address]) -> bool:
    """Whether the URL leads back here, where every segment would go round for ever."""
    parts = urlsplit(url)
    return any(parts.port == each.port for each in own) and _is_here(parts.hostname or "")


def _is_here(host: str) -> bool:
    """Whether it is an address of this machine: to no other can one bind."""
    try:
        for family, kind, _, _, place in socket.getaddrinfo(host, 0, type=socket.SOCK_DGRAM):
            with socket.socket(family, kind) as udp, contextlib.suppress(OSError):
                udp.bind(place)
                return True
    except OSError:
        pass  # nobody knows the name
    return False


def _is_final(error: Exception) -> bool:
    """Whether AWS has answered that it will never take this."""
    answer = getattr(error, "response", None)
    if not isinstance(answer, dict):
        return False
    status = answer.get("ResponseMetadata", {}).get("HTTPStatusCode", 500)
    code = answer.get("Error", {}).get("Code")
    return 400 <= status < 500 and status not in PASSING_STATUSES and code not in PASSING_CODES


def _explain(error: Exception) -> str:
    answer = getattr(error, "response", None)
    if not isinstance(answer, dict):
        return f"{_show(error)}."
    status = answer.get("ResponseMetadata", {}).get("HTTPStatusCode")
    words = (answer.get("Error", {}).get(key) for key in ("Code", "Message"))
    return f"it answers {status}, {_show(' '.join(map(str, filter(None, words))))}."


def _show(message: object) -> str:
    """Return a text of others that is safe in a log line."""
    text = ascii(str(message))[1:-1]
    return (text if len(text) <= 300 else f"{text[:297]}...").rstrip(".")


def main(arguments: list[str]) -> None:
    """Run the forwarding process on the file descriptors and our own addresses."""
    pipe, counts, *addresses = arguments
    own = [Address.parse(each) for each in addresses]
    Forwarder(lambda: make_client(*own), CountFile(int(counts), COUNTS)).run(int(pipe))


if __name__ == "__main__":
    main(sys.argv[1:])
