"""X-Ray for Django and Lambda: what application code may use.

The only package that imports aws_xray_sdk. Everything here is safe to call outside a trace, in an
unsampled one and on Lambda: tracing never breaks a request.
"""

from aws_xray_sdk.core import xray_recorder

__all__ = ["xray_recorder"]
