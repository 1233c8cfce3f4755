"""Read the tracing header as AWS's services write it, whatever a client made of it.

Source: https://docs.aws.amazon.com/xray/latest/devguide/xray-concepts.html#xray-concepts-tracingheader
"""

from __future__ import annotations

import re
from typing import Any

ROOT = re.compile(r"1-[0-9a-f]{8}-[0-9a-f]{24}")
PARENT = re.compile(r"[0-9a-f]{16}")
# Fields that are passed on as they came: Lineage is Lambda's guard against endless loops.
FIELD = re.compile(r"[A-Za-z0-9_-]{1,64}=[^;\s]{1,256}")
# As services write it.
USUAL = re.compile(
    r"Root=(1-[0-9a-f]{8}-[0-9a-f]{24})(?:;Parent=([0-9a-f]{16}))?(?:;Sampled=([01?]))?"
    r"((?:;Lineage=[^;\s]{1,256})?)"
)
SAMPLED: dict[str, int | str] = {"0": 0, "1": 1, "?": "?"}
# Self is what a load balancer adds about itself: it is not passed on.
KNOWN = frozenset({"root", "parent", "sampled", "self"})


class TraceHeader:
    """The fields of a tracing header; None for one that is missing.

    sampled: 1, 0, or `?` where the client wants to be told the decision. rest: what is passed on,
    each field after a semicolon. text: all of it, where it came as services write it.
    """

    __slots__ = ("parent", "rest", "root", "sampled", "text")

    def __init__(
        self,
        root: str | None = None,
        parent: str | None = None,
        sampled: int | str | None = None,
        rest: str = "",
        text: str = "",
    ) -> None:
        self.root = root
        self.parent = parent
        self.sampled = sampled
        self.rest = rest
        self.text = text

    @property
    def data(self) -> dict[str, str]:
        """What is passed on, by name, as the SDK's header has it."""
        pairs = (field.partition("=") for field in self.rest.split(";") if field)
        return {name: value for name, _, value in pairs}


def adopt_header(header: Any) -> TraceHeader:
    """Return a header of the SDK's own class, or none at all, as one of ours."""
    if isinstance(header, TraceHeader):
        return header
    if header is None:
        return TraceHeader()
    rest = "".join([f";{name}={value}" for name, value in (header.data or {}).items()])
    return TraceHeader(header.root, header.parent, header.sampled, rest)


def parse(header: str | None) -> TraceHeader:
    """Return the header's fields; those that are not as X-Ray writes them count as missing."""
    if not header:
        return TraceHeader()
    usual = USUAL.fullmatch(header)
    if usual is not None:
        root, parent, sampled, rest = usual.groups()
        # By hand: to call the class would take longer than to read the header.
        made: Any = object.__new__(TraceHeader)
        made.root, made.parent, made.sampled = root, parent, SAMPLED.get(sampled)
        made.rest, made.text = rest, header
        known: TraceHeader = made
        return known
    fields: dict[str, str] = {}
    for token in header[:1024].split(";"):
        token = token.strip()
        if FIELD.fullmatch(token):
            key, _, value = token.partition("=")
            fields.setdefault(key.lower(), token if key.lower() not in KNOWN else value)
    root = fields.get("root", "").lower()
    parent = fields.get("parent", "").lower()
    is_root = bool(ROOT.fullmatch(root))
    return TraceHeader(
        root=root if is_root else None,
        # A parent in a trace that we cannot name would hang the segment in the air.
        parent=parent if is_root and PARENT.fullmatch(parent) else None,
        sampled=SAMPLED.get(fields.get("sampled", "")),
        rest="".join([f";{token}" for key, token in fields.items() if key not in KNOWN]),
    )
