"""The site without any tracing: neither middleware nor patches."""

from movies_site.settings_local import *  # noqa: F403
from movies_site.settings_local import INSTALLED_APPS, MIDDLEWARE

INSTALLED_APPS = [
    app for app in INSTALLED_APPS if app not in ("tracing", "aws_xray_sdk.ext.django")
]
MIDDLEWARE = MIDDLEWARE[1:]
