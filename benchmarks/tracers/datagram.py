"""One datagram of 2 KB for each request, and nothing else: what the system takes of any tracer."""

import os
import socket
from collections.abc import Callable
from itertools import count

from django.http import HttpRequest
from django.http.response import HttpResponseBase

SEGMENT = b'{"format":"json","version":1}\n' + (
    b'{"name":"small","id":"%016x","trace_id":"1-581cf771-%024x","start_time":1.0,"end_time":2.0}'
).ljust(2000)

_numbers = count()
_socket = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
_socket.setblocking(False)


class Middleware:
    """Sends it when the request has been answered."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponseBase]) -> None:
        self.get_response = get_response
        host, _, port = os.environ["AWS_XRAY_DAEMON_ADDRESS"].partition(":")
        _socket.connect((host, int(port)))

    def __call__(self, request: HttpRequest) -> HttpResponseBase:
        response = self.get_response(request)
        number = next(_numbers)
        _socket.send(SEGMENT % (number, number))
        return response
