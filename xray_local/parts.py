"""What the views need of the server they run in."""

import socket
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import cast

from django.http import HttpRequest

from .control.limits import USUAL
from .intake.pipeline import Limits

KEY = "xray_local.parts"


@dataclass(frozen=True, slots=True)
class Parts:
    """The parts of a running X-Ray; they travel in the WSGI environ."""

    database: Path
    send: Callable[[Iterable[bytes]], None]  # to the writer; raises IntakeDown
    udp: socket.socket
    count_forwarded: Callable[[], dict[str, int]] = dict  # empty where nothing is forwarded
    clear: Callable[[], None] = lambda: None  # by the writer, soon; raises IntakeDown
    get_limits: Callable[[], Limits] = lambda: USUAL
    set_limits: Callable[[Limits], None] = lambda limits: None  # raises IntakeDown


def get_parts(request: HttpRequest) -> Parts:
    """Return the parts of the server that the request came to."""
    return cast(Parts, request.META[KEY])
