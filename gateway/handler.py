"""Make the function that Lambda calls out of a WSGI application."""

import logging
from collections.abc import Callable
from http import HTTPStatus
from typing import Any
from wsgiref.types import WSGIApplication

from apig_wsgi import make_lambda_handler

from .errors import MalformedEvent
from .exchange import Exchange, make_page
from .normalise import LIMIT_BYTES, normalise
from .responses import Response, measure, shape
from .sources import Event, recognise

log = logging.getLogger(__name__)

Handler = Callable[[Event, Any], Response]


def make_handler(application: WSGIApplication) -> Handler:
    """Return a Lambda handler for HTTP events, answered by the application.

    It takes the events of REST APIs, HTTP APIs, function URLs and load balancers, and raises
    UnknownEvent for any other. The application finds event and context in its environ, as
    `apig_wsgi.full_event` and `apig_wsgi.context`. What it raises is raised to Lambda, which logs
    it with its stack and lets API Gateway answer 502.
    """

    def handler(event: Event, context: Any) -> Response:
        source = recognise(event)
        try:
            request = normalise(event, source)
        except MalformedEvent as error:
            log.warning("Malformed event of a %s: %s", source.value, error)
            return shape(make_page(error.status, str(error)), source, method="")
        exchange = Exchange(application, request)
        make_lambda_handler(exchange)(request.event, context)
        response = shape(exchange.reply, source, request.method)
        size_bytes = measure(response, exchange.reply)
        if size_bytes <= LIMIT_BYTES:
            return response
        # Lambda refuses it, and the runtime client dies of that: the next request would be cold.
        log.error(
            "The answer to %s %s has %s bytes; Lambda takes %s. Answered 500 instead.",
            request.method,
            request.event["rawPath"],
            size_bytes,
            LIMIT_BYTES,
        )
        page = make_page(
            HTTPStatus.INTERNAL_SERVER_ERROR,
            f"The answer would have {size_bytes} bytes, more than the {LIMIT_BYTES} "
            "that AWS Lambda can pass on.",
        )
        return shape(page, source, request.method)

    return handler
