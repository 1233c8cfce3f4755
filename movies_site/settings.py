"""What runs on Lambda. What differs by stage comes from the environment; docs/settings.md lists it.

A missing variable fails safe: no DEBUG, no open hosts, no lab, no local X-Ray.
"""

import os
import re
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import dj_database_url
from csp.constants import NONE, SELF
from django.core.exceptions import ImproperlyConfigured

from movies_site.environment import read_flag, read_list, read_number, read_optional, read_text

BASE_DIR = Path(__file__).resolve().parent.parent

ON_LAMBDA = bool(os.environ.get("AWS_LAMBDA_FUNCTION_NAME"))
STAGE = read_text("STAGE", "dev")
RELEASE = read_text("RELEASE", "unknown")

# --- Django ----------------------------------------------------------------------------------
DEBUG = False
SECRET_KEY = read_text("DJANGO_SECRET_KEY")
if not SECRET_KEY:
    raise ImproperlyConfigured(
        "DJANGO_SECRET_KEY is not set; expected a long random string, "
        "or DJANGO_SETTINGS_MODULE=movies_site.settings_local on a laptop."
    )
ALLOWED_HOSTS = read_list("DJANGO_ALLOWED_HOSTS")
CSRF_TRUSTED_ORIGINS = read_list("DJANGO_CSRF_TRUSTED_ORIGINS")

INSTALLED_APPS = [
    "movies",
    # In the place of the SDK's own app.
    "tracing",
    "django.contrib.auth",
    "django.contrib.contenttypes",
    "django.contrib.messages",
    "django.contrib.staticfiles",
]

MIDDLEWARE = [
    "tracing.middleware.XRayMiddleware",
    "django.middleware.security.SecurityMiddleware",
    "movies_site.static_files.StaticFilesMiddleware",
    "csp.middleware.CSPMiddleware",
    "django.contrib.sessions.middleware.SessionMiddleware",
    "django.middleware.common.CommonMiddleware",
    "django.middleware.csrf.CsrfViewMiddleware",
    "django.contrib.auth.middleware.AuthenticationMiddleware",
    "django.contrib.messages.middleware.MessageMiddleware",
    "django.middleware.clickjacking.XFrameOptionsMiddleware",
    # The last, so the first to see an exception: errors that were foreseen become pages.
    "movies.middleware.ErrorPagesMiddleware",
]

ROOT_URLCONF = "movies_site.urls"
WSGI_APPLICATION = "movies_site.wsgi.application"

TEMPLATES: list[dict[str, Any]] = [
    {
        "BACKEND": "django.template.backends.django.DjangoTemplates",
        "APP_DIRS": True,
        "OPTIONS": {
            "context_processors": [
                "django.template.context_processors.request",
                "django.contrib.auth.context_processors.auth",
                "django.contrib.messages.context_processors.messages",
                "movies.context_processors.site",
            ]
        },
    }
]

# Without DATABASE_URL there is no SQL: the site shows the catalogue and says that it is read-only.
DATABASE_URL = read_optional("DATABASE_URL")
DATABASES: dict[str, Any] = (
    {"default": dj_database_url.parse(DATABASE_URL, conn_max_age=60, conn_health_checks=True)}
    if DATABASE_URL
    else {}
)
if DATABASES.get("default", {}).get("ENGINE") == "django.db.backends.postgresql":
    # A host that is silent must not hold a request for minutes.
    DATABASES["default"].setdefault("OPTIONS", {}).setdefault("connect_timeout", 3)
if DATABASES:
    # All that it shows is in SQL; a function without has less to load at each cold start.
    INSTALLED_APPS.append("django.contrib.admin")
DEFAULT_AUTO_FIELD = "django.db.models.BigAutoField"

# A function keeps no state: sessions and messages travel in signed cookies.
SESSION_ENGINE = "django.contrib.sessions.backends.signed_cookies"
SESSION_COOKIE_HTTPONLY = True
MESSAGE_STORAGE = "django.contrib.messages.storage.cookie.CookieStorage"

