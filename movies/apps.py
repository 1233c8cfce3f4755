"""The Django app of the catalogue."""

from django.apps import AppConfig


class MoviesConfig(AppConfig):
    name = "movies"
    verbose_name = "Film catalogue"
