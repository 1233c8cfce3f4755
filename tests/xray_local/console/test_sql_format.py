"""SQL for people: laid out, and without what differs from call to call."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from xray_local.console.sql_format import lay_out, normalise


@pytest.mark.parametrize(
    ("query", "normal"),
    [
        ("SELECT 1", "SELECT ?"),
        ("SELECT  a\n FROM\tb ;", "SELECT a FROM b"),
        (
            "SELECT a FROM b WHERE c = 'it''s' AND d = 1.5e3",
            "SELECT a FROM b WHERE c = ? AND d = ?",
        ),
        ("SELECT a1, b.c2 FROM t3", "SELECT a1, b.c2 FROM t3"),
        (
            "a = %s AND b = %(name)s AND c = $1 AND d = :name AND e = ?",
            "a = ? AND b = ? AND c = ? AND d = ? AND e = ?",
        ),
        ("a IN (1, 2,3) OR b IN (%s)", "a IN (?) OR b IN (?)"),
        ("INSERT INTO t (a, b) VALUES (1, 'x'), (2, 'y')", "INSERT INTO t (a, b) VALUES (?)"),
        ("SELECT a -- why\nFROM b /* because */", "SELECT a FROM b"),
        ('SELECT "a 1" FROM `b 2`', 'SELECT "a 1" FROM `b 2`'),
        ("SELECT a::int", "SELECT a::int"),
        ("SELECT 'never ends", "SELECT ?"),
        ("SELECT a /* never ends", "SELECT a"),
        ('SAVEPOINT "s139_x1"', "SAVEPOINT ?"),
        ("release savepoint s1_x2;", "release savepoint ?"),
        (
            "SELECT a FROM b WHERE c = -3 AND d IN (-1, 2)",
            "SELECT a FROM b WHERE c = ? AND d IN (?)",
        ),
        (
            "SELECT a FROM b WHERE c BETWEEN -3 AND -1 LIMIT -1",
            "SELECT a FROM b WHERE c BETWEEN ? AND ? LIMIT ?",
        ),
        ("SELECT a - 3, a-3 FROM b", "SELECT a - ?, a-? FROM b"),
        ("", ""),
    ],
)
def test_normalise(query: str, normal: str) -> None:
    assert normalise(query) == normal


def test_queries_that_differ_stay_apart() -> None:
    queries = ["SELECT a FROM b", "SELECT a FROM c", "SELECT a FROM b LIMIT 1", "DELETE FROM b"]

    assert len(set(map(normalise, queries))) == 4


@pytest.mark.parametrize(
    ("query", "lines"),
    [
        ("SELECT 1", ["SELECT 1"]),
        (
            "SELECT a, b FROM c LEFT OUTER JOIN d ON c.x = d.x WHERE x = 1 AND y = 2 OR z LIMIT 3",
            [
                "SELECT a, b",
                "FROM c",
                "LEFT OUTER JOIN d",
                "  ON c.x = d.x",
                "WHERE x = 1",
                "  AND y = 2",
                "  OR z",
                "LIMIT 3",
            ],
        ),
        ("select a from b where (c or d)", ["select a", "from b", "where (c or d)"]),
        (
            "SELECT a WHERE b BETWEEN 1 AND 2 AND c",
            ["SELECT a", "WHERE b BETWEEN 1 AND 2", "  AND c"],
        ),
        (
            "SELECT a WHERE b IN (SELECT c FROM d) AND e",
            ["SELECT a", "WHERE b IN (", "  SELECT c", "  FROM d", ")", "  AND e"],
        ),
        ("SELECT 'a FROM b'", ["SELECT 'a FROM b'"]),
        ("SELECT a -- FROM\nFROM b", ["SELECT a -- FROM", "FROM b"]),
        (") ) SELECT (", [") )", "SELECT ("]),
        ("", [""]),
    ],
)
def test_lay_out(query: str, lines: list[str]) -> None:
    assert lay_out(query).split("\n") == lines


def test_what_is_very_long_stays_as_it_is() -> None:
    query = "SELECT a FROM b " * 2000

    assert lay_out(query) == query


@given(st.text(alphabet="SELECT FROMAND(),'\"`-/*\n%s:1?;=.\\ é\u202e", max_size=200))
def test_nothing_is_lost(query: str) -> None:
    def strip(text: str) -> str:
        return "".join(text.split())

    assert strip(lay_out(query)) == strip(query)


@given(st.text(alphabet="SELECT a, (b) = 'c' AND d1 = 22 FROM", max_size=100))
def test_what_is_normal_stays_so(query: str) -> None:
    assert normalise(normalise(query)) == normalise(query)


@pytest.mark.parametrize(
    "mark", ["(", "'", "/*", "--", "-- \n", "SELECT (", "1", "a.", "%(", "\u202e"]
)
def test_time_grows_with_the_length_alone(mark: str) -> None:
    """A query of 20,000 characters is read while the test runs, whatever it consists of."""
    query = (mark * 20_000)[:20_000]

    assert lay_out(query)
    assert normalise(query) is not None
