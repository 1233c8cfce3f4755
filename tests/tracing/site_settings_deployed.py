"""The deployed settings with the views of these tests."""

import os

os.environ["DJANGO_SECRET_KEY"] = "x" * 50
os.environ["DJANGO_ALLOWED_HOSTS"] = "localhost"

from movies_site.settings import *  # noqa: F403

ROOT_URLCONF = "tests.tracing.urls"
SECURE_SSL_REDIRECT = False
