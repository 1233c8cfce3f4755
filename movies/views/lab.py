"""The lab: a page of buttons, each of which makes one kind of trace. Off unless LAB_ENABLED."""

from collections.abc import Callable, Iterator
from functools import wraps
from typing import Concatenate, ParamSpec

from django.conf import settings
from django.http import Http404, HttpRequest, HttpResponse, StreamingHttpResponse
from django.http.response import HttpResponseBase
from django.shortcuts import render
from django.template.loader import render_to_string
from django.utils.html import format_html
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_safe

from movies.lab import EXPERIMENTS, Experiment, tell_slowly

P = ParamSpec("P")
View = Callable[Concatenate[HttpRequest, P], HttpResponseBase]

# Where the page is cut so that the story comes between its two halves.
CUT = "<!-- the story -->"


def needs_lab(view: View[P]) -> View[P]:
    """Answer 404 where the lab is off."""

    @wraps(view)
    def guarded(request: HttpRequest, /, *args: P.args, **kwargs: P.kwargs) -> HttpResponseBase:
        if not settings.LAB_ENABLED:
            raise Http404("The lab is off; LAB_ENABLED turns it on.")
        return view(request, *args, **kwargs)

    return guarded


@require_safe
@needs_lab
def show_lab(request: HttpRequest) -> HttpResponse:
    """Show every button, with what to look for in its trace."""
    return render(request, "movies/lab.html", {"experiments": EXPERIMENTS})


@require_safe
@never_cache
@needs_lab
def run_experiment(request: HttpRequest, slug: str) -> HttpResponseBase:
    """Make one kind of trace, and say what happened."""
    experiment = next((each for each in EXPERIMENTS if each.slug == slug), None)
    if experiment is None:
        raise Http404(f"The lab has no experiment {slug!r}.")
    if experiment.run is None:
        return StreamingHttpResponse(_stream(request, experiment))
    context = {"experiment": experiment, "outcome": experiment.run()}
    return render(request, "movies/lab_result.html", context)


def _stream(request: HttpRequest, experiment: Experiment) -> Iterator[str]:
    page = render_to_string("movies/lab_stream.html", {"experiment": experiment}, request)
    head, foot = page.split(CUT)
    yield head
    for sentence in tell_slowly():
        yield format_html("<li>{}</li>\n", sentence)
    yield foot