AUTH_PASSWORD_VALIDATORS = [
    {"NAME": f"django.contrib.auth.password_validation.{name}"}
    for name in (
        "UserAttributeSimilarityValidator",
        "MinimumLengthValidator",
        "CommonPasswordValidator",
        "NumericPasswordValidator",
    )
]
CSRF_FAILURE_VIEW = "movies.views.errors.csrf_failure"
LOGIN_URL = "sign-in"
LOGIN_REDIRECT_URL = "movies"
LOGOUT_REDIRECT_URL = "home"

LANGUAGE_CODE = "en-gb"
TIME_ZONE = "UTC"
USE_I18N = True
USE_TZ = True

STATIC_URL = "/static/"
STATIC_ROOT = Path(read_text("STATIC_ROOT", str(BASE_DIR / "staticfiles")))
STORAGES = {
    "default": {"BACKEND": "django.core.files.storage.InMemoryStorage"},
    "staticfiles": {"BACKEND": "movies_site.storage.StaticFilesStorage"},
}

# --- AWS -------------------------------------------------------------------------------------
AWS_REGION = read_text("AWS_REGION", read_text("AWS_DEFAULT_REGION", "us-east-1"))
AWS_ENDPOINT_URL = read_optional("AWS_ENDPOINT_URL")
MOVIES_TABLE = read_text("MOVIES_TABLE", "Movies")
MOVIES_TERMS_TABLE = read_text("MOVIES_TERMS_TABLE", "MovieTerms")
POSTERS_BUCKET = read_text("POSTERS_BUCKET", "movies-posters")
POSTER_MAX_BYTES = 2 * 1024 * 1024
# The object that /app downloads; the set-up puts it there.
SAMPLE_BUCKET = read_text("SAMPLE_BUCKET", POSTERS_BUCKET)
SAMPLE_KEY = read_text("SAMPLE_KEY", "sample/template.yml")
SAMPLE_REGION = read_text("SAMPLE_REGION", AWS_REGION)

# --- The remote URLs -------------------------------------------------------------------------
REMOTE_URL = read_text("REMOTE_URL", "https://aws.amazon.com")
REMOTE_URL_SECOND = read_text("REMOTE_URL_SECOND", "https://www.bing.com")
REMOTE_TIMEOUT_SECONDS = read_number("REMOTE_TIMEOUT_SECONDS", 3.0)

# --- The site --------------------------------------------------------------------------------
LAB_ENABLED = read_flag("LAB_ENABLED", default=False)
# Whether whoever signs up may edit the catalogue at once; else an administrator grants it.
NEW_ACCOUNTS_ARE_EDITORS = read_flag("NEW_ACCOUNTS_ARE_EDITORS", default=False)
DATA_UPLOAD_MAX_MEMORY_SIZE = 1024 * 1024
# Django bounds forms, not files: a file that is too large is refused while it is read.
FILE_UPLOAD_HANDLERS = ["movies.uploads.BoundedUploadHandler"]

# --- Tracing ---------------------------------------------------------------------------------
# Every key of the SDK's guide. AWS_XRAY_DAEMON_ADDRESS, AWS_XRAY_CONTEXT_MISSING and
# AWS_XRAY_TRACING_NAME in the environment win over what stands here.
# https://docs.aws.amazon.com/xray-sdk-for-python/latest/reference/frameworks.html
DAEMON_ADDRESS = read_text("AWS_XRAY_DAEMON_ADDRESS", "127.0.0.1:2000")
if not re.fullmatch(r"[^:\s]+:\d+|(?:(?:tcp|udp):[^:\s]+:\d+ ?){2}", DAEMON_ADDRESS):
    raise ImproperlyConfigured(
        f"AWS_XRAY_DAEMON_ADDRESS is {DAEMON_ADDRESS!r}; expected host:port such as "
        "127.0.0.1:2000, or tcp:host:port udp:host:port. The SDK takes no IPv6 address."
    )
