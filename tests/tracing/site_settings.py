"""The site's local settings with the views of these tests."""

import json
import os

from movies_site.settings_local import *  # noqa: F403
from movies_site.settings_local import MIDDLEWARE, XRAY_RECORDER

ROOT_URLCONF = "tests.tracing.urls"
if os.environ.get("TEST_MIDDLEWARE") == "tracing":
    MIDDLEWARE = MIDDLEWARE[:1]
elif os.environ.get("TEST_MIDDLEWARE") != "async":
    MIDDLEWARE = [*MIDDLEWARE, "tests.tracing.urls.user_agent"]
TEMPLATES: list[dict[str, object]] = [
    {"BACKEND": "django.template.backends.django.DjangoTemplates", "APP_DIRS": True}
]
WHITENOISE_USE_FINDERS = False
# What a test wants to find in the settings rather than in the environment.
XRAY_RECORDER = XRAY_RECORDER | json.loads(os.environ.get("TEST_XRAY_RECORDER", "{}"))
TRACING_IN_PROGRESS_FIRST = os.environ.get("TEST_IN_PROGRESS_FIRST") == "true"
if "TEST_INSTRUMENTS" in os.environ:
    TRACING_INSTRUMENTS = json.loads(os.environ["TEST_INSTRUMENTS"])
