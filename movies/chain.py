"""The whole chain in one request: remote URL, S3, DynamoDB, response. A traced sample of all."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Step:
    """What one step of the chain did, and how long it took."""

    name: str
    is_ok: bool
    what: str
    duration_ms: float


def run_chain() -> list[Step]:
    """Run every step and return them in order. Raises StepFailed if AWS refuses one."""
    raise NotImplementedError
