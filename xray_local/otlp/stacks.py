"""The text of a stack, as each language prints it, to exceptions with their frames.

The innermost frame comes first, and an exception before the one that caused it, as the collector
has them: cause.go in
https://github.com/open-telemetry/opentelemetry-collector-contrib/tree/main/exporter/awsxrayexporter
"""

import itertools
import re
from collections.abc import Callable, Iterable
from typing import Any, NamedTuple

Frame = dict[str, Any]

# No program prints more; whoever sends a megabyte on one line is not to keep us busy.
LINES_READ = 2000
LINE_CHARACTERS = 1000


class Exceptional(NamedTuple):
    """An exception that a stack tells of; the first has no words of its own."""

    type: str
    message: str
    frames: list[Frame]


PYTHON_CHAINED = re.compile(
    r"\n+(?:During handling of the above exception, another exception occurred"
    r"|The above exception was the direct cause of the following exception):\n+"
)
PYTHON_FRAME = re.compile(r'[ |+]*  File "([^"\n]*)", line (\d+)(?:, in (.*))?')
JAVA_FRAME = re.compile(r"\tat (?:[^/(\n]*/)*([^/(\n]+)\(([^:)\n]*)(?::(\d+))?\)\s*")
# "at label (path:line:column)", "at path:line:column"; a path may have colons of its own.
JAVASCRIPT_FRAME = re.compile(
    r"\s{1,8}at (?=\S)(?:(?:async )?([^(\n]*?) )?\(?([^()\n]*?)(?::(\d+))?(?::\d+)?\)?\s*"
)
DOTNET_FRAME = re.compile(r"\s{1,8}at (?=\S)([^\n]*?)(?: in ([^\n]*?)(?::line (\d+))?)?\s*")
GO_PLACE = re.compile(r"\t([^\n]*?):(\d+)(?: \+0x[0-9a-f]+)?\s*")


def read_stack(text: str, language: str) -> list[Exceptional]:
    """Return the exceptions of a stack in a language, by its name in telemetry.sdk.language.

    Empty if nobody here can read it.
    """
    reader = READERS.get(language)
    lines = (line.rstrip("\r")[:LINE_CHARACTERS] for line in text.split("\n")[:LINES_READ])
    exceptions = reader("\n".join(lines)) if reader else []
    return exceptions if any(each.frames for each in exceptions) else []


def _read_python(text: str) -> list[Exceptional]:
    """The last block is the exception itself, each before it the cause of the next."""
    return [_read_python_block(block) for block in reversed(PYTHON_CHAINED.split(text))]


def _read_python_block(block: str) -> Exceptional:
    frames: list[Frame] = []
    words: list[str] = []
    for line in block.split("\n"):
        found = PYTHON_FRAME.fullmatch(line)
        if found:
            frames.append(_frame(*found.groups()))
            words = []
        # The source and the carets below it stand deeper than the frame.
        elif not line.startswith("    "):
            words.append(line)
    kind, _, message = "\n".join(words).strip().partition(":")
    return Exceptional(kind, message.strip(), frames[::-1])


def _read_java(text: str) -> list[Exceptional]:
    exceptions = [Exceptional("", "", [])]
    for line in text.split("\n"):
        found = JAVA_FRAME.fullmatch(line)
        if found:
            label, path, number = found.groups()
            exceptions[-1].frames.append(_frame(path, number, label))
        elif line.startswith("Caused by: "):
            kind, _, message = line.removeprefix("Caused by: ").partition(":")
            exceptions.append(Exceptional(kind.strip(), message.strip(), []))
    return exceptions


def _read_javascript(text: str) -> list[Exceptional]:
    found = filter(None, map(JAVASCRIPT_FRAME.fullmatch, text.split("\n")))
    return _single(_frame(each[2], each[3], each[1]) for each in found)


def _read_dotnet(text: str) -> list[Exceptional]:
    found = filter(None, map(DOTNET_FRAME.fullmatch, text.split("\n")))
    return _single(_frame(each[2], each[3], each[1]) for each in found)


def _read_go(text: str) -> list[Exceptional]:
    """A line with the call, then a line with its place."""
    lines = text.split("\n")
    pairs = ((line, GO_PLACE.fullmatch(place)) for line, place in itertools.pairwise(lines))
    return _single(
        _frame(place[1], place[2], line.rpartition("(")[0] or line)
        for line, place in pairs
        if place and not line.startswith("\t")
    )


def _single(frames: Iterable[Frame]) -> list[Exceptional]:
    return [Exceptional("", "", list(frames))]


def _frame(path: str | None, line: str | None, label: str | None) -> Frame:
    number = line if line and len(line) < 10 else "0"
    return {"path": path or "", "line": int(number), "label": label or ""}


READERS: dict[str, Callable[[str], list[Exceptional]]] = {
    "python": _read_python,
    "java": _read_java,
    "php": _read_java,  # its SDK writes what Java would
    "nodejs": _read_javascript,
    "webjs": _read_javascript,
    "javascript": _read_javascript,
    "dotnet": _read_dotnet,
    "go": _read_go,
}
