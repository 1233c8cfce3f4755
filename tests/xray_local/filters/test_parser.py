"""Wrong expressions: the place, and what would be right there."""

import pytest

from xray_local.filters import BadFilter
from xray_local.filters.lexer import MAX_CHARACTERS
from xray_local.filters.parser import MAX_DEPTH, MAX_TESTS, parse


@pytest.mark.parametrize(
    ("text", "position", "expected", "got"),
    [
        ("foo", 1, "one of the keywords ok, error, ", "'foo'"),
        ("ok AND", 7, "one of the keywords ok, ", "the end"),
        ("ok OR OR", 7, "one of the keywords", "'OR'"),
        ("ok )", 4, "AND, OR, another keyword or the end", "')'"),
        ("(fault", 7, "AND, OR, another keyword or ')'", "the end"),
        ("duration >", 11, "a number", "the end"),
        ('duration > "5"', 12, "a number", "'\"5\"'"),
        ("duration CONTAINS 5", 10, "one of = != < <= > >= after duration", "'CONTAINS'"),
        ("http.url > 5", 10, "one of = != CONTAINS BEGINSWITH ENDSWITH after http.url", "'>'"),
        ("name = traces", 8, "a text in quotation marks", "'traces'"),
        ("fault < true", 7, "one of = != after fault", "'<'"),
        ("fault = 1", 9, "true or false", "'1'"),
        ('fault = "maybe"', 9, "true or false", "'\"maybe\"'"),
        ('annotation.a > "5"', 16, "a number", "'\"5\"'"),
        ("annotation.a CONTAINS 5", 23, "a text in quotation marks", "'5'"),
        ("source.annotation.a", 1, "one of the keywords", "'source.annotation.a'"),
        (
            "service { destination.annotation.a }",
            11,
            "one of the keywords",
            "'destination.annotation.a'",
        ),
        ("service { source.annotation.a }", 11, "one of the keywords", "'source.annotation.a'"),
        ("edge { a }", 8, "one of the keywords ok", "'a'"),
        ("annotation.", 1, "one of the keywords", "'annotation.'"),
        ("annotation[]", 11, "annotation[key] with a key and ']'", "'[]'"),
        ("user = 'ada'", 8, 'a text in straight double quotation marks (")', "'"),
        ('user = "ada', 12, "a quotation mark that ends the text", "the end"),
        ("ok & fault", 4, "a keyword, a value, an operator or a bracket", "'&'"),
        ("duration > 1e999", 12, "a number below 1.8e308", "1e999"),
        ('user = "\ud800"', 9, "Unicode text", "half of a character"),
        ("service", 8, "'('", "the end"),
        ("service(a)", 9, "the name of a service in quotation marks, or id(...)", "'a'"),
        ('service("a"', 12, "')'", "the end"),
        ('service("a") {}', 15, "one of the keywords ok", "'}'"),
        ('service("a") { fault', 21, "AND, OR, another keyword or '}'", "the end"),
        ('service("a") { service("b") }', 16, "one of the keywords ok", "'service'"),
        ("service(id())", 12, "name, type or account.id, each at most once", "')'"),
        ('service(id(name: "a", name: "b"))', 23, "name, type or account.id", "'name'"),
        ('service(id(name = "a"))', 17, "':'", "'='"),
        ('service(id(name: "a" type: "b"))', 22, "',' or ')'", "'type'"),
        ('edge("a")', 9, "','", "')'"),
        ("first", 1, "one of the keywords", "'first'"),
        ('service("a") { message = "x" }', 16, "one of the keywords", "'message'"),
        ('group.name CONTAINS "x"', 12, "= or != after group.name", "'CONTAINS'"),
        ("group.name = x", 14, "a text in quotation marks", "'x'"),
        ("rootcause.fault", 1, "one of the keywords", "'rootcause.fault'"),
        ("rootcause.fault.service", 24, "'{'", "the end"),
        ("rootcause.fault.entity { coverage > 1 }", 26, "one of the keywords", "'coverage'"),
        ("rootcause.fault.entity { annotation.a }", 26, "one of the keywords", "'annotation.a'"),
        ("rootcause.responsetime.exception { first }", 1, "one of the keywords", "'rootcause.resp"),
        ("rootcause.json", 15, "'='", "the end"),
        ("rootcause.json = []", 18, "annotation[key]", "'[]'"),
        ("rootcause.json = {", 18, "#[...], a list of objects", "'{'"),
        ("rootcause.json = #{}", 18, "#[...], a list of objects", "'#{}'"),
        ("rootcause.json = #[1]", 18, "#[...], a list of objects", "'#[1]'"),
        ("rootcause.json = #[{]", 21, "JSON after '#'", "Expecting property name"),
        ("rootcause.json = # [NaN]", 20, "JSON after '#' that can be read", "something else"),
        ("#[]", 1, "one of the keywords", "'#[]'"),
        (" " * MAX_CHARACTERS + "ok", MAX_CHARACTERS, "an end within 10000 characters", "more"),
        ("!" * (MAX_DEPTH + 1) + "ok", MAX_DEPTH + 1, "at most 20 levels of '!' and '('", "'!'"),
        ("ok " * (MAX_TESTS + 1), 3 * MAX_TESTS + 1, "at most 200 keywords", "'ok'"),
        ("", 1, "one of the keywords", "the end"),
    ],
)
def test_wrong(text: str, position: int, expected: str, got: str) -> None:
    with pytest.raises(BadFilter, match=r"^Invalid filter expression at character") as raised:
        parse(text)

    message = str(raised.value)
    assert raised.value.position == position, message
    assert f"at character {position}: expected {expected}" in message
    assert f", got {got}" in message
    assert message.isprintable()


def test_deep_json_is_refused() -> None:
    """Python 3.11 gives up at this depth; later ones come to the end, which is too early."""
    with pytest.raises(BadFilter, match="expected JSON after '#'"):
        parse("rootcause.json = #" + "[" * 9000)


def test_what_may_stand_in_braces_is_listed() -> None:
    with pytest.raises(
        BadFilter, match="expected one of the keywords first, last, index, name, mess"
    ):
        parse("rootcause.fault.exception { foo }")
