"""What keeps an event from the function: the errors of Lambda's Invoke.

https://docs.aws.amazon.com/lambda/latest/api/API_Invoke.html#API_Invoke_Errors
"""


class InvokeError(Exception):
    """Lambda refuses to invoke. status and code are the API's."""

    status = 500
    code = "ServiceException"


class Throttled(InvokeError):
    """As many environments are busy as there may be."""

    status = 429
    code = "TooManyRequestsException"

    def __init__(self) -> None:
        super().__init__("Rate Exceeded.")


class RequestTooLarge(InvokeError):
    """The event has more bytes than Lambda takes."""

    status = 413
    code = "RequestTooLargeException"

    def __init__(self, limit_bytes: int) -> None:
        super().__init__(
            f"Request must be smaller than {limit_bytes} bytes for the InvokeFunction operation"
        )


class BadContent(InvokeError):
    """The event is no JSON."""

    status = 400
    code = "InvalidRequestContentException"

    def __init__(self, reason: Exception) -> None:
        super().__init__(f"Could not parse request body into json: {reason}")


class FunctionNotFound(InvokeError):
    """Another function than ours is asked for."""

    status = 404
    code = "ResourceNotFoundException"

    def __init__(self, name: str, known: str) -> None:
        super().__init__(f"Function not found: {name}. Here is only {known}.")


class BadClientContext(InvokeError):
    """The client context is no JSON in base64."""

    status = 400
    code = "InvalidParameterValueException"

    def __init__(self) -> None:
        super().__init__("Client context must be a valid Base64-encoded JSON object.")
