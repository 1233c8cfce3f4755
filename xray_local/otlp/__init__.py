"""OpenTelemetry's spans, by HTTP and in the datagrams of ADOT, become segments.

https://opentelemetry.io/docs/specs/otlp/
"""

import base64
import binascii
from typing import Any

from xray_local.errors import DocumentRefused

from . import protobuf
from .segments import make_documents
from .spans import BadExport

SAMPLED = b"T1S"
UNSAMPLED = b"T1U"


def read_udp(payload: bytes) -> list[dict[str, Any] | DocumentRefused]:
    """Return the documents of what ADOT sends by UDP: `T1S` and base64 of the spans' protobuf.

    For a span that is none, the reason stands in its place. Spans after `T1U` were not sampled;
    X-Ray counts them for its metrics and keeps no trace of them, so that none is returned.
    Raises DocumentRefused if the whole cannot be read.
    """
    prefix, encoded = payload[:3], payload[3:]
    if prefix not in (SAMPLED, UNSAMPLED):
        raise DocumentRefused("ParseError", f"Expected T1S or T1U first, got {prefix!r}.")
    try:
        spans = list(protobuf.read_spans(base64.b64decode(encoded.strip(), validate=True)))
    except (binascii.Error, BadExport) as error:
        raise DocumentRefused("ParseError", f"Expected spans in base64. {error}") from None
    if prefix == UNSAMPLED:
        return []
    documents: list[dict[str, Any] | DocumentRefused] = []
    for span in spans:
        try:
            documents += make_documents(span)
        except DocumentRefused as refusal:
            documents.append(refusal)
    return documents
