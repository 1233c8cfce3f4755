"""The way in: what there is under /api/, its description, and what there isn't."""

from django.http import HttpRequest, HttpResponse, JsonResponse
from django.middleware.csrf import get_token
from django.urls import get_script_prefix, reverse

from .errors import error_response
from .openapi import describe


def show_index(request: HttpRequest) -> HttpResponse:
    """Answer the addresses to begin with, and set the cookie with the CSRF token."""
    get_token(request)
    names = {"movies": "api-movies", "genres": "api-genres", "openapi": "api-openapi"}
    return JsonResponse({name: reverse(view) for name, view in names.items()})


def show_openapi(request: HttpRequest) -> HttpResponse:
    """Answer the OpenAPI document."""
    return JsonResponse(describe(get_script_prefix()))


def show_unknown(request: HttpRequest, rest: str) -> HttpResponse:
    """Answer 404 to an address that isn't here, for any method."""
    message = (
        f"Nothing is at {request.path[:200]!r}; GET {reverse('api-index')} lists what there is."
    )
    if not request.path.endswith("/"):
        message += " Addresses end with a slash."
    return error_response(request, 404, "not_found", message)
