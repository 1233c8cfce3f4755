"""Secrets are taken out, and what explains an error stays in."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tracing.redaction import redact_text, redact_url, sanitise_sql


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("Could not connect to host.", "Could not connect to host."),
        (
            "Max retries for url: /a?token=abc (refused)",
            "Max retries for url: /a?[redacted] (refused)",
        ),
        ("GET http://me:pw@host/x failed", "GET http://host/x failed"),
        ("postgres://u:p@db:5432/n", "postgres://db:5432/n"),
        ("password=hunter2, try again", "password=[redacted], try again"),
        ("{'api_key': 'abc', 'a': 1}", "{'api_key': [redacted], 'a': 1}"),
        ('{"Authorization": "Bearer abc"}', '{"Authorization": [redacted]}'),
        ("Authorization: Bearer abc.def rest", "Authorization: [redacted]"),
        ("Bearer abc.def is over", "Bearer [redacted] is over"),
        ("Cookie: a=b; theme=c", "Cookie: [redacted]"),
        ("GET https://h/x?bare failed", "GET https://h/x?[redacted] failed"),
        ("What? It failed", "What? It failed"),
        ("password is 'a b', so", "password is [redacted], so"),
        ("passphrase: two words; then", "passphrase: [redacted]; then"),
        ('{"password": "a\\"b"}', '{"password": [redacted]}'),
        ("key AKIAIOSFODNN7EXAMPLE", "key [redacted]"),
        ("author=somebody", "author=somebody"),
        (
            'invalid input syntax for type integer: "abc"',
            "invalid input syntax for type integer: [redacted]",
        ),
        ("AWS_SECRET_ACCESS_KEY=abc", "AWS_SECRET_ACCESS_KEY=[redacted]"),
        ("duplicate key\nDETAIL:  Key (email)=(a@b.c) already exists.", "duplicate key"),
    ],
)
def test_redact_text(text: str, expected: str) -> None:
    assert redact_text(text) == expected


@pytest.mark.parametrize(
    ("url", "expected"),
    [
        ("http://user:pw@host:8000/a/b?c=d#e", "http://host:8000/a/b"),
        ("http://[::1]:8000/", "http://[::1]:8000/"),
        ("http://host/caf\u00e9 \u20ac", "http://host/caf%C3%A9%20%E2%82%AC"),
        ("http://me:pw@host:99999999/x?token=1", "host:99999999/x"),
        ("http://[bad/x?token=1", "http://[bad/x"),
        ("https://host/a;jsessionid=1?b", "https://host/a"),
        ("//me:pw@host/x", "//host/x"),
    ],
)
def test_redact_url(url: str, expected: str) -> None:
    assert redact_url(url) == expected


@pytest.mark.parametrize(
    ("sql", "expected"),
    [
        (
            'SELECT "a1" FROM "t2" WHERE "x" = %s LIMIT 21',
            'SELECT "a1" FROM "t2" WHERE "x" = %s LIMIT ?',
        ),
        ("SELECT 'it''s', E'a\\'b', 4.5", "SELECT ?, ?, ?"),
        ("UPDATE t SET a = 'x' WHERE id IN (1, 22)", "UPDATE t SET a = ? WHERE id IN (?, ?)"),
        ("SELECT $1, :2, t1.c2", "SELECT $1, :2, t1.c2"),
        ("SELECT 'C:\\', 'x'", "SELECT ?, ?"),
        ("SELECT -41, 0xbeef, 1e10", "SELECT -?, ?, ?"),
        ("SELECT $$x$$, $tag$it's$tag$", "SELECT ?, ?"),
        ("SELECT 1 -- secret", "SELECT ? "),
        ("/* 'x */ SELECT 'y' /* ' */", " SELECT ? "),
        ("SELECT 'cut off", "SELECT ?"),
        ('SELECT "it\'s 5" FROM `a 6`', 'SELECT "it\'s 5" FROM `a 6`'),
    ],
)
def test_sanitise_sql(sql: str, expected: str) -> None:
    assert sanitise_sql(sql) == expected


@given(st.text())
def test_redaction_never_fails(text: str) -> None:
    redact_text(text)
    redact_url(text)
    assert len(sanitise_sql(text)) <= 4000


@given(st.text(alphabet="abcdefXYZ0189", min_size=6, max_size=20))
def test_a_named_secret_never_stays(secret: str) -> None:
    secret = "s3cr3t" + secret
    text = (
        f"a password={secret} b token: '{secret}' c /x?key={secret} d http://{secret}:{secret}@h/"
    )

    assert secret not in redact_text(text)


@pytest.mark.parametrize("text", ["?", "a", "a-", "'", "'a\\", '"', "=", "://", "password ", "$a$"])
def test_redaction_takes_time_in_proportion(text: str) -> None:
    """A quadratic pattern would take minutes over this, and the test would be stopped."""
    long = text * (300_000 // len(text))

    redact_text(long)
    redact_text(long + "password")
    assert len(sanitise_sql(long)) <= 4000
