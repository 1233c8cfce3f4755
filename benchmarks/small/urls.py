"""The one page of the small site."""

from django.db import connection
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.urls import path

from .dynamodb import get_item


def show_film(request: HttpRequest, film_id: int) -> HttpResponse:
    """Ask the database three times and DynamoDB once, and render a small template."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT title, year FROM film WHERE id = %s", [film_id])
        title, year = cursor.fetchone()
        cursor.execute("SELECT COUNT(*) FROM film")
        (total,) = cursor.fetchone()
        cursor.execute("SELECT title, year FROM film ORDER BY year LIMIT 5")
        oldest = cursor.fetchall()
    item = get_item(film_id)
    context = {"title": title, "year": year, "total": total, "oldest": oldest, "item": item}
    return render(request, "small/film.html", context)


urlpatterns = [path("films/<int:film_id>/", show_film, name="film")]
