"""The function's configuration and its limits, as Lambda would have them.

https://docs.aws.amazon.com/lambda/latest/dg/gettingstarted-limits.html
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

# Of a request and of a response, as serialised; the emulator of AWS has the same number.
PAYLOAD_BYTES = 6 * 1024 * 1024 + 100
ASYNC_PAYLOAD_BYTES = 1024 * 1024
# Of the process before it first asks for an event; then it is started once more.
INIT_SECONDS = 10.0
# API Gateway's: it answers 504 and lets the function go on.
INTEGRATION_SECONDS = 29.0
# An environment without events ends after some minutes; which, AWS doesn't say (doubtful).
IDLE_SECONDS = 300.0
# Before an asynchronous event that failed is tried again.
# https://docs.aws.amazon.com/lambda/latest/dg/invocation-async-error-handling.html
RETRY_SECONDS = (60.0, 120.0)

ACCOUNT_ID = "123456789012"
VERSION = "$LATEST"


@dataclass(frozen=True, slots=True)
class Function:
    """What is run, and within which limits.

    command: the Python, with its options.
    runtime_dir: where awslambdaric lies; None where the Python has it itself.
    variables: the environment variables of the function's own configuration.
    version: of the Python, "3.13".
    """

    name: str
    handler: str
    task_dir: Path
    command: Sequence[str]
    version: str
    runtime_dir: Path | None = None
    variables: Mapping[str, str] = field(default_factory=dict)
    region: str = "us-east-1"
    timeout_seconds: float = 29.0
    init_seconds: float = INIT_SECONDS
    memory_mb: int = 1024
    storage_mb: int = 512
    concurrency: int = 20
    idle_seconds: float = IDLE_SECONDS
    retry_seconds: Sequence[float] = RETRY_SECONDS

    @property
    def arn(self) -> str:
        """Its Amazon resource name, without a version."""
        return f"arn:aws:lambda:{self.region}:{ACCOUNT_ID}:function:{self.name}"
