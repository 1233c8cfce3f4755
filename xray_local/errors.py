"""What can go wrong, by cause.

XRayLocalError
├── CannotStart            one line on stderr, exit code 1
│   ├── BadAddress         --address cannot be read
│   ├── PortTaken          somebody listens there already
│   └── DatabaseUnusable   --database cannot be opened, read or written
├── DocumentRefused        counted and dropped, or listed in UnprocessedTraceSegments
├── InvalidRequest         HTTP 400, InvalidRequestException
│   └── filters.BadFilter  a filter expression is wrong at a place
└── IntakeDown             HTTP 429, ThrottledException: clients try again
"""


class XRayLocalError(Exception):
    """Anything that the local X-Ray says in words of its own."""


class CannotStart(XRayLocalError):
    """The local X-Ray cannot start; the message is for the person who started it."""


class BadAddress(CannotStart):
    """The address cannot be read."""


class PortTaken(CannotStart):
    """Somebody listens on that port already."""


class DatabaseUnusable(CannotStart):
    """The database file cannot be opened, read or written."""


class DocumentRefused(XRayLocalError):
    """A segment document, or the datagram around it, cannot be stored.

    code: X-Ray's error code, such as InvalidTraceId. document_id: the id it names, if any.
    """

    def __init__(self, code: str, message: str, document_id: str | None = None) -> None:
        super().__init__(message)
        self.code = code
        self.document_id = document_id


class InvalidRequest(XRayLocalError):
    """A request of the API cannot be answered as it stands."""


class IntakeDown(XRayLocalError):
    """The writer is being started again and takes nothing at the moment."""
