"""Stacks as their languages print them."""

import pytest

from xray_local.otlp.stacks import read_stack

PYTHON = """Traceback (most recent call last):
  File "/app/shop.py", line 7, in price
    return prices[name]
           ~~~~~~^^^^^^
KeyError: 'tea'

During handling of the above exception, another exception occurred:

Traceback (most recent call last):
  File "/app/main.py", line 3, in <module>
    price("tea")
  File "/app/shop.py", line 9, in price
    raise LookupError(
    ...<2 lines>...
shop.LookupError: no such thing:
tea
"""
JAVA = """java.lang.RuntimeException: top
\tat com.shop.Main.run(Main.java:12)
\tat java.base/java.lang.Thread.run(Thread.java:829)
\tat com.shop.Main$$Lambda.call(Unknown Source)
\tat com.shop.Main.fast(Native Method)
\tSuppressed: java.io.IOException: while closing
\t\tat com.shop.Main.close(Main.java:40)
Caused by: java.lang.IllegalStateException: below: why
\tat com.shop.Stock.find(Stock.java:5)
\t... 2 more
Caused by: java.lang.NullPointerException
\tat com.shop.Stock.look(Stock.java:6)
"""
NODE = """TypeError: no
    at Shop.price (/app/shop.js:10:15)
    at async Promise.all (index 0)
    at async run (file:///app/main.mjs:3:1)
    at /app/bare.js:4:2
    at new Tea (node:internal/tea:1:1)
    at Array.map (<anonymous>)
"""
DOTNET = """System.Exception: no
   at Shop.Price(String name) in C:\\app\\Shop.cs:line 12
   at Shop.Main()
"""
GO = """goroutine 1 [running]:
main.price(0x1, {0xc0, 0x2})
\t/app/shop.go:12 +0x1b
main.main()
\t/app/main.go:3 +0x20
"""


def list_frames(text: str, language: str) -> list[list[tuple[str, str, int]]]:
    return [
        [(frame["label"], frame["path"], frame["line"]) for frame in each.frames]
        for each in read_stack(text, language)
    ]


def test_python() -> None:
    top, cause = read_stack(PYTHON, "python")

    assert (top.type, top.message) == ("shop.LookupError", "no such thing:\ntea")
    assert (cause.type, cause.message) == ("KeyError", "'tea'")
    assert list_frames(PYTHON, "python") == [
        [("price", "/app/shop.py", 9), ("<module>", "/app/main.py", 3)],
        [("price", "/app/shop.py", 7)],
    ]


def test_python_group() -> None:
    text = (
        "  + Exception Group Traceback (most recent call last):\n"
        '  |   File "/app/a.py", line 1, in <module>\n'
        "  |     raise ExceptionGroup()\n"
        "  | ExceptionGroup: two (2 sub-exceptions)\n"
    )

    assert list_frames(text, "python") == [[("<module>", "/app/a.py", 1)]]


@pytest.mark.parametrize("language", ["java", "php"])
def test_java(language: str) -> None:
    _, middle, bottom = read_stack(JAVA, language)

    assert (middle.type, middle.message) == ("java.lang.IllegalStateException", "below: why")
    assert (bottom.type, bottom.message) == ("java.lang.NullPointerException", "")
    assert list_frames(JAVA, language)[0] == [
        ("com.shop.Main.run", "Main.java", 12),
        ("java.lang.Thread.run", "Thread.java", 829),
        ("com.shop.Main$$Lambda.call", "Unknown Source", 0),
        ("com.shop.Main.fast", "Native Method", 0),
    ]


@pytest.mark.parametrize("language", ["nodejs", "webjs", "javascript"])
def test_javascript(language: str) -> None:
    assert list_frames(NODE, language) == [
        [
            ("Shop.price", "/app/shop.js", 10),
            ("Promise.all", "index 0", 0),
            ("run", "file:///app/main.mjs", 3),
            ("", "/app/bare.js", 4),
            ("new Tea", "node:internal/tea", 1),
            ("Array.map", "<anonymous>", 0),
        ]
    ]


def test_dotnet() -> None:
    assert list_frames(DOTNET, "dotnet") == [
        [("Shop.Price(String name)", "C:\\app\\Shop.cs", 12), ("Shop.Main()", "", 0)]
    ]


def test_go() -> None:
    assert list_frames(GO, "go") == [
        [("main.price", "/app/shop.go", 12), ("main.main", "/app/main.go", 3)]
    ]


def test_lines_of_windows() -> None:
    text = JAVA.replace("\n", "\r\n")

    assert list_frames(text, "java") == list_frames(JAVA, "java")


@pytest.mark.parametrize("language", ["python", "java", "nodejs", "dotnet", "go", "cobol", ""])
@pytest.mark.parametrize("text", ["", "nothing of the kind", "\n\n", "  File ", "    at "])
def test_no_stack(text: str, language: str) -> None:
    assert read_stack(text, language) == []


@pytest.mark.parametrize("language", ["python", "java", "nodejs", "dotnet", "go"])
def test_stacks_that_go_on_for_ever(language: str) -> None:
    """Patterns that look back and forth would take hours for these."""
    for line in ("    at " + "a " * 500_000, "\tat " + "a/" * 500_000, "x\n\ty:1" * 200_000):
        read_stack(f"top\n{line}\n{line}", language)
