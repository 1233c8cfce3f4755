"""What a laptop adds: an embedded AWS, a local X-Ray, SQLite, the lab, readable logs."""

import os
from pathlib import Path

# For `xray_local --forward`, which is to reach the caller's AWS and not the embedded one.
CALLERS_ENVIRONMENT = dict(os.environ)
# The embedded AWS and the local X-Ray, unless the environment names others.
os.environ.setdefault("AWS_ENDPOINT_URL", "http://127.0.0.1:4566")
# The embedded AWS takes presigned URLs with this key id only.
os.environ.setdefault("AWS_ACCESS_KEY_ID", "test")
os.environ.setdefault("AWS_SECRET_ACCESS_KEY", "test")
os.environ.setdefault("AWS_REGION", "us-east-1")
os.environ.setdefault("AWS_DEFAULT_REGION", os.environ["AWS_REGION"])
os.environ.setdefault("DJANGO_SECRET_KEY", "local-only-" + "0123456789abcdef" * 4)
os.environ.setdefault("STAGE", "local")
os.environ.setdefault("LAB_ENABLED", "true")
os.environ.setdefault("NEW_ACCOUNTS_ARE_EDITORS", "true")
# Every request is traced: one trace a second and 5 % would hide what one has just clicked.
os.environ.setdefault("XRAY_SAMPLING", "false")
# The local X-Ray's, in place of CloudWatch's.
os.environ.setdefault("XRAY_CONSOLE_URL", "http://127.0.0.1:2000")

# Everything that a run leaves behind: databases, state, logs.
LOCAL_DIR = Path(os.environ.get("LOCAL_DIR", Path(__file__).resolve().parent.parent / ".local"))
os.environ.setdefault("DATABASE_URL", f"sqlite:///{LOCAL_DIR / 'site.sqlite3'}")

from movies_site.settings import *  # noqa: E402, F403
from movies_site.settings import DATABASES, INSTALLED_APPS, LOGGING, STORAGES, XRAY_RECORDER  # noqa: E402

LOCAL_DIR.mkdir(parents=True, exist_ok=True)

DEBUG = False
ALLOWED_HOSTS = ["localhost", "127.0.0.1", "[::1]"]

INSTALLED_APPS = [*INSTALLED_APPS, "xray_local"]

if DATABASES["default"]["ENGINE"] == "django.db.backends.sqlite3":
    # Writers wait for each other instead of failing; readers never wait.
    DATABASES["default"]["OPTIONS"] = {
        "timeout": 20,
        "transaction_mode": "IMMEDIATE",
        "init_command": "PRAGMA journal_mode=WAL; PRAGMA synchronous=NORMAL;",
    }

STORAGES = STORAGES | {
    "staticfiles": {"BACKEND": "django.contrib.staticfiles.storage.StaticFilesStorage"}
}
WHITENOISE_USE_FINDERS = True
WHITENOISE_AUTOREFRESH = True

XRAY_RECORDER = XRAY_RECORDER | {"AWS_XRAY_CONTEXT_MISSING": "LOG_ERROR"}

LOGGING["handlers"]["console"]["formatter"] = "text"

# Plain HTTP on 127.0.0.1.
SECURE_SSL_REDIRECT = False
SECURE_HSTS_SECONDS = 0
SESSION_COOKIE_SECURE = False
CSRF_COOKIE_SECURE = False
