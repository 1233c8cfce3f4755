"""Take secrets out of what is about to be sent: query strings, user names in URLs, values by name.

A trace is read by more people than the database is. SQL parameters never come this far.
"""

import re
from urllib.parse import quote, urlsplit

REDACTED = "[redacted]"

# scheme://user:password@  ->  scheme://
USER_INFO = re.compile(r"(?P<scheme>\b[a-z][a-z0-9+.-]*://)[^\s/?#@'\"]*@", re.IGNORECASE)
# ?name=value&... at the end of a path or a URL
QUERY = re.compile(r"\?[^\s'\"<>?=]{0,100}=[^\s'\"<>)]*")
# password=..., "api_key": "...", Authorization: Bearer ..., Cookie: a=b; c=d
NAMED = re.compile(
    r"(?P<name>['\"]?[\w.-]*"
    r"(?:password|passwd|pwd|secret|token|api[_-]?key|access[_-]?key|session|cookie|authorization"
    r"|credential|signature|csrf)[\w.-]*['\"]?\s*[:=]\s*)"
    r"(?P<value>'[^']*'|\"[^\"]*\"|(?:bearer|basic|token)\s+\S+|[^\s,;&)}\]]+)",
    re.IGNORECASE,
)
# PostgreSQL tells the values of the row in the second line of its errors.
DETAIL = re.compile(r"\n\s*(?:DETAIL|CONTEXT|LINE \d+):.*", re.DOTALL)
# 'text' and numbers that somebody wrote into a statement instead of passing them as parameters
QUOTED = re.compile(r"(?<![\w\"])[EeBbXxNn]?'(?:[^'\\]|''|\\.)*'")
NUMBER = re.compile(r"(?<![\w.\"$:%-])\d+(?:\.\d+)?(?![\w\"])")

MAX_SQL_CHARACTERS = 4000
MAX_HTTP_CHARACTERS = 250


def redact_text(text: str) -> str:
    """Return the text without credentials, query strings and values of secret-sounding names."""
    text = DETAIL.sub("", text)
    text = USER_INFO.sub(r"\g<scheme>", text)
    text = QUERY.sub("?" + REDACTED, text)
    return NAMED.sub(lambda match: match["name"] + REDACTED, text)


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
    path = quote(parts.path, safe="/%:@!$&'()*+,;=~-._")
    return f"{parts.scheme}://{host}{port}{path}"[:MAX_HTTP_CHARACTERS]


def sanitise_sql(sql: str) -> str:
    """Return the statement with literals replaced by `?`; the placeholders stay as they are."""
    return NUMBER.sub("?", QUOTED.sub("?", sql))[:MAX_SQL_CHARACTERS]
