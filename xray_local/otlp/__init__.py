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


def read_udp(payload: bytes) -> list[dict[str, Any]]:
    """Return the documents of what ADOT sends by UDP: `T1S` and base64 of the spans' protobuf.

    Spans after `T1U` were not sampled; X-Ray counts them for its metrics and keeps no trace of
    them, so that none of them is returned. A span that is none is left out, the others are kept.
    Raises DocumentRefused.
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
    documents: list[dict[str, Any]] = []
    refusal: DocumentRefused | None = None
    for span in spans:
        try:
            documents.extend(make_documents(span))
        except DocumentRefused as error:
            refusal = error
    if refusal is not None and not documents:
        raise refusal
    return documents
