"""Read the tracing header as AWS's services write it, whatever a client made of it.

Source: https://docs.aws.amazon.com/xray/latest/devguide/xray-concepts.html#xray-concepts-tracingheader
"""

import re

from aws_xray_sdk.core.models.trace_header import TraceHeader

__all__ = ["TraceHeader", "parse"]

ROOT = re.compile(r"1-[0-9a-f]{8}-[0-9a-f]{24}")
PARENT = re.compile(r"[0-9a-f]{16}")
# Fields that are passed on as they came: Lineage is Lambda's guard against endless loops.
FIELD = re.compile(r"[A-Za-z0-9_-]{1,64}=[^;\s]{1,256}")


def parse(header: str | None) -> TraceHeader:
    """Return the header's fields; those that are not as X-Ray writes them count as missing."""
    fields: dict[str, str] = {}
    for token in (header or "")[:1024].split(";"):
        token = token.strip()
        if FIELD.fullmatch(token):
            key, _, value = token.partition("=")
            fields.setdefault(key.lower(), token if key.lower() not in _KNOWN else value)
    root = fields.get("root", "").lower()
    parent = fields.get("parent", "").lower()
    is_root = bool(ROOT.fullmatch(root))
    return TraceHeader(
        root=root if is_root else None,
        # A parent in a trace that we cannot name would hang the segment in the air.
        parent=parent if is_root and PARENT.fullmatch(parent) else None,
        sampled=fields.get("sampled") if fields.get("sampled") in ("0", "1", "?") else None,
        data=dict(token.split("=", 1) for key, token in fields.items() if key not in _KNOWN),
    )


# Self is what a load balancer adds about itself: it is not passed on.
_KNOWN = frozenset({"root", "parent", "sampled", "self"})
