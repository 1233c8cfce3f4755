"""Which service sent an event, told by the event's shape.

Sources:
https://docs.aws.amazon.com/apigateway/latest/developerguide/set-up-lambda-proxy-integrations.html
https://docs.aws.amazon.com/apigateway/latest/developerguide/http-api-develop-integrations-lambda.html
https://docs.aws.amazon.com/lambda/latest/dg/urls-invocation.html
https://docs.aws.amazon.com/elasticloadbalancing/latest/application/lambda-functions.html
"""

from enum import Enum
from typing import Any

from .errors import UnknownEvent

Event = dict[str, Any]


class Source(Enum):
    """The services whose HTTP events differ in what they send or in what they take back."""

    REST_API = "REST API, or HTTP API with payload format 1.0"
    HTTP_API = "HTTP API with payload format 2.0"
    FUNCTION_URL = "function URL"
    LOAD_BALANCER = "load balancer"
    MULTI_VALUE_LOAD_BALANCER = "load balancer with multi-value headers enabled"


def recognise(event: Event) -> Source:
    """Return the service that sent an HTTP event. Raises UnknownEvent for any other event."""
    if not isinstance(event, dict):
        raise UnknownEvent(event)
    context = event.get("requestContext")
    if not isinstance(context, dict):
        context = {}
    if "elb" in context:
        if event.get("multiValueHeaders") is None:
            return Source.LOAD_BALANCER
        return Source.MULTI_VALUE_LOAD_BALANCER
    version = event.get("version", "1.0")
    if version == "1.0" and "httpMethod" in event:
        return Source.REST_API
    if version == "2.0" and ("rawPath" in event or "http" in context):
        # A function URL sends the same format, but leaves the path encoded.
        is_function_url = ".lambda-url." in str(context.get("domainName"))
        return Source.FUNCTION_URL if is_function_url else Source.HTTP_API
    raise UnknownEvent(event)
