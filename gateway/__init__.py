"""AWS events for any WSGI application: the road from an event to a request and back.

Around apig-wsgi, which makes the environ; what it gets wrong is mended before and after it.
Needs no settings of the site.
"""

from .errors import GatewayError, MalformedEvent, RequestTooLarge, UnknownEvent
from .handler import make_handler

__all__ = ["GatewayError", "MalformedEvent", "RequestTooLarge", "UnknownEvent", "make_handler"]
