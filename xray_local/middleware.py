"""Who may ask, and what a browser may do with the answer."""

import ipaddress
import re
from collections.abc import Callable
from urllib.parse import urlsplit

from django.conf import settings
from django.core.exceptions import DisallowedHost
from django.http import HttpRequest, HttpResponse

# Django's GZipMiddleware takes any word of it for a yes.
# https://www.rfc-editor.org/rfc/rfc9110#section-12.5.3
GZIP_REFUSED = re.compile(r"\bgzip\s*;\s*q\s*=\s*0(?:\.0*)?\s*(?:,|$)", re.IGNORECASE)
# Documents are written by strangers: should one get markup into a page, nothing in it runs.
SECURITY_HEADERS = {
    "Content-Security-Policy": (
        "default-src 'none'; style-src 'self'; script-src 'self'; connect-src 'self'; "
        "img-src 'self'; "
        "base-uri 'none'; form-action 'self'; frame-ancestors 'none'"
    ),
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "DENY",
    # With "no-referrer" a browser would send forms of our own pages with the origin "null".
    "Referrer-Policy": "same-origin",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
}


def guard(get_response: Callable[[HttpRequest], HttpResponse]) -> Callable[..., HttpResponse]:
    """Refuse strangers' pages; set the security headers and the length."""

    def answer(request: HttpRequest) -> HttpResponse:
        if GZIP_REFUSED.search(request.META.get("HTTP_ACCEPT_ENCODING", "")):
            del request.META["HTTP_ACCEPT_ENCODING"]
        reason = find_refusal(request)
        if reason is None:
            response = get_response(request)
        else:
            response = HttpResponse(f"{reason}\n", status=403, content_type="text/plain")
        return complete(response)

    return answer


def complete(response: HttpResponse) -> HttpResponse:
    """Set the headers that all answers have."""
    for name, value in SECURITY_HEADERS.items():
        response.headers.setdefault(name, value)
    # The connection can be used again only if the client knows where the answer ends; a file says
    # it itself.
    if not response.streaming:
        response.headers["Content-Length"] = str(len(response.content))
    return response


def find_refusal(request: HttpRequest) -> str | None:
    """Say why the request is not answered; None if it is."""
    host = _read_host(request)
    if host is None:
        return (
            "This X-Ray answers to localhost, 127.0.0.1, [::1] and the address it was started "
            f"with; the request names the host {request.headers.get('Host')!a}."
        )
    origin = request.headers.get("Origin")
    if origin is not None and origin != f"{request.scheme}://{host}":
        return f"This X-Ray answers no other site; the request comes from {origin!a}."
    if _is_from_another_site(request):
        return "This X-Ray answers no other site; links lead here, but nothing else does."
    return None


def _read_host(request: HttpRequest) -> str | None:
    """Return the host that the request names, with the port; None if it is not ours."""
    try:
        return request.get_host()
    except DisallowedHost:
        host = request.headers.get("Host", "")
        takes_any: bool = getattr(settings, "TAKES_ANY_ADDRESS", False)
        return host if takes_any and _is_address(host) else None


def _is_address(host: str) -> bool:
    """Whether the host is written as an address, with a port or without."""
    try:
        ipaddress.ip_address(urlsplit(f"//{host}").hostname or "")
    except ValueError:
        return False
    return True


def _is_from_another_site(request: HttpRequest) -> bool:
    """Whether a browser says that a page of another origin asks, and not by a link.

    https://developer.mozilla.org/docs/Web/HTTP/Reference/Headers/Sec-Fetch-Site
    """
    # What is no browser says nothing; a person's own doing, as typing an address, is "none".
    if request.headers.get("Sec-Fetch-Site", "none") in ("none", "same-origin"):
        return False
    is_link = request.headers.get("Sec-Fetch-Mode") == "navigate"
    return not (is_link and request.method in ("GET", "HEAD"))
