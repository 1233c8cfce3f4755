"""What an exception says in a trace."""

import sqlite3
from typing import Any

import pytest
from django.db import IntegrityError, OperationalError

from tracing import xray_recorder
from tracing.entities import Segment, UnsampledSegment
from tracing.exceptions import (
    MAX_CHAIN,
    MAX_MEMBERS,
    MAX_MESSAGE_CHARACTERS,
    describe,
    record_failure,
)
from tracing.header import TraceHeader


class FrozenError(Exception):
    """An exception that nobody may write to."""

    def __setattr__(self, name: str, value: object) -> None:
        raise TypeError("frozen")


class SilentError(Exception):
    """An exception that cannot say what it is."""

    def __str__(self) -> str:
        raise ValueError("no words")


def raised(exception: BaseException) -> BaseException:
    try:
        raise exception
    except BaseException as caught:
        return caught


def test_b5_a_frozen_exception_is_recorded_and_untouched() -> None:
    segment = Segment("movies")

    record_failure(segment, raised(FrozenError("ice")))

    assert segment.fault is True
    assert segment.cause["exceptions"][0]["message"] == "ice"
    assert not hasattr(FrozenError, "_recorded")


def test_the_chain_is_linked() -> None:
    def fail() -> None:
        try:
            raise KeyError("inner")
        except KeyError as error:
            raise ValueError("outer") from error

    try:
        fail()
    except ValueError as error:
        outer, inner = describe(error, is_remote=False)

    assert (outer["type"], inner["type"]) == ("ValueError", "KeyError")
    assert outer["cause"] == inner["id"]
    assert "cause" not in inner
    assert outer["stack"][0]["label"].endswith("fail")


def test_stacks_and_chains_are_bounded() -> None:
    def dive(depth: int) -> None:
        if depth:
            dive(depth - 1)
        else:
            raise RecursionError("deep")

    link: BaseException = ValueError("first")
    for number in range(20):
        link.__context__, link = None, raised(ValueError(str(number)))
    try:
        dive(100)
    except RecursionError as error:
        (deep,) = describe(error, is_remote=False)
    loop = ValueError("loop")
    loop.__context__ = KeyError("other")
    loop.__context__.__context__ = loop

    assert len(deep["stack"]) == xray_recorder.max_trace_back
    assert deep["stack"][0]["label"].endswith("dive")
    assert len(describe(loop, is_remote=False)) == 2 <= MAX_CHAIN


def test_an_exception_without_words_still_has_a_type() -> None:
    (described,) = describe(raised(SilentError()), is_remote=True)

    assert (described["type"], described["message"], described["remote"]) == (
        "SilentError",
        "",
        True,
    )


def test_error_instead_of_fault() -> None:
    segment = Segment("movies")

    record_failure(segment, raised(ValueError("no")), is_fault=False)

    assert segment.error is True
    assert segment.fault is False


def test_an_earlier_cause_by_id_gives_way() -> None:
    segment = Segment("movies")
    segment.cause = "53995c3f42cd8ad8"

    record_failure(segment, raised(ValueError("no")))

    assert len(segment.cause["exceptions"]) == 1


def test_nothing_to_record_on() -> None:
    ended = Segment("movies")
    ended.close()
    unsampled: Any = UnsampledSegment("movies", TraceHeader())

    for entity in (None, ended, unsampled, "text"):
        record_failure(entity, ValueError("no"))

    assert ended.cause == {}
    assert unsampled.cause == {}


def test_a_failure_of_the_recording_is_logged(caplog: Any) -> None:
    segment = Segment("movies")
    segment.cause = {"exceptions": None}

    record_failure(segment, raised(ValueError("no")))

    assert "Tracing failed: recording an exception." in caplog.text


@pytest.mark.parametrize(
    ("exception", "expected"),
    [
        (
            IntegrityError(1062, "Duplicate entry 'SECRET@h' for key 'email'"),
            "(1062, Duplicate entry [redacted] for key 'email')",
        ),
        (
            sqlite3.OperationalError('near "SECRET": syntax error'),
            "near [redacted]: syntax error",
        ),
        (OperationalError("no such column: x"), "no such column: x"),
        (ValueError("not 'here'"), "not 'here'"),
    ],
)
def test_a_database_tells_names_and_no_values(exception: Exception, expected: str) -> None:
    (described,) = describe(exception, is_remote=True)

    assert described["message"] == expected


def test_a_message_is_cut_when_its_secrets_are_out() -> None:
    url = "https://user:HUNTER2PASSWORD@host/"
    for start in range(MAX_MESSAGE_CHARACTERS - len(url), MAX_MESSAGE_CHARACTERS):
        (described,) = describe(ValueError("x" * start + " " + url), is_remote=False)

        assert "HUNTER" not in described["message"]
        assert len(described["message"]) <= MAX_MESSAGE_CHARACTERS


def test_b5_the_members_of_a_group_are_recorded() -> None:
    inner = ExceptionGroup("inner", [KeyError("c"), raised(OSError("d"))])
    group = ExceptionGroup("outer", [ValueError("a"), inner])
    outer = RuntimeError("around")
    outer.__cause__ = group

    described = describe(outer, is_remote=False)

    assert [link["type"] for link in described] == [
        *("RuntimeError", "ExceptionGroup", "ValueError", "ExceptionGroup", "KeyError", "OSError")
    ]
    assert described[0]["cause"] == described[1]["id"]
    assert ["cause" in link for link in described[1:]] == [False] * 5
    assert described[-1]["stack"][0]["label"] == "raised"
    assert len({link["id"] for link in described}) == 6
    many = describe(
        ExceptionGroup("many", [ValueError(str(n)) for n in range(99)]), is_remote=False
    )
    assert len(many) == 1 + MAX_MEMBERS
