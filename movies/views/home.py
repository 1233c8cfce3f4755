"""The front page: a remote call that may fail, and the way to everything else."""

from django.conf import settings
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.views.decorators.http import require_safe

from movies import remote
from movies.api.limits import decades
from movies.catalogue import GENRES


@require_safe
def show_home(request: HttpRequest) -> HttpResponse:
    """Call the remote URL and say who answered, or why nobody did."""
    answer = remote.fetch(settings.REMOTE_URL, settings.REMOTE_TIMEOUT_SECONDS)
    return render(
        request,
        "movies/home.html",
        {"remote": answer, "genres": GENRES, "decades": decades()[::-1]},
    )
