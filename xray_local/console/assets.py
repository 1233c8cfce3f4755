"""The style sheets, scripts and drawings of the pages, and htmx from its package.

A page names the version of what it needs, so a browser may keep that for good. What has no version
in its address, as a module that another imports, is asked for again each time.
"""

import functools
import hashlib
import importlib.util
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import urlencode

from django.http import Http404, HttpRequest, HttpResponse
from django.urls import reverse
from django.views.decorators.http import require_safe

FOLDER = Path(__file__).parent.parent / "assets"
TYPES = {
    ".css": "text/css; charset=utf-8",
    ".js": "text/javascript; charset=utf-8",
    ".svg": "image/svg+xml",
}
HTMX = "htmx.js"


@dataclass(frozen=True, slots=True)
class Asset:
    """A file as it is served."""

    content: bytes
    type: str
    version: str


@require_safe
def show_asset(request: HttpRequest, name: str) -> HttpResponse:
    """Return a style sheet, a script or a drawing."""
    if name not in list_files():
        raise Http404
    asset = read_asset(name)
    is_kept = request.GET.get("v") == asset.version
    return HttpResponse(
        asset.content,
        content_type=asset.type,
        headers={
            "Cache-Control": "public, max-age=31536000, immutable" if is_kept else "no-cache",
        },
    )


def link_asset(name: str) -> str:
    """Return the path of an asset, with the version of what is in it."""
    return f"{reverse('asset', args=[name])}?{urlencode({'v': read_asset(name).version})}"


@functools.cache
def read_asset(name: str) -> Asset:
    """Return the asset of that name. Raises KeyError."""
    path = list_files()[name]
    content = path.read_bytes()
    return Asset(content, TYPES[path.suffix], hashlib.sha256(content).hexdigest()[:12])


@functools.cache
def list_files() -> dict[str, Path]:
    """Return all that is served, by name: what is there at the first request."""
    files = {path.name: path for path in FOLDER.iterdir() if path.suffix in TYPES}
    return files | {HTMX: find_htmx()}


def find_htmx() -> Path:
    """Return htmx's file; its package is there for that alone, and is not imported."""
    spec = importlib.util.find_spec("django_htmx")
    if spec is None or spec.origin is None:
        raise ModuleNotFoundError(
            "Expected the package django-htmx beside Django: "
            "python -m pip install -r requirements-local.txt",
            name="django_htmx",
        )
    return Path(spec.origin).parent / "static" / "django_htmx" / "htmx-4.min.js"
