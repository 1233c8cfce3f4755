"""The addresses under /api/. A film's title is one segment, escaped as TitleConverter does."""

from django.urls import path, re_path, register_converter
from django.views.decorators.csrf import csrf_exempt

from movies.converters import TitleConverter

from . import films, index, opinions
from .resources import resource

register_converter(TitleConverter, "api-title")

MOVIE = "movies/<int:year>/<api-title:title>/"

urlpatterns = [
    path("", resource(GET=index.show_index), name="api-index"),
    path("openapi.json", resource(GET=index.show_openapi), name="api-openapi"),
    path("genres/", resource(GET=films.list_genres), name="api-genres"),
    path(
        "movies/",
        resource(
            GET=films.list_movies,
            POST=films.add_movie,
            query=(*films.FILTERS, "cursor", "limit"),
        ),
        name="api-movies",
    ),
    path(
        MOVIE,
        resource(GET=films.get_movie, PUT=films.change_movie, DELETE=films.delete_movie),
        name="api-movie",
    ),
    path(
        MOVIE + "poster/",
        resource(PUT=films.replace_poster, DELETE=films.remove_poster),
        name="api-poster",
    ),
    path(MOVIE + "votes/", resource(POST=opinions.cast_vote), name="api-votes"),
    path(
        MOVIE + "reviews/",
        resource(GET=opinions.list_reviews, query=("cursor", "limit")),
        name="api-reviews",
    ),
    path(
        MOVIE + "reviews/mine/",
        resource(
            GET=opinions.get_own_review,
            PUT=opinions.save_own_review,
            DELETE=opinions.delete_own_review,
        ),
        name="api-review",
    ),
    # Line ends too, which no path converter takes.
    re_path(r"(?P<rest>[\s\S]+)", csrf_exempt(index.show_unknown), name="api-unknown"),
]
