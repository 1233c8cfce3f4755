"""One segment for each request."""

from aws_xray_sdk.ext.django.middleware import XRayMiddleware

__all__ = ["XRayMiddleware"]
