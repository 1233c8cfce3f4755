"""Which service sent an event, told by the event's shape.

Sources:
https://docs.aws.amazon.com/apigateway/latest/developerguide/set-up-lambda-proxy-integrations.html
https://docs.aws.amazon.com/apigateway/latest/developerguide/http-api-develop-integrations-lambda.html
https://docs.aws.amazon.com/lambda/latest/dg/urls-invocation.html
https://docs.aws.amazon.com/elasticloadbalancing/latest/application/lambda-functions.html
"""

from enum import Enum
from typing import Any

Event = dict[str, Any]

# What Lambda takes for a request and for a response, as serialised; of a response a load balancer
# takes less: https://docs.aws.amazon.com/lambda/latest/dg/gettingstarted-limits.html
# https://docs.aws.amazon.com/elasticloadbalancing/latest/application/lambda-functions.html
LIMIT_BYTES = 6 * 1024 * 1024 + 100
LOAD_BALANCER_LIMIT_BYTES = 1024 * 1024


class Source(Enum):
    """The services whose HTTP events differ in what they send or in what they take back.

    is_format_2: payload format 2.0. is_multi_value: takes every header as a list of texts.
    limit_bytes: the largest response, as serialised.
    """

    REST_API = "REST API", False, True, False
    HTTP_API_FORMAT_1 = "HTTP API with payload format 1.0", False, True, False
    HTTP_API = "HTTP API with payload format 2.0", True, False, False
    FUNCTION_URL = "function URL", True, False, False
    LOAD_BALANCER = "load balancer", False, False, True
    MULTI_VALUE_LOAD_BALANCER = "load balancer with multi-value headers enabled", False, True, True

    def __init__(
        self, title: str, is_format_2: bool, is_multi_value: bool, is_load_balancer: bool
    ) -> None:
        self.title = title
        self.is_format_2 = is_format_2
        self.is_multi_value = is_multi_value
        self.is_load_balancer = is_load_balancer
        self.limit_bytes = LOAD_BALANCER_LIMIT_BYTES if is_load_balancer else LIMIT_BYTES


def recognise(event: Any) -> Source | None:
    """Return the service that sent an HTTP event, None for any other event."""
    if not isinstance(event, dict):
        return None
    context = event.get("requestContext")
    if not isinstance(context, dict):
        context = {}
    if "elb" in context:
        if event.get("multiValueHeaders") is None:
            return Source.LOAD_BALANCER
        return Source.MULTI_VALUE_LOAD_BALANCER
    version = event.get("version")
    if version is None and "httpMethod" in event:
        return Source.REST_API
    if version == "1.0" and "httpMethod" in event:
        return Source.HTTP_API_FORMAT_1
    if version == "2.0" and ("rawPath" in event or "http" in context):
        # A function URL sends the same format, but leaves the path encoded.
        is_function_url = ".lambda-url." in str(context.get("domainName"))
        return Source.FUNCTION_URL if is_function_url else Source.HTTP_API
    return None
