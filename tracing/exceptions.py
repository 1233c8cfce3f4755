"""Record an exception on a segment: its chain, its stack, without touching the exception.

Source: https://docs.aws.amazon.com/xray/latest/devguide/xray-api-segmentdocuments.html
"""

import os
import secrets
from asyncio import CancelledError
from collections.abc import Iterator, Sequence
from itertools import islice
from types import TracebackType
from typing import Any

from aws_xray_sdk.core import xray_recorder

from .harmless import tell_failure
from .plain import read_message
from .redaction import redact_text

# No failures: whoever reads a stream, or waits for an answer, may go away.
ABANDONED = (GeneratorExit, CancelledError)
MAX_CHAIN = 5
MAX_MEMBERS = 10
MAX_MESSAGE_CHARACTERS = 2000


def record_failure(
    entity: Any, exception: BaseException, *, is_remote: bool = False, is_fault: bool = True
) -> bool:
    """Put the exception on a segment or subsegment and mark it as a fault, or as an error.

    entity: None is passed over, and so is one that is not sampled or has ended. Never raises.
    is_remote: the exception came from a service that was called.
    Returns whether it was recorded. One that came from the subsegment beneath, where it stands
    already, is referred to by its id there.
    """
    if entity is None or not getattr(entity, "sampled", False) or not entity.in_progress:
        return False
    if isinstance(exception, ABANDONED):
        return False
    try:
        if is_fault:
            entity.add_fault_flag()
        else:
            entity.add_error_flag()
        if entity.is_function:
            entity.add_exception(exception, [])
            return True
        failure = describe_failure(exception)
        known = entity.cause
        came_from = find_failure(entity, failure)
        if came_from is not None and not (isinstance(known, dict) and known):
            entity.set_block("cause", came_from)
        else:
            if not isinstance(known, dict):
                # The id of another exception, in a subsegment beneath; this one is newer.
                known = {}
                entity.set_block("cause", known)
            described = describe(exception, is_remote=is_remote)
            known.setdefault("exceptions", []).extend(described)
            known["working_directory"] = os.getcwd()
            came_from = described[0]["id"]
        entity.failure = (failure, came_from)
    except Exception:
        tell_failure("recording an exception")
        return False
    return True


def describe_failure(exception: BaseException) -> tuple[Any, ...]:
    """Return what tells this exception from every other: which it is, and where it began."""
    traceback, place = exception.__traceback__, None
    while traceback is not None:
        place, traceback = (traceback.tb_frame.f_code, traceback.tb_lineno), traceback.tb_next
    # The id of an exception that is gone may be another's by now, its type and place hardly.
    return id(exception), type(exception), place


def find_failure(entity: Any, failure: tuple[Any, ...]) -> str | None:
    """Return the id under which a subsegment beneath has recorded this exception, or None."""
    for child in reversed(entity.subsegments[-3:]):
        known: tuple[Any, str] | None = child.__dict__.get("failure")
        if known is not None and known[0] == failure:
            return known[1]
    return None


def use_stack(entity: Any, stack: Any) -> None:
    """Give the exception recorded last the stack that the SDK's API was called with."""
    frames = [
        {"path": frame.filename, "line": frame.lineno, "label": frame.name}
        for frame in reversed(list(stack or ()))
        if hasattr(frame, "filename")
    ]
    cause = entity.cause
    if frames and isinstance(cause, dict) and cause.get("exceptions"):
        cause["exceptions"][-1]["stack"] = frames


def describe(exception: BaseException, *, is_remote: bool) -> list[dict[str, Any]]:
    """Return the exception and those that led to it, outermost first, linked by `cause`.

    Behind them stand the members of groups among them, which no link can tell.
    """
    chain = list(walk_chain(exception))
    members = list(islice(walk_members(chain), MAX_MEMBERS))
    ids = [secrets.token_hex(8) for _ in chain]
    described: list[dict[str, Any]] = []
    for number, link in enumerate(chain + members):
        throwable = {
            "id": ids[number] if number < len(ids) else secrets.token_hex(8),
            "type": type(link).__name__,
            # Cut afterwards: half a secret looks like none.
            "message": redact_text(read_message(link))[:MAX_MESSAGE_CHARACTERS],
            "remote": is_remote,
            "stack": list(walk_stack(link.__traceback__)),
        }
        if number + 1 < len(chain):
            throwable["cause"] = ids[number + 1]
        described.append(throwable)
    return described


def walk_chain(exception: BaseException) -> Iterator[BaseException]:
    """Yield the exception and its causes, as a traceback would show them."""
    seen: set[int] = set()
    link: BaseException | None = exception
    while link is not None and id(link) not in seen and len(seen) < MAX_CHAIN:
        seen.add(id(link))
        yield link
        link = link.__cause__ or (None if link.__suppress_context__ else link.__context__)


def walk_members(chain: Sequence[BaseException]) -> Iterator[BaseException]:
    """Yield the members of the groups in a chain, and of groups in these, each once."""
    seen = {id(link) for link in chain}
    groups = [link for link in chain if isinstance(link, BaseExceptionGroup)]
    for group in groups:
        for member in group.exceptions:
            if id(member) not in seen:
                seen.add(id(member))
                yield member
                if isinstance(member, BaseExceptionGroup):
                    groups.append(member)


def walk_stack(traceback: TracebackType | None) -> Iterator[dict[str, Any]]:
    """Yield the innermost frames, innermost first, without reading a source file.

    How many, the recorder's max_trace_back says: a document is at most 64 kB.
    """
    frames: list[dict[str, Any]] = []
    while traceback is not None:
        code = traceback.tb_frame.f_code
        frames.append(
            {"path": code.co_filename, "line": traceback.tb_lineno, "label": code.co_qualname}
        )
        traceback = traceback.tb_next
    kept = xray_recorder._max_trace_back
    yield from reversed(frames[-kept:] if kept else ())
