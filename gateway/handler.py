"""Make the function that Lambda calls out of a WSGI application."""

import logging
from collections.abc import Callable
from http import HTTPStatus
from typing import Any
from wsgiref.types import WSGIApplication

from .commands import CommandHandler
from .dispatch import dispatch
from .environ import make_environ, make_template
from .errors import MalformedEvent
from .exchange import exchange, make_page
from .queues import MessageHandler
from .responses import Response, shape
from .schedules import ScheduleHandler
from .sources import Source, recognise

log = logging.getLogger(__name__)

Handler = Callable[[Any, Any], Any]


def make_handler(
    application: WSGIApplication,
    *,
    on_message: MessageHandler | None = None,
    on_schedule: ScheduleHandler | None = None,
    on_command: CommandHandler | None = None,
) -> Handler:
    """Return a Lambda handler: HTTP events are answered by the application.

    It takes the events of REST APIs, HTTP APIs, function URLs and load balancers. The application
    finds event and context in its environ, as `apig_wsgi.full_event` and `apig_wsgi.context`. What
    it raises is raised to Lambda, which logs it with its stack and lets API Gateway answer 502.

    on_message: called with each message of an SQS queue.
    on_schedule: called with each schedule of EventBridge whose time has come.
    on_command: called with the list of `{"manage": [...]}`; `gateway.manage` is the usual one.
    Any other event, and one that has no place, is raised to the caller as UnknownEvent.
    """
    template = make_template()

    def handler(event: Any, context: Any) -> Any:
        source = recognise(event)
        if source is None:
            return dispatch(event, on_message, on_schedule, on_command)
        try:
            environ = make_environ(event, context, source, template)
        except (MalformedEvent, UnicodeError) as error:
            return refuse(error, source)
        method = environ["REQUEST_METHOD"]
        reply = exchange(application, environ)
        response, size_bytes = shape(reply, source, method)
        if size_bytes <= source.limit_bytes:
            return response
        # Lambda refuses it, and the runtime client dies of that: the next request would be cold.
        # A load balancer answers 502, and says nowhere why.
        taker = "a load balancer" if source.is_load_balancer else "AWS Lambda"
        log.error(
            "The answer to %s %r has %s bytes; %s takes %s. Answered 500 instead.",
            method,
            event.get("rawPath") or event.get("path"),
            size_bytes,
            taker,
            source.limit_bytes,
        )
        page = make_page(
            HTTPStatus.INTERNAL_SERVER_ERROR,
            f"The answer would have {size_bytes} bytes, more than the {source.limit_bytes} "
            f"that {taker} can pass on.",
        )
        return shape(page, source, method)[0]

    return handler


def refuse(error: MalformedEvent | UnicodeError, source: Source) -> Response:
    """Return the page that tells the client what is wrong with the event."""
    if isinstance(error, UnicodeError):
        error = MalformedEvent(f"The event holds text that is not Unicode: {error}.")
    log.warning("Malformed event of a %s: %s", source.title, error)
    return shape(make_page(error.status, str(error)), source, method="")[0]
