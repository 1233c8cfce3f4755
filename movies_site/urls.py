"""The site's URLs: the pages and the API of `movies`, and Django's admin where there is SQL."""

from django.urls import URLPattern, URLResolver, include, path

from movies.reviews import has_sql

urlpatterns: list[URLPattern | URLResolver] = [path("", include("movies.urls"))]
if has_sql():
    from django.contrib import admin

    urlpatterns.append(path("admin/", admin.site.urls))

handler400 = "movies.views.errors.bad_request"
handler403 = "movies.views.errors.permission_denied"
handler404 = "movies.views.errors.not_found"
handler500 = "movies.views.errors.server_error"
