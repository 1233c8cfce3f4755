"""Cursors: where the next page of a list begins, in a text that only we can make."""

import base64
import binascii
import hmac
import json

from django.utils.crypto import salted_hmac

from .errors import BadCursor

SALT = "movies.cursors"
SIGNATURE_BYTES = 12
MAX_CHARS = 4096


def encode(listing: str, phase: int, position: str | None) -> str:
    """Return the cursor after `position` in one phase of a listing; URL-safe letters only."""
    payload = json.dumps([phase, position], ensure_ascii=False, separators=(",", ":")).encode()
    signed = _sign(listing, payload) + payload
    return base64.urlsafe_b64encode(signed).rstrip(b"=").decode()


def decode(listing: str, cursor: str) -> tuple[int, str | None]:
    """Return the phase and the position. Raises BadCursor for all but its own cursors."""
    if len(cursor) > MAX_CHARS:
        raise BadCursor
    try:
        raw = cursor.encode("ascii")
        signed = base64.b64decode(raw + b"=" * (-len(raw) % 4), b"-_", validate=True)
    except (UnicodeEncodeError, binascii.Error):
        raise BadCursor from None
    signature, payload = signed[:SIGNATURE_BYTES], signed[SIGNATURE_BYTES:]
    if not hmac.compare_digest(signature, _sign(listing, payload)):
        raise BadCursor
    phase, position = json.loads(payload)
    return phase, position


def _sign(listing: str, payload: bytes) -> bytes:
    value = json.dumps(listing).encode() + b"\n" + payload
    return salted_hmac(SALT, value, algorithm="sha256").digest()[:SIGNATURE_BYTES]
