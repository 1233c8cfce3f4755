"""The small site; what a tracer wants installed comes from its variant, in the environment."""

import os
from typing import Any

SECRET_KEY = "benchmark " * 6
DEBUG = False
ALLOWED_HOSTS = ["*"]
ROOT_URLCONF = "benchmarks.small.urls"
LOGGING_CONFIG = None
USE_TZ = True

INSTALLED_APPS = [
    "django.contrib.contenttypes",
    *os.environ["BENCHMARK_APPS"].split(),
]
MIDDLEWARE = [
    *os.environ["BENCHMARK_MIDDLEWARE"].split(),
    "django.middleware.security.SecurityMiddleware",
    "django.middleware.common.CommonMiddleware",
]
TEMPLATES: list[dict[str, Any]] = [
    {
        "BACKEND": "django.template.backends.django.DjangoTemplates",
        "DIRS": [os.path.join(os.path.dirname(__file__), "templates")],
    }
]
DATABASES: dict[str, Any] = {
    "default": {
        "ENGINE": "django.db.backends.sqlite3",
        "NAME": os.environ["BENCHMARK_DATABASE"],
        "CONN_MAX_AGE": None,
    }
}

XRAY_RECORDER: dict[str, Any] = {
    "AWS_XRAY_TRACING_NAME": "small",
    "AWS_XRAY_CONTEXT_MISSING": "IGNORE_ERROR",
    "AUTO_INSTRUMENT": True,
    # No rules are asked for or looked at: what is not traced, a header says.
    "SAMPLING": False,
}
if "BENCHMARK_INSTRUMENTS" in os.environ:
    TRACING_INSTRUMENTS = os.environ["BENCHMARK_INSTRUMENTS"].split()
ELASTIC_APM: dict[str, Any] = {
    "SERVICE_NAME": "small",
    "CLOUD_PROVIDER": "none",
    "CENTRAL_CONFIG": False,
    "METRICS_INTERVAL": "0s",
    "API_REQUEST_TIME": "2s",
}
