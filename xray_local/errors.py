"""What can go wrong, by cause.

XRayLocalError
├── CannotStart            one line on stderr, exit code 1
│   ├── BadAddress         --address cannot be read
│   ├── PortTaken          somebody listens there already
│   └── DatabaseUnusable   --database cannot be opened, read or written
├── CannotTransfer         one line on stderr, exit code 1
├── BadLine                a line on stderr with its number, exit code 1 in the end
├── CannotForward          one line on stderr a minute; tried again
├── DocumentRefused        counted and dropped, or listed in UnprocessedTraceSegments
└── Refused                a request of the API is answered with X-Ray's error code and status
    ├── InvalidRequest                 400
    │   └── filters.BadFilter          a filter expression is wrong at a place
    ├── ResourceNotFound               404
    ├── TooManyTags                    400
    ├── RuleLimitExceeded              400
    ├── MalformedPolicyDocument        400
    ├── InvalidPolicyRevisionId        400
    ├── LockoutPrevention              400
    ├── PolicyCountLimitExceeded       400
    ├── PolicySizeLimitExceeded        400
    └── IntakeDown                     429, ThrottledException: clients try again
"""

from typing import ClassVar


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


class CannotTransfer(XRayLocalError):
    """Traces cannot be exported or imported; the message is for the person who asked for it."""


class BadLine(XRayLocalError):
    """A line of a file of traces cannot be read."""


class CannotForward(XRayLocalError):
    """Nothing can be sent on to AWS X-Ray as things are; the message says what is missing."""


class DocumentRefused(XRayLocalError):
    """A segment document, or the datagram around it, cannot be stored.

    code: X-Ray's error code, such as InvalidTraceId. document_id: the id it names, if any.
    """

    def __init__(self, code: str, message: str, document_id: str | None = None) -> None:
        super().__init__(message)
        self.code = code
        self.document_id = document_id


class Refused(XRayLocalError):
    """A request of the API is refused.

    code, status: X-Ray's error code and the HTTP status that goes with it.
    Source: https://docs.aws.amazon.com/xray/latest/api/CommonErrors.html
    """

    code: ClassVar[str]
    status: ClassVar[int] = 400


class InvalidRequest(Refused):
    """A request of the API cannot be answered as it stands."""

    code = "InvalidRequestException"


class ResourceRefused(Refused):
    """A request that one resource is in the way of.

    resource: what was asked for, or its ARN; the answer names it.
    """

    def __init__(self, message: str, resource: str) -> None:
        super().__init__(message)
        self.resource = resource


class ResourceNotFound(ResourceRefused):
    """There is nothing of that ARN, name or token."""

    code = "ResourceNotFoundException"
    status = 404


class TooManyTags(ResourceRefused):
    """A resource would have more tags than X-Ray allows."""

    code = "TooManyTagsException"


class RuleLimitExceeded(Refused):
    """There are as many sampling rules as there may be."""

    code = "RuleLimitExceededException"


class MalformedPolicyDocument(Refused):
    """A resource policy is not one that AWS would understand."""

    code = "MalformedPolicyDocumentException"


class InvalidPolicyRevisionId(Refused):
    """A resource policy has changed meanwhile, or exists where it was to be created."""

    code = "InvalidPolicyRevisionIdException"


class LockoutPrevention(Refused):
    """A resource policy would forbid its own repair."""

    code = "LockoutPreventionException"


class PolicyCountLimitExceeded(Refused):
    """There are as many resource policies as there may be."""

    code = "PolicyCountLimitExceededException"


class PolicySizeLimitExceeded(Refused):
    """A resource policy is too long."""

    code = "PolicySizeLimitExceededException"


class IntakeDown(Refused):
    """The writer takes nothing at the moment: it is stuck, or being started again."""

    code = "ThrottledException"
    status = 429
