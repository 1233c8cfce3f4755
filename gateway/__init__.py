"""AWS events for any WSGI application: the road from an event to a request and back.

Around apig-wsgi, whose environ it begins with; what that gets wrong is read and shaped here. Other
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
from .snapshots import start_ahead
from .starting import starting, warm_up

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
    "start_ahead",
    "starting",
    "warm_up",
]
