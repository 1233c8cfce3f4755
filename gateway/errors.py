"""What can be wrong with an event.

GatewayError
├── MalformedEvent       400  an HTTP event with a field that AWS would not send so
│   └── RequestTooLarge  413  a body above Lambda's limit
└── UnknownEvent         raised to the caller: not an HTTP event at all
"""

from http import HTTPStatus


class GatewayError(ValueError):
    """An event that the gateway cannot turn into a request."""


class MalformedEvent(GatewayError):
    """An HTTP event that cannot be read; the client gets the status and the message."""

    status = HTTPStatus.BAD_REQUEST


class RequestTooLarge(MalformedEvent):
    """An HTTP event with a body above Lambda's limit."""

    status = HTTPStatus.REQUEST_ENTITY_TOO_LARGE


class UnknownEvent(GatewayError):
    """An event of a kind that this handler does not know."""

    def __init__(self, event: object) -> None:
        """Say what came by its type or keys alone: the values may be secret."""
        if isinstance(event, dict):
            names = sorted(repr(name) for name in event)
            more = ", ..." if len(names) > 10 else ""
            got = f"an object with the keys [{', '.join(names[:10])}{more}]"
        else:
            got = f"{type(event).__name__!r}"
        super().__init__(
            "Expected an HTTP event of API Gateway (REST or HTTP API), a function URL "
            f"or a load balancer, got {got}."
        )
