"""The style sheets, scripts and drawings of the pages."""

import functools
import hashlib
from pathlib import Path
from urllib.parse import urlencode

from django.http import HttpRequest, HttpResponse
from django.urls import reverse
from django.views.decorators.http import require_safe

ASSET_TYPES = {"console.css": "text/css; charset=utf-8", "icon.svg": "image/svg+xml"}
ASSET_FILES = {name: Path(__file__).parent.parent / "assets" / name for name in ASSET_TYPES}


@require_safe
def show_asset(request: HttpRequest, name: str) -> HttpResponse:
    """Return a style sheet or a drawing."""
    content = ASSET_FILES[name].read_bytes()
    # The link names the version, so a browser may keep what it has for good.
    return HttpResponse(
        content,
        content_type=ASSET_TYPES[name],
        headers={"Cache-Control": "public, max-age=31536000, immutable"},
    )


@functools.cache
def link_asset(name: str) -> str:
    """Return the path of an asset, with the version of what is in it."""
    version = hashlib.sha256(ASSET_FILES[name].read_bytes()).hexdigest()[:12]
    return f"{reverse('asset', kwargs={'name': name})}?{urlencode({'v': version})}"
