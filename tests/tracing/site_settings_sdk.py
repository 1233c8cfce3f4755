"""aws-xray-sdk as its guide sets it up, with the views of these tests and no `tracing` at all."""

import json
import os

SECRET_KEY = "x" * 50
ALLOWED_HOSTS = ["localhost"]
ROOT_URLCONF = "tests.tracing.urls"
INSTALLED_APPS = [
    "aws_xray_sdk.ext.django",
    "django.contrib.auth",
    "django.contrib.contenttypes",
]
MIDDLEWARE = ["aws_xray_sdk.ext.django.middleware.XRayMiddleware"]
if os.environ.get("TEST_MIDDLEWARE") != "async":
    MIDDLEWARE.append("tests.tracing.urls.user_agent")
TEMPLATES = [{"BACKEND": "django.template.backends.django.DjangoTemplates", "APP_DIRS": True}]
DATABASES = {
    "default": {
        "ENGINE": "django.db.backends.sqlite3",
        "NAME": os.path.join(os.environ["LOCAL_DIR"], "site.sqlite3"),
    }
}
DEFAULT_AUTO_FIELD = "django.db.models.BigAutoField"
LOGGING = {
    "version": 1,
    "disable_existing_loggers": False,
    "handlers": {"console": {"class": "logging.StreamHandler"}},
    "root": {"handlers": ["console"], "level": "INFO"},
}
THRESHOLD = os.environ.get("XRAY_STREAMING_THRESHOLD")
XRAY_RECORDER = {
    "AUTO_INSTRUMENT": os.environ.get("XRAY_AUTO_INSTRUMENT") != "false",
    "AWS_XRAY_CONTEXT_MISSING": "LOG_ERROR",
    "AWS_XRAY_TRACING_NAME": "movies",
    "SAMPLING": os.environ.get("XRAY_SAMPLING") == "true",
    "STREAMING_THRESHOLD": int(THRESHOLD) if THRESHOLD else None,
    "PATCH_MODULES": ["botocore", "requests"],
    **json.loads(os.environ.get("TEST_XRAY_RECORDER", "{}")),
}
