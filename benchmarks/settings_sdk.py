"""The site with aws-xray-sdk as its guide sets it up: its middleware, its patches, its emitter."""

from movies_site.settings_local import *  # noqa: F403
from movies_site.settings_local import INSTALLED_APPS, MIDDLEWARE, XRAY_RECORDER

INSTALLED_APPS = [
    *(app for app in INSTALLED_APPS if app not in ("tracing", "aws_xray_sdk.ext.django")),
    "aws_xray_sdk.ext.django",
]
MIDDLEWARE = ["aws_xray_sdk.ext.django.middleware.XRayMiddleware", *MIDDLEWARE[1:]]
XRAY_RECORDER = XRAY_RECORDER | {"PATCH_MODULES": ["botocore", "requests"]}
