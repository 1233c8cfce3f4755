"""Secrets are taken out, and what explains an error stays in."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tracing.redaction import (
    PASSWORDS,
    SECRET_NAME,
    SHORT_WORDS,
    STEMS,
    WORDS,
    is_secret_name,
    redact_quoted,
    redact_text,
    redact_url,
    sanitise_sql,
)


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
        ("{'Authorization': b'Basic abc', 'a': 1}", "{'Authorization': [redacted], 'a': 1}"),
        ("[(b'cookie', b'a=b')]", "[(b'cookie', [redacted])]"),
        ("token=blue", "token=[redacted]"),
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
    assert redact_text(expected) == expected


@pytest.mark.parametrize(
    "text",
    [
        "authorization=Basic SECRET",
        "Authorization Basic SECRET",
        "Authorization header 'Basic SECRET'",
        "{'Authorization': b'Basic SECRET'}",
        "headers=[('authorization', 'Basic SECRET')]",
        "[(b'authorization', b'Basic SECRET')]",
        "('Cookie', 'a=SECRET')",
        "{'HTTP_COOKIE': 'sid=SECRET; b=SECRET'}",
        "HTTP_COOKIE: sid=SECRET; b=SECRET",
        "Basic U0VDUkVUU0VDUkVU SECRET".replace(" SECRET", ""),
        'Digest username=a, realm="b", response="SECRET"',
        "eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiJTRUNSRVQifQ.SECRET",
        "[('password', 'SECRET')]",
        "{'name': 'password', 'value': 'SECRET'}",
        '<input name="csrf_token" value="SECRET">',
        "pass=SECRET",
        "user=u pw=SECRET host=h",
        "sid=SECRET",
        "private_key=SECRET",
        "{'pass': 'SECRET'}",
        "-----BEGIN RSA PRIVATE KEY-----\nSECRET\nSECRET\n-----END RSA PRIVATE KEY-----",
        "key: -----BEGIN PRIVATE KEY-----\nSECRET",
        "{'QUERY_STRING': 'q=SECRET&a=b'}",
        "?q=SECRET",
        "see ?q=SECRET",
        "url: '?q=SECRET'",
        "/p?name=O'SECRET",
        "/p?a=(x)SECRET",
        "https://h/p?a=x)SECRET",
        "postgres://u:SEC/RETSECRET@h/d",
        "postgres://u:SEC#SECRET@h/d",
        "redis://:SEC?SECRET@h",
        "https://u:p@SECRET@h/",
        f"https://u:{'S' * 500}SECRET@h/",
        "//u:SECRET@h/",
        "u:SECRET@h:5432/db",
    ],
)
def test_credentials_in_a_text(text: str) -> None:
    told = redact_text(text)

    assert "SECRET" not in told
    assert "U0VD" not in told
    assert "SSS" not in told


@pytest.mark.parametrize(
    "text",
    [
        "http://host:8000/users/a@b.c",
        '{"url":"http://host:80","mail":"a@b.c"}',
        "Basic authentication failed",
        "The first pass: 3 of 4",
        "authority=x footpath=y",
        "a compass=3",
        "What ?or (why?) it failed",
        "12:30 a@b.c",
    ],
)
def test_what_is_no_secret_stays(text: str) -> None:
    assert redact_text(text) == text


def test_a_query_ends_where_its_text_does() -> None:
    assert redact_text("{'u': '/p?q=1', 'a': 1}") == "{'u': '/p?[redacted]', 'a': 1}"
    assert redact_text('{"u":"/p?q=1","a":1}') == '{"u":"/p?[redacted]","a":1}'
    assert redact_text("(see /p?q=1).") == "(see /p?[redacted])."


@pytest.mark.parametrize(
    ("name", "is_secret"),
    [
        ("Authorization", True),
        ("HTTP_AUTHORISATION", True),
        ("pass", True),
        ("db_pass", True),
        ("dbPass", True),
        ("pw", True),
        ("private_key", True),
        ("connect.sid", True),
        ("PHPSESSID", True),
        ("QUERY_STRING", True),
        ("queryStringParameters", True),
        ("one_otp", True),
        ("author", False),
        ("authority", False),
        ("passenger", False),
        ("side", False),
        ("footpath", False),
        ("spin", False),
        ("key", False),
    ],
)
def test_is_secret_name(name: str, is_secret: bool) -> None:
    assert is_secret_name(name) is is_secret


@given(st.from_regex(f"({WORDS})|({PASSWORDS})|({SHORT_WORDS})"))
def test_no_name_is_passed_over(name: str) -> None:
    """The cheap look at a text finds at least what the full one does."""
    if SECRET_NAME.compiled.search(name):
        assert STEMS.search(name.lower())


@pytest.mark.parametrize(
    ("message", "expected"),
    [
        (
            "Duplicate entry 'SECRET@example.com' for key 'email'",
            "Duplicate entry [redacted] for key 'email'",
        ),
        (
            "Duplicate entry 'a' for key 'SECRET' for key 'u.email'",
            "Duplicate entry [redacted] for key 'u.email'",
        ),
        (
            "Incorrect integer value: 'it's SECRET' for column 'a' at row 1",
            "Incorrect integer value: [redacted] for column 'a' at row 1",
        ),
        ('near "SECRET": syntax error', "near [redacted]: syntax error"),
        ('unrecognized token: "\'SECRET"', "unrecognized token: [redacted]"),
        ('syntax error at or near "SECRET"\nLINE 1: SECRET', "syntax error at or near [redacted]"),
        (
            'date/time field value out of range: "SECRET"',
            "date/time field value out of range: [redacted]",
        ),
        ('malformed array literal: "SECRET', "malformed array literal: [redacted]"),
        ("(no) Key (email)=(SECRET) already exists.", "(no) Key (email)=([redacted])"),
        ("Table 'db.t' doesn't exist", "Table 'db.t' doesn't exist"),
        ("Unknown column 'x' in 'field list'", "Unknown column 'x' in 'field list'"),
        ('column "x" of relation "t" does not exist',) * 2,
        ("no such column: x",) * 2,
        ('violates unique constraint "u"',) * 2,
    ],
)
def test_redact_quoted(message: str, expected: str) -> None:
    assert redact_quoted(message) == expected


@pytest.mark.parametrize(
    ("url", "expected"),
    [
        ("http://user:pw@host:8000/a/b?c=d#e", "http://host:8000/a/b"),
        ("http://[::1]:8000/", "http://[::1]:8000/"),
        ("http://host/caf\u00e9 \u20ac", "http://host/caf%C3%A9%20%E2%82%AC"),
        ("http://me:pw@host:99999999/x?token=1", "host:99999999/x"),
        ("postgres://u:p/w@host/d", "host/d"),
        ("redis://:p?w@host/1", "host/1"),
        ("u:pw@host:5432/d?a=b", "host:5432/d"),
        ("/path#token=1", "/path"),
        ("http://[bad/x?token=1", "http://[bad/x"),
        ("https://host/a;jsessionid=1?b", "https://host/a"),
        ("//me:pw@host/x", "//host/x"),
    ],
)
def test_redact_url(url: str, expected: str) -> None:
    assert redact_url(url) == expected


@pytest.mark.parametrize(
    ("vendor", "sql", "expected"),
    [
        (
            "postgresql",
            'SELECT "a1" FROM "t2" WHERE "x" = %s LIMIT 21',
            'SELECT "a1" FROM "t2" WHERE "x" = %s LIMIT ?',
        ),
        ("postgresql", "SELECT 'it''s', E'a\\'b', 4.5", "SELECT ?, ?, ?"),
        ("postgresql", "SELECT E'a' 'b\\'c', 'd'", "SELECT ?, ?"),
        ("postgresql", "SELECT 'C:\\', 'x'", "SELECT ?, ?"),
        ("postgresql", "SELECT $$x$$, $t1$it's$t1$, $\u00e9$y$\u00e9$", "SELECT ?, ?, ?"),
        ("postgresql", "SELECT \"it's 5\", 'x'", 'SELECT "it\'s 5", ?'),
        ("postgresql", 'SELECT "cut off', "SELECT ?"),
        ("PostgreSQL", 'SELECT "a1"', 'SELECT "a1"'),
        ("sqlite", "SELECT 'C:\\', 'x'", "SELECT ?, ?"),
        (
            "sqlite",
            'SELECT n FROM t WHERE n="x" OR n IN ("y", \'z\')',
            "SELECT n FROM t WHERE n=? OR n IN (?, ?)",
        ),
        ("sqlite", 'SELECT "x", n IS DISTINCT FROM "y"', "SELECT ?, n IS DISTINCT FROM ?"),
        ("sqlite", 'INSERT INTO t VALUES ("x")', "INSERT INTO t VALUES (?)"),
        ("sqlite", "SELECT `a 6`, `it's`, 'x'", "SELECT `a 6`, `it's`, ?"),
        (
            "sqlite",
            'SELECT "t"."a", COUNT(*) AS "b" FROM "t" INNER JOIN "u" ON ("t"."a" = "u"."c") '
            'ORDER BY "b"',
            'SELECT "t"."a", COUNT(*) AS "b" FROM "t" INNER JOIN "u" ON ("t"."a" = "u"."c") '
            'ORDER BY "b"',
        ),
        (
            "sqlite",
            'INSERT INTO "t" ("a", "b") VALUES (%s, "x")',
            'INSERT INTO "t" ("a", "b") VALUES (%s, ?)',
        ),
        (
            "sqlite",
            'UPDATE "t" SET "a" = %s, "b" = %s, "c" = "x" WHERE "t"."id" = 5',
            'UPDATE "t" SET "a" = %s, "b" = %s, ? = ? WHERE "t"."id" = ?',
        ),
        ("sqlite", 'SAVEPOINT "s1_x2"', 'SAVEPOINT "s1_x2"'),
        (
            "sqlite",
            'INSERT INTO "t" ("a") VALUES (%s) ON CONFLICT("a") DO UPDATE SET "b" = EXCLUDED."b"',
            'INSERT INTO "t" ("a") VALUES (%s) ON CONFLICT("a") DO UPDATE SET "b" = EXCLUDED."b"',
        ),
        (
            "mysql",
            'SELECT `a`.`b \'c` FROM t WHERE n = "x"',
            "SELECT `a`.`b 'c` FROM t WHERE n = ?",
        ),
        ("mysql", "SELECT 'it\\'s x', 'y'", "SELECT ?"),
        ("mysql", 'SELECT \'a\\\\\', "b""c", n', "SELECT ?, ?, n"),
        ("mysql", "SELECT 1 # x\n, n -- y", "SELECT ? \n, n "),
        ("mysql", "SELECT 5--7", "SELECT ?--?"),
        ("mysql", "SELECT a$b$, 'x$b$y'", "SELECT a$b$, ?"),
        ("oracle", "SELECT \"A\", 'x', q'[it's y]'", 'SELECT "A", ?, ?'),
        ("", "UPDATE t SET a = 'x' WHERE id IN (1, 22)", "UPDATE t SET a = ? WHERE id IN (?, ?)"),
        ("", "SELECT $1, :2, t1.c2", "SELECT $1, :2, t1.c2"),
        ("", "SELECT -41, 0xbeef, 1e10, 1.5E-7", "SELECT -?, ?, ?, ?"),
        ("", "SELECT 1_000_777, 0o777, 0b11, 1e5x", "SELECT ?, ?, ?, ?"),
        ("", "SELECT 1 -- secret", "SELECT ? "),
        ("", "/* 'x */ SELECT 'y' /* ' */", " SELECT ? "),
        ("", "SELECT /* /* x */ y */ 1", "SELECT "),
        ("", "SELECT 'cut off", "SELECT ?"),
        ("", 'SELECT `a 6` FROM "t"', "SELECT `a 6` FROM ?"),
        ("", "SELECT 'it\\'s x', 'y'", "SELECT ?"),
        ("", "SELECT q'[it's x]'", "SELECT ?"),
        ("", "SELECT $a1$x$a1$, 1", "SELECT ?"),
        ("", "SELECT n # it's x\n'y'", "SELECT n "),
    ],
)
def test_sanitise_sql(vendor: str, sql: str, expected: str) -> None:
    assert sanitise_sql(sql, vendor=vendor) == expected
    assert sanitise_sql(expected, vendor=vendor) == expected


@given(st.text())
def test_redaction_never_fails(text: str) -> None:
    redact_text(text)
    redact_quoted(text)
    redact_url(text)
    assert len(sanitise_sql(text)) <= 4000


@given(st.text(alphabet="abcdefXYZ0189", min_size=6, max_size=20))
def test_a_named_secret_never_stays(secret: str) -> None:
    secret = "s3cr3t" + secret
    text = (
        f"a password={secret} b token: '{secret}' c /x?key={secret} d http://{secret}:{secret}@h/"
    )

    assert secret not in redact_text(text)


@pytest.mark.parametrize(
    "text",
    [
        *(
            "?",
            "a",
            "a-",
            "'",
            "'a\\",
            '"',
            "=",
            "://",
            "password ",
            "$a$",
            "://a:",
            "a:,",
            "@",
            "?x'",
        ),
        *(
            "/*",
            "`",
            "eyJ-",
            "eyJabcde.",
            "-----BEGIN PRIVATE KEY",
            "('sid',",
            "basic a",
            "key 'a' ",
        ),
        *('"a" ,', 'INTO "a"(', "E'a' ", "\\", "sid=(", "x:y@", "digest a="),
    ],
)
def test_redaction_takes_time_in_proportion(text: str) -> None:
    """A quadratic pattern would take minutes over this, and the test would be stopped."""
    long = text * (150_000 // len(text))

    redact_text(long)
    redact_text(long + "password")
    redact_quoted(long)
    for vendor in ("", "postgresql", "sqlite", "mysql", "oracle"):
        assert len(sanitise_sql(long, vendor=vendor)) <= 4000
