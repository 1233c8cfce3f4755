"""Take secrets out of what is about to be sent: query strings, user names in URLs, values by name.

A trace is read by more people than the database is. SQL parameters never come this far. Every
repetition in these patterns is bounded or possessive: time grows with the text, and no faster.
"""

import re
from functools import lru_cache
from urllib.parse import quote, urlsplit

REDACTED = "[redacted]"

# scheme://user:password@  ->  scheme://
USER_INFO = re.compile(r"(?P<scheme>\b[a-z][a-z0-9+.-]{0,20}://)[^\s/?#@]{0,300}@", re.IGNORECASE)
# Whatever follows the ? of a path or a URL
QUERY = re.compile(r"(?<=\S)\?[^\s'\"<>)\]]++")
BEARER = re.compile(r"(?P<name>\bbearer\s{1,5})\S++", re.IGNORECASE)
ACCESS_KEY_ID = re.compile(r"\b(?:AKIA|ASIA)[A-Z0-9]{16}\b")
# A value that is gone already is left alone.
GONE = r"(?!\[redacted\])"
QUOTED_VALUE = r"'(?:[^'\\]|\\.)*+'|\"(?:[^\"\\]|\\.)*+\""
# Headers whose whole value is secret: Cookie: a=b; c=d
HEADER = re.compile(
    r"(?P<name>\b(?:set-cookie|cookie|authorization)['\"]?\s{0,5}:\s{0,5})"
    rf"(?:(?:{QUOTED_VALUE})(?=\s{{0,5}}[,}}\])])|[^\r\n]++)",
    re.IGNORECASE,
)
# password=..., "api_key": "...", token is '...': one word, or all that stands in quotes
NAMED = re.compile(
    r"(?P<name>(?:secret|token|api[_-]?key|access[_-]?key|session|cookie|credential|signature"
    r"|csrf|jwt|otp|auth(?!or))[\w.-]{0,30}['\"]?(?:\s{0,5}[:=]|\s{1,5}is\b)\s{0,5})"
    rf"{GONE}(?:{QUOTED_VALUE}|[^\s,;&)}}\]]++)",
    re.IGNORECASE,
)
# A password may have blanks: it ends where the clause does.
PASSWORD = re.compile(
    r"(?P<name>(?:pass(?:word|wd|phrase|code)|pwd)[\w.-]{0,30}['\"]?(?:\s{0,5}[:=]|\s{1,5}is\b)\s{0,5})"
    rf"{GONE}(?:{QUOTED_VALUE}|[^,;&)}}\]\r\n]++)",
    re.IGNORECASE,
)
SECRET_NAME = re.compile(
    r"secret|token|api[_-]?key|access[_-]?key|session|cookie|credential|signature|csrf|jwt|otp\b"
    r"|authoriz|auth(?!or)|pass(?:word|wd|phrase|code)|pwd",
    re.IGNORECASE,
)
# PostgreSQL tells the values of the row in the further lines of its errors, and of bad input at
# the end of the first.
DETAIL = re.compile(r"\n\s{0,20}(?:DETAIL|CONTEXT|LINE \d{1,9}):.*", re.DOTALL)
BAD_INPUT = re.compile(r"(?P<name>\binvalid (?:input )?(?:syntax|value)[^:\n]{0,100}: )\"[^\n]*+")

# What a statement may hold besides its words: comments, texts, names in quotes, numbers.
SQL_TOKEN = re.compile(
    r"""
    (?P<comment>--[^\n]*+|/\*.*?(?:\*/|\Z))
    |(?P<text>\$(?P<tag>[A-Za-z_]{0,60})\$.*?(?:\$(?P=tag)\$|\Z)
        |\b[eE]'(?:[^'\\]|\\.|'')*+(?:'|\Z)
        |'(?:[^']|'')*+(?:'|\Z))
    |(?P<name>"(?:[^"]|"")*+(?:"|\Z)|`[^`]*+(?:`|\Z)|[$:%]\d+|[^\W\d]\w*+)
    |(?P<number>0[xX][0-9A-Fa-f]++|\d[\d.]*+(?:[eE][+-]?\d++)?)
    """,
    re.VERBOSE | re.DOTALL,
)

MAX_SQL_CHARACTERS = 4000
MAX_HTTP_CHARACTERS = 250


def is_secret_name(name: str) -> bool:
    """Return whether a value of this name is not for the readers of traces."""
    return bool(SECRET_NAME.search(name))


def redact_text(text: str) -> str:
    """Return the text without credentials, query strings and values of secret-sounding names."""
    text = DETAIL.sub("", text)
    text = USER_INFO.sub(r"\g<scheme>", text)
    text = QUERY.sub("?" + REDACTED, text)
    text = ACCESS_KEY_ID.sub(REDACTED, text)
    for pattern in (HEADER, BEARER, NAMED, PASSWORD, BAD_INPUT):
        text = pattern.sub(lambda match: match["name"] + REDACTED, text)
    return text


@lru_cache(maxsize=512)
def redact_short(text: str) -> str:
    """Return what redact_text does, kept: for texts that come again and again."""
    return redact_text(text)


def redact_url(url: str) -> str:
    """Return scheme, host, port and path of a URL; neither user, query nor fragment."""
    try:
        parts = urlsplit(url)
        host = parts.hostname or ""
        port = f":{parts.port}" if parts.port else ""
    except ValueError:
        return url.partition("?")[0].rpartition("@")[2][:MAX_HTTP_CHARACTERS]
    if ":" in host:
        host = f"[{host}]"
    # What follows a semicolon are parameters, such as a session's id.
    path = quote(parts.path.partition(";")[0], safe="/%:@!$&'()*+,=~-._")
    scheme = f"{parts.scheme}:" if parts.scheme else ""
    return f"{scheme}//{host}{port}{path}"[:MAX_HTTP_CHARACTERS]


def sanitise_sql(sql: str) -> str:
    """Return the statement with literals replaced by `?` and without comments.

    The placeholders stay as they are. Texts are read as PostgreSQL and SQLite read them.
    """
    return SQL_TOKEN.sub(_keep_names, sql)[:MAX_SQL_CHARACTERS]


def _keep_names(match: re.Match[str]) -> str:
    if match["name"] is not None:
        return match["name"]
    return "" if match["comment"] is not None else "?"
