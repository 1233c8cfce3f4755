"""The Amazon resource names of what is configured here.

https://docs.aws.amazon.com/service-authorization/latest/reference/list_awsx-ray.html
"""

import base64
import os

# There is no account; this one is the usual stand-in, and nobody's.
ACCOUNT_ID = "000000000000"
REGION = "us-east-1"


def make_arn(kind: str, name: str) -> str:
    """Return the ARN of a group or sampling-rule."""
    return f"arn:aws:xray:{REGION}:{ACCOUNT_ID}:{kind}/{name}"


def make_unique_arn(kind: str, name: str) -> str:
    """Return an ARN that no other resource ever has, were it of the same name."""
    return f"{make_arn(kind, name)}/{base64.b32encode(os.urandom(20)).decode()}"
