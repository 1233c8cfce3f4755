"""The tracing header: read, passed on, and decided where nobody has.

https://docs.aws.amazon.com/xray/latest/devguide/xray-concepts.html#xray-concepts-tracingheader
"""

import re
import secrets
import threading
import time
import zlib
from dataclasses import dataclass, replace

ROOT = re.compile(r"1-[0-9a-f]{8}-[0-9a-f]{24}", re.IGNORECASE)
SPAN = re.compile(r"[0-9a-f]{16}", re.IGNORECASE)
# What Lambda, and X-Ray's default rule, take of requests without a decision.
RESERVOIR_PER_SECOND = 1
RATE = 0.05


@dataclass(frozen=True, slots=True)
class Trace:
    """Where an invocation belongs. parent_id: who asked; is_sampled: None while undecided."""

    root: str
    parent_id: str | None = None
    is_sampled: bool | None = None

    def write(self, arn: str = "") -> str:
        """Return the header; with an ARN as Lambda gives it to that function."""
        fields = [f"Root={self.root}"]
        if self.parent_id:
            fields.append(f"Parent={self.parent_id}")
        if self.is_sampled is not None:
            fields.append(f"Sampled={int(self.is_sampled)}")
        if arn:
            # Lambda finds loops by it; which hash it takes, nobody says.
            fields.append(f"Lineage=1:{zlib.crc32(arn.encode()):08x}:0")
        return ";".join(fields)

    def under(self, parent_id: str) -> "Trace":
        """Return the same trace, seen from beneath a segment."""
        return replace(self, parent_id=parent_id)


def read_trace(header: str | None) -> Trace:
    """Return the trace of a header; a new one where it names none."""
    fields = dict(
        pair.strip().partition("=")[::2] for pair in (header or "").split(";") if "=" in pair
    )
    names = {name.lower(): text for name, text in fields.items()}
    root, parent = names.get("root", ""), names.get("parent", "")
    if not ROOT.fullmatch(root):
        return Trace(make_root())
    sampled = {"0": False, "1": True}.get(names.get("sampled", ""))
    return Trace(root.lower(), parent.lower() if SPAN.fullmatch(parent) else None, sampled)


def make_root() -> str:
    """Return a new trace id."""
    return f"1-{int(time.time()):08x}-{secrets.token_hex(12)}"


def make_id() -> str:
    """Return a new segment id."""
    return secrets.token_hex(8)


class Sampler:
    """Decides about requests that come undecided: all, or one a second and 5 % of the others."""

    def __init__(self, *, is_sparing: bool) -> None:
        self._is_sparing = is_sparing
        self._lock = threading.Lock()
        self._second = 0
        self._taken = 0

    def decide(self, trace: Trace) -> Trace:
        """Return the trace with a decision: that of the header where it has one."""
        if trace.is_sampled is not None:
            return trace
        return replace(trace, is_sampled=not self._is_sparing or self._takes())

    def _takes(self) -> bool:
        second = int(time.monotonic())
        with self._lock:
            if second != self._second:
                self._second, self._taken = second, 0
            self._taken += 1
            if self._taken <= RESERVOIR_PER_SECOND:
                return True
        return secrets.randbelow(100) < RATE * 100
