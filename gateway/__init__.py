"""AWS events for any WSGI application: the road from an event to a request and back.

Around apig-wsgi, which makes the environ; what it gets wrong is mended before and after it. Other
events go to places of their own. Needs no settings of the site; only `manage` is Django's.
"""

from .commands import manage
from .errors import (
    BatchError,
    GatewayError,
    MalformedEvent,
    RequestTooLarge,
    UnknownEvent,
    UnservedEvent,
)
from .handler import make_handler
from .queues import Message
from .schedules import Schedule

__all__ = [
    "BatchError",
    "GatewayError",
    "MalformedEvent",
    "Message",
    "RequestTooLarge",
    "Schedule",
    "UnknownEvent",
    "UnservedEvent",
    "make_handler",
    "manage",
]
