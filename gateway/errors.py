"""What can be wrong with an event.

GatewayError
├── MalformedEvent        400  an event with a field that AWS would not send so
│   └── RequestTooLarge   413  a body above Lambda's limit
├── UnknownEvent          raised to the caller: of no kind that the gateway knows
│   └── UnservedEvent     raised to the caller: of a kind that this handler has no place for
└── BatchError            raised to the caller: every message of a batch failed
"""

from http import HTTPStatus


class GatewayError(ValueError):
    """An event that the gateway cannot pass on."""


class MalformedEvent(GatewayError):
    """An event that cannot be read; the client of an HTTP event gets the status and the message."""

    status = HTTPStatus.BAD_REQUEST


class RequestTooLarge(MalformedEvent):
    """An HTTP event with a body above Lambda's limit."""

    status = HTTPStatus.REQUEST_ENTITY_TOO_LARGE


class UnknownEvent(GatewayError):
    """An event of a kind that the gateway does not know."""

    def __init__(self, event: object) -> None:
        """Say what came by its type or keys alone: the values may be secret."""
        if isinstance(event, dict):
            names = sorted(repr(name) for name in event)
            more = ", ..." if len(names) > 10 else ""
            got = f"an object with the keys [{', '.join(names[:10])}{more}]"
        else:
            got = f"{type(event).__name__!r}"
        super().__init__(
            "Expected an HTTP event of API Gateway (REST or HTTP API), a function URL or a load "
            "balancer, a batch of an SQS queue, an EventBridge schedule, or an object with a list "
            f"'manage', got {got}."
        )


class UnservedEvent(UnknownEvent):
    """An event of a kind that this handler was given no place for."""

    def __init__(self, kind: str, argument: str) -> None:
        """Name the argument of make_handler that would be the place."""
        ValueError.__init__(
            self, f"This function has no use for {kind}: make_handler was given no {argument}."
        )


class BatchError(GatewayError):
    """Not one message of a batch was handled."""
