"""Record an exception on a segment: its chain, its stack, without touching the exception.

Source: https://docs.aws.amazon.com/xray/latest/devguide/xray-api-segmentdocuments.html
"""

import logging
import os
import secrets
from collections.abc import Iterator
from types import TracebackType
from typing import Any

from aws_xray_sdk.core.models.entity import Entity

log = logging.getLogger(__name__)

# Frames kept of each exception, the innermost: a document is at most 64 kB.
MAX_FRAMES = 40
MAX_CHAIN = 5
MAX_MESSAGE_CHARACTERS = 2000


class Throwable(dict[str, Any]):
    """One exception of a cause, as the SDK's serialisation expects it."""

    def to_dict(self) -> dict[str, Any]:
        """Return the exception as it stands in the document."""
        return dict(self)


def record_failure(
    entity: Any, exception: BaseException, *, is_remote: bool = False, is_fault: bool = True
) -> None:
    """Put the exception on a segment or subsegment and mark it as a fault, or as an error.

    entity: None is passed over, and so is one that is not sampled or has ended. Never raises.
    is_remote: the exception came from a service that was called.
    """
    if not isinstance(entity, Entity) or not entity.sampled or not entity.in_progress:
        return
    try:
        cause = entity.cause if isinstance(entity.cause, dict) else {}
        cause.setdefault("exceptions", []).extend(describe(exception, is_remote=is_remote))
        cause["working_directory"] = os.getcwd()
        entity.cause = cause
        if is_fault:
            entity.add_fault_flag()
        else:
            entity.add_error_flag()
    except Exception:
        log.exception("Could not record the exception %s.", type(exception).__name__)


def describe(exception: BaseException, *, is_remote: bool) -> list[Throwable]:
    """Return the exception and those that led to it, outermost first, linked by `cause`."""
    chain = list(walk_chain(exception))
    ids = [secrets.token_hex(8) for _ in chain]
    described = []
    for number, link in enumerate(chain):
        throwable = Throwable(
            id=ids[number],
            type=type(link).__name__,
            message=read_message(link),
            remote=is_remote,
            stack=list(walk_stack(link.__traceback__)),
        )
        if number + 1 < len(chain):
            throwable["cause"] = ids[number + 1]
        described.append(throwable)
    return described


def read_message(exception: BaseException) -> str:
    """Return the exception's text; an exception whose own __str__ fails still has a type."""
    try:
        return str(exception)[:MAX_MESSAGE_CHARACTERS]
    except Exception:
        return ""


def walk_chain(exception: BaseException) -> Iterator[BaseException]:
    """Yield the exception and its causes, as a traceback would show them."""
    seen: set[int] = set()
    link: BaseException | None = exception
    while link is not None and id(link) not in seen and len(seen) < MAX_CHAIN:
        seen.add(id(link))
        yield link
        link = link.__cause__ or (None if link.__suppress_context__ else link.__context__)


def walk_stack(traceback: TracebackType | None) -> Iterator[dict[str, Any]]:
    """Yield the innermost frames, innermost first, without reading a source file."""
    frames = []
    while traceback is not None:
        code = traceback.tb_frame.f_code
        frames.append(
            {"path": code.co_filename, "line": traceback.tb_lineno, "label": code.co_qualname}
        )
        traceback = traceback.tb_next
    yield from reversed(frames[-MAX_FRAMES:])
