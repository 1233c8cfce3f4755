"""X-Ray for Django and Lambda: what application code may use.

The only package that imports aws_xray_sdk. What stands here is safe outside a trace, in an
unsampled one and on Lambda: tracing never breaks a request. `xray_recorder` is the SDK's own
recorder, with the API that its documentation teaches.
"""

import sys

from . import sampling

# The SDK's own sampler imports botocore, a quarter of a second of each start, before anybody could
# put another in its place.
sys.modules.setdefault("aws_xray_sdk.core.sampling.sampler", sampling)

from aws_xray_sdk.core import xray_recorder  # noqa: E402

from .current import Trace, current_trace, put_annotation, put_metadata, set_user  # noqa: E402
from .exceptions import record_failure  # noqa: E402
from .subsegments import capture, in_subsegment  # noqa: E402

__all__ = [
    "Trace",
    "capture",
    "current_trace",
    "in_subsegment",
    "put_annotation",
    "put_metadata",
    "record_failure",
    "set_user",
    "xray_recorder",
]