XRAY_RECORDER: dict[str, Any] = {
    "AWS_XRAY_DAEMON_ADDRESS": "127.0.0.1:2000",
    "AUTO_INSTRUMENT": read_flag("XRAY_AUTO_INSTRUMENT", default=True),
    # Tracing never breaks a request: a missing context is passed over in silence.
    "AWS_XRAY_CONTEXT_MISSING": "IGNORE_ERROR",
    "PLUGINS": tuple(read_list("XRAY_PLUGINS")),
    "SAMPLING": read_flag("XRAY_SAMPLING", default=True),
    "SAMPLING_RULES": read_optional("XRAY_SAMPLING_RULES"),
    "AWS_XRAY_TRACING_NAME": "movies",
    "DYNAMIC_NAMING": read_optional("XRAY_DYNAMIC_NAMING"),
    "STREAMING_THRESHOLD": (
        int(read_number("XRAY_STREAMING_THRESHOLD", 0))
        if read_optional("XRAY_STREAMING_THRESHOLD")
        else None
    ),
    # The URL stands in the segment's http block; as an annotation it would be indexed twice.
    "URLS_AS_ANNOTATION": "NONE",
}
# Requests that make no segment: a health check every few seconds would drown the rest.
TRACING_IGNORED_PATHS = ("/healthz", "/static/")
TRACING_ANNOTATIONS = {"stage": STAGE, "release": RELEASE}
# Where the trace at a page's foot can be looked at; {trace_id} is filled in.
XRAY_CONSOLE_URL = read_optional("XRAY_CONSOLE_URL")
TRACE_URL = (
    f"{XRAY_CONSOLE_URL}/traces/{{trace_id}}"
    if XRAY_CONSOLE_URL
    else f"https://{AWS_REGION}.console.aws.amazon.com/cloudwatch/home"
    f"?region={AWS_REGION}#xray:traces/{{trace_id}}"
)

# --- Logs ------------------------------------------------------------------------------------
LOGGING: dict[str, Any] = {
    "version": 1,
    "disable_existing_loggers": False,
    "filters": {"trace": {"()": "tracing.logs.TraceFilter"}},
    "formatters": {
        "json": {"()": "tracing.logs.JSONFormatter"},
        "text": {"()": "tracing.logs.TextFormatter"},
    },
    "handlers": {
        "console": {
            "class": "logging.StreamHandler",
            "formatter": "json",
            "filters": ["trace"],
        }
    },
    "root": {"handlers": ["console"], "level": read_text("LOG_LEVEL", "INFO")},
    # Django would add a handler of its own, and mail to administrators that nobody reads.
    "loggers": {
        "django": {"handlers": [], "level": "INFO", "propagate": True},
        # It tells at INFO where it found credentials, at every cold start.
        "botocore": {"level": "WARNING"},
        # Requests that are too large or name another host are answered with 4xx, and logged as
        # that; one record each is enough.
        "django.security": {"level": "CRITICAL"},
    },
}

# --- Security --------------------------------------------------------------------------------
# API Gateway ends TLS and tells the function so in this header.
SECURE_PROXY_SSL_HEADER = ("HTTP_X_FORWARDED_PROTO", "https")
SECURE_SSL_REDIRECT = True
SECURE_REDIRECT_EXEMPT = [r"^healthz$", r"^readyz$"]
SECURE_HSTS_SECONDS = 365 * 24 * 3600
SECURE_HSTS_INCLUDE_SUBDOMAINS = True
SECURE_HSTS_PRELOAD = True
SECURE_REFERRER_POLICY = "same-origin"
SESSION_COOKIE_SECURE = True
CSRF_COOKIE_SECURE = True
X_FRAME_OPTIONS = "DENY"


def _poster_origins() -> list[str]:
    """Return the origins that presigned poster URLs may have."""
    if AWS_ENDPOINT_URL:
        parts = urlsplit(AWS_ENDPOINT_URL)
        return [f"{parts.scheme}://{parts.netloc}"]
    return [
        f"https://{POSTERS_BUCKET}.s3.amazonaws.com",
        f"https://{POSTERS_BUCKET}.s3.{AWS_REGION}.amazonaws.com",
    ]


CONTENT_SECURITY_POLICY = {
    "DIRECTIVES": {
        "default-src": [NONE],
        "script-src": [SELF],
        "style-src": [SELF],
        "img-src": [SELF, "data:", *_poster_origins()],
        "font-src": [SELF],
        "connect-src": [SELF],
        "form-action": [SELF],
        "base-uri": [NONE],
        "frame-ancestors": [NONE],
    }
}
