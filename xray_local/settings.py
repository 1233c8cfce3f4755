"""Django's settings for the local X-Ray alone: no SQL, no sessions, no middleware of a site.

`xray_local.server` writes the variable before Django reads this.
"""

import os

XRAY_LOCAL_HOSTS = os.environ.get("XRAY_LOCAL_HOSTS", "127.0.0.1").split()

DEBUG = False
# Nothing is signed here, but Django refuses to start without a key.
SECRET_KEY = "nothing-is-signed"  # noqa: S105
# A page elsewhere may give its own name this address; it must not read traces by that.
ALLOWED_HOSTS = [
    "localhost",
    "127.0.0.1",
    "[::1]",
    *(f"[{host}]" if ":" in host else host for host in XRAY_LOCAL_HOSTS),
]

# Whoever listens at all addresses of a machine cannot name them. A page elsewhere can give its name
# another address; what is written as an address is none of its names, and then ours.
TAKES_ANY_ADDRESS = any(host in ("0.0.0.0", "::") for host in XRAY_LOCAL_HOSTS)  # noqa: S104

INSTALLED_APPS = ["xray_local"]
# The map of very many services is 250 KB, and a tenth of that when it is compressed.
MIDDLEWARE = ["xray_local.middleware.guard", "django.middleware.gzip.GZipMiddleware"]
ROOT_URLCONF = "xray_local.urls"
DATABASES: dict[str, dict[str, str]] = {}
TEMPLATES = [{"BACKEND": "django.template.backends.django.DjangoTemplates", "APP_DIRS": True}]

USE_I18N = False
# Times are shown as the clock of this machine shows them.
USE_TZ = False
TIME_ZONE = None
# Django's own default is Chicago's; without one it leaves the machine's clock alone.
TIME_ZONE = ""
# X-Ray takes documents of 64 KB; there is no reason to be as strict on a laptop.
DATA_UPLOAD_MAX_MEMORY_SIZE = 16 * 1024 * 1024

LOGGING = {
    "version": 1,
    "disable_existing_loggers": False,
    "handlers": {"console": {"class": "logging.StreamHandler"}},
    "root": {"handlers": ["console"], "level": "ERROR"},
    "loggers": {
        "django": {"handlers": [], "propagate": True},
        # A trace that has not arrived yet is no failure of ours.
        "django.request": {"level": "ERROR"},
    },
}
