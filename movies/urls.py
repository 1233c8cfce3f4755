"""The addresses of the site. A film's title is one segment of the path (TitleConverter)."""

from django.urls import include, path, register_converter

from .converters import TitleConverter
from .views import accounts, app, editing, health, home, lab, movies, posters, reviews

register_converter(TitleConverter, "title")

MOVIE = "movies/<int:year>/<title:title>/"

urlpatterns = [
    path("", home.show_home, name="home"),
    path("app", app.show_app, name="app"),
    path("movies/", movies.list_movies, name="movies"),
    path("movies/add/", editing.add_movie, name="movie-add"),
    path(MOVIE, movies.show_movie, name="movie"),
    path(MOVIE + "edit/", editing.edit_movie, name="movie-edit"),
    path(MOVIE + "delete/", editing.delete_movie, name="movie-delete"),
    path(MOVIE + "poster/", posters.change_poster, name="movie-poster"),
    path(MOVIE + "vote/", reviews.vote, name="movie-vote"),
    path(MOVIE + "review/", reviews.write_review, name="review"),
    path(MOVIE + "review/delete/", reviews.delete_review, name="review-delete"),
    path("accounts/", accounts.show_account, name="account"),
    path("accounts/sign-up/", accounts.SignUpView.as_view(), name="sign-up"),
    path("accounts/sign-in/", accounts.SignInView.as_view(), name="sign-in"),
    path("accounts/sign-out/", accounts.SignOutView.as_view(), name="sign-out"),
    path("lab/", lab.show_lab, name="lab"),
    path("lab/<slug:slug>/", lab.run_experiment, name="lab-run"),
    path("healthz", health.show_health, name="healthz"),
    path("readyz", health.show_readiness, name="readyz"),
    path("api/", include("movies.api.urls")),
]
