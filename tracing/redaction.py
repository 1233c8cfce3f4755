"""Take secrets out of what is about to be sent: query strings, user names in URLs, values by name.

A trace is read by more people than the database is. SQL parameters never come this far. Every
repetition in these patterns is bounded or possessive, and stops where the next one would begin:
time grows with the text, and no faster. What is cut is cut afterwards: half a secret is not found.
"""

import re
from functools import cached_property, lru_cache
from urllib.parse import quote, urlsplit

REDACTED = "[redacted]"


class Pattern:
    """A regular expression that is compiled when it is first used: no start needs all of these."""

    def __init__(self, text: str, flags: int = 0) -> None:
        self._text = text
        self._flags = flags

    @cached_property
    def compiled(self) -> re.Pattern[str]:
        """The expression itself."""
        return re.compile(self._text, self._flags)


# scheme://user:password@ -> scheme://, where the password may hold anything but blanks. Digits
# before a path or a text's end are a port, and an @ in that path is no user's.
USER_INFO = Pattern(
    r"(?P<kept>\b[a-z][a-z0-9+.-]{0,20}://)[^\s/?#@:]*+"
    r"(?::(?!\d{1,5}(?:[/?#'\",;)}\]\\\s]|\Z))(?:[^\s@:]|:(?!//))*+)?+@(?:[^\s/?#@]*+@)*+",
    re.IGNORECASE,
)
# user:password@host without a scheme, also after //
BARE_USER_INFO = Pattern(
    r"(?P<kept>(?<![^\s'\"(=<\[,])(?://)?)[^\s/?#@:'\"]{1,100}:[^\s/@]{1,256}@(?=[\w\[])"
)
# Whatever follows the ? of a path or a URL. A quote or a bracket in it ends it only where
# something is closed by it. A ? that begins a word must be followed by a name and =.
QUERY = Pattern(
    r"\?(?!\[redacted\])(?:(?<=\S\?)|(?=[\w.%\[\]-]{1,100}=))"
    r"(?:[^\s'\"<>)\]}]|['\"<>)\]}](?![\s,)}\]>:;.'\"]|\Z))++"
)
PRIVATE_KEY = Pattern(
    r"-----BEGIN [A-Z ]{0,40}PRIVATE KEY.*?(?:-----END [A-Z ]{0,40}PRIVATE KEY-----|\Z)", re.DOTALL
)
# Ids of access keys, and JSON Web Tokens
LOOKS_SECRET = Pattern(
    r"\b(?:AKIA|ASIA)[A-Z0-9]{16}\b|(?<![\w-])eyJ[\w-]{5,}+\.[\w-]++(?:\.[\w-]*+)?"
)
# A word of six letters after Basic is a word, unless it has capitals or digits within.
CREDENTIALS = Pattern(
    r"(?P<kept>\b(?:bearer|basic(?=\s{1,5}(?-i:\S[a-z]{0,300}+[A-Z0-9+/=]))(?=\s{1,5}\S{6}))\s{1,5})"
    r"(?!\[redacted\])\S++"
    r"|(?P<digest>\bdigest\s{1,5})(?=\w{1,20}=)[^\r\n]++",
    re.IGNORECASE,
)

# One list for names of values, and for what stands before = or : in a text.
WORDS = (
    r"secret|token|api[_-]?key|access[_-]?key|private[_-]?key|sess(?:ion|id)|cookie|credential"
    r"|signature|csrf|jwt|(?<![a-z])otp(?![a-z])|auth(?!or(?!i[sz]))|query[_-]?(?:string|param)"
)
PASSWORDS = r"pass(?:word|wd|phrase|code)|pwd"
SHORT_WORDS = r"(?:(?<![a-z])|(?-i:(?<=[a-z])(?=[A-Z])))(?:pass|pw|pin|sid|cvv|cvc|ssn)(?![a-z])"
SECRET_NAME = Pattern(f"{WORDS}|{PASSWORDS}|{SHORT_WORDS}", re.IGNORECASE)
# What a text in small letters has at least if one of these is in it: most have nothing of it.
STEMS = re.compile(
    "secret|token|api|access|private|sess|cookie|credential|signature|csrf|jwt|otp|auth|query"
    "|pass|pw|pin|sid|cvv|cvc|ssn"
)

# A value that is gone already is left alone.
GONE = r"(?!\s{0,5}\[redacted\])"
QUOTED_VALUE = r"b?(?:'(?:[^'\\]|\\.)*+'|\"(?:[^\"\\]|\\.)*+\")"
ONE_WORD = (
    r"(?:(?:basic|bearer|digest|negotiate|ntlm|token)\s{1,5}(?=[^\s,;&)}\]]))?+[^\s,;&)}\]]++"
)
# name=..., "name": ..., name is '...'; and {"name": "...", "value": ...}
IS = (
    r"(?:['\"]?(?:\s{0,5}[:=]|\s{1,5}is\b)"
    r"|['\"][\s,]{1,6}['\"]?\w{0,20}?values?['\"]?\s{0,5}[:=])\s{0,5}"
)
NAMED = (
    # Headers whose whole value is secret: Cookie: a=b; c=d
    Pattern(
        r"(?P<kept>(?:\b|_)(?:set-cookie|cookie|authorization)['\"]?\s{0,5}:\s{0,5})"
        rf"{GONE}(?:{QUOTED_VALUE}(?=\s{{0,5}}[,}}\])])|[^\r\n]++)",
        re.IGNORECASE,
    ),
    # ('Cookie', 'a=b')
    Pattern(
        rf"(?P<kept>[(\[]b?['\"][\w.-]{{0,60}}?(?:{WORDS}|{PASSWORDS}|{SHORT_WORDS})[\w.-]{{0,30}}"
        rf"['\"],\s{{0,5}}){QUOTED_VALUE}(?=\s{{0,5}},?[)\]])",
        re.IGNORECASE,
    ),
    # One word, or all that stands in quotes
    Pattern(
        rf"(?P<kept>(?:{WORDS})[\w.-]{{0,30}}{IS}){GONE}(?:{QUOTED_VALUE}|{ONE_WORD})",
        re.IGNORECASE,
    ),
    # A password may have blanks: it ends where the clause does.
    Pattern(
        rf"(?P<kept>(?:{PASSWORDS})[\w.-]{{0,30}}{IS}){GONE}(?:{QUOTED_VALUE}|[^,;&)}}\]\r\n]++)",
        re.IGNORECASE,
    ),
    # `first pass: 3 of 4` is said more often than a password: only = and "pass":
    Pattern(
        rf"(?P<kept>{SHORT_WORDS}(?:['\"]\s{{0,5}}:|['\"]?\s{{0,5}}=)\s{{0,5}})"
        rf"{GONE}(?:{QUOTED_VALUE}|{ONE_WORD})",
        re.IGNORECASE,
    ),
)
# PostgreSQL tells the values of the row in the further lines of its errors, and of bad input at
# the end of the first.
DETAIL = Pattern(r"\n\s{0,20}(?:DETAIL|CONTEXT|LINE \d{1,9}):.*", re.DOTALL)
BAD_INPUT = Pattern(r"(?P<kept>\binvalid (?:input )?(?:syntax|value)[^:\n]{0,100}: )\"[^\n]*+")

# What a database says of itself, in quotes; any other quote begins a value.
NAMED_THINGS = (
    *("column", "relation", "table", "constraint", "index", "key", "schema", "field", "view"),
    *("sequence", "type", "database"),
)
AFTER_THING = "|".join(rf"(?<=\b{thing}\s)" for thing in NAMED_THINGS)
QUOTED_NAME = rf"(?:{AFTER_THING})(?:'[\w.$-]{{1,200}}'|\"[\w.$-]{{1,200}}\")"
QUOTED = Pattern(
    rf"(?P<name>{QUOTED_NAME}|(?<=\bin\s)'(?:field list|\w{{1,20}} clause)')|(?<!\w)['\"]",
    re.IGNORECASE,
)
# Databases do not escape quotes in what they quote: it ends at the last one but for a name's.
END_OF_QUOTED = Pattern(rf"['\"](?P<rest>[^'\"]*+(?:{QUOTED_NAME}[^'\"]*+)?)\Z", re.IGNORECASE)
ROW = Pattern(r"\)=\([^\n]*+")

MAX_SQL_CHARACTERS = 4000
# Of this much, what may be told is told: an end that is missing takes out what was begun.
MAX_SQL_READ = 4 * MAX_SQL_CHARACTERS
MAX_HTTP_CHARACTERS = 250


def _compile(*, comment: str, text: str, name: str) -> Pattern:
    """Return what finds the parts of a statement that are more than an operator.

    Each says how far it goes in the one reading of its dialect; where there are two, to the end.
    """
    # A comment within a comment: some databases nest them, others do not.
    comment += r"|/\*[^*/]*+(?:(?:\*(?!/)|/(?!\*))[^*/]*+)*+\*/|/\*.*"
    name += r"|[$:%@]\d+|[^\W\d]\w*+"
    number = r"\d[\w.]*+(?:(?<=[eE])[+-]\d++)?"
    return Pattern(f"(?P<comment>{comment})|(?P<text>{text})|(?P<name>{name})|{number}", re.S)


_DOLLAR = r"\$(?:[^\W\d]\w{0,62})?\$"
_TEXT = r"'(?:[^']|'')*+(?:'|\Z)"
# With backslashes, unless NO_BACKSLASH_ESCAPES is set: a text in which it matters has no end.
_MYSQL_TEXT = (
    r"'(?:[^'\\]++|''|\\\\|\\[^'\\])*+'|'.*|\"(?:[^\"\\]++|\"\"|\\\\|\\[^\"\\])*+\"|\".*|`[^`]*\Z"
)
_BACKTICKS = "`[^`]*+`"
_BEGUN_NAME = r"\"(?:[^\"]|\"\")*+"
_NAME = rf"{_BEGUN_NAME}\""
_SIMPLE_NAME = r"\"[^\"'\\\n]*+\""
# SQLite takes a word in double quotes for a text where there is no such name. It is one for sure
# beside a dot, behind these words, in the lists of INSERT and its conflicts, and in SET's.
_SQLITE_NAME = (
    rf"(?i:\bDISTINCT\s++FROM\b"
    rf"|\b(?:INTO\s++{_SIMPLE_NAME}|ON\s++CONFLICT)\s*+\((?:\s*+{_SIMPLE_NAME}\s*+,?)++\)"
    r"|(?:\b(?:FROM|JOIN|INTO|UPDATE|SET|TABLE|INDEX|AS|EXISTS|SAVEPOINT|COLUMN|REFERENCES"
    rf"|CONSTRAINT|(?:ORDER|GROUP|PARTITION)\s++BY)\s++|\.\s{{0,5}}){_SIMPLE_NAME}"
    rf"|,\s{{0,5}}{_SIMPLE_NAME}(?=\s{{0,5}}=\s{{0,5}}(?:%s|NULL\b)))"
    rf"|{_SIMPLE_NAME}(?=\s{{0,5}}\.)"
)
DIALECTS = {
    "postgresql": _compile(
        comment=r"--[^\n]*+",
        # A text with escapes may go on in the next line.
        text=rf"(?P<tag>{_DOLLAR}).*?(?:(?P=tag)|\Z)"
        rf"|\b[eE](?:'(?:[^'\\]++|\\.|'')*+(?:'|\Z)(?:\s*+(?='))?+)++|{_TEXT}|{_BEGUN_NAME}\Z",
        name=_NAME,
    ),
    "sqlite": _compile(
        comment=r"--[^\n]*+",
        text=rf"{_TEXT}|(?!{_SIMPLE_NAME}\s{{0,5}}\.){_BEGUN_NAME}(?:\"|\Z)|`[^`]*\Z",
        name=rf"{_SQLITE_NAME}|{_BACKTICKS}",
    ),
    "mysql": _compile(comment=r"--(?=\s|\Z)[^\n]*+|\#[^\n]*+", text=_MYSQL_TEXT, name=_BACKTICKS),
    "oracle": _compile(
        comment=r"--[^\n]*+", text=rf"\b[nN]?[qQ]'.*|{_TEXT}|{_BEGUN_NAME}\Z", name=_NAME
    ),
}
UNKNOWN_DIALECT = _compile(
    comment=r"--[^\n]*+|\#.*",
    text=rf"{_DOLLAR}.*|\b[nN]?[qQ]'.*|{_MYSQL_TEXT}",
    name=_BACKTICKS,
)


def is_secret_name(name: str) -> bool:
    """Return whether a value of this name is not for the readers of traces."""
    return bool(STEMS.search(name.lower()) and SECRET_NAME.compiled.search(name))


def redact_text(text: str) -> str:
    """Return the text without credentials, query strings and values of secret-sounding names."""
    if "\n" in text:
        text = DETAIL.compiled.sub("", text)
    if "-----BEGIN " in text:
        text = PRIVATE_KEY.compiled.sub(REDACTED, text)
    if "@" in text:
        text = BARE_USER_INFO.compiled.sub(r"\g<kept>", USER_INFO.compiled.sub(r"\g<kept>", text))
    if "?" in text:
        text = QUERY.compiled.sub("?" + REDACTED, text)
    if "AKIA" in text or "ASIA" in text or "eyJ" in text:
        text = LOOKS_SECRET.compiled.sub(REDACTED, text)
    lower = text.lower()
    if STEMS.search(lower):
        for pattern in NAMED:
            text = pattern.compiled.sub(rf"\g<kept>{REDACTED}", text)
    if "bearer" in lower or "basic" in lower or "digest" in lower:
        text = CREDENTIALS.compiled.sub(_keep_scheme, text)
    if "invalid " in lower:
        text = BAD_INPUT.compiled.sub(rf"\g<kept>{REDACTED}", text)
    return text


def _keep_scheme(match: re.Match[str]) -> str:
    return (match["kept"] or match["digest"]) + REDACTED


@lru_cache(maxsize=512)
def redact_short(text: str) -> str:
    """Return what redact_text does, kept: for texts that come again and again."""
    return redact_text(text)


def redact_quoted(text: str) -> str:
    """Return the message of a database without the values that it quotes, but with its names."""
    text = ROW.compiled.sub(f")=({REDACTED})", DETAIL.compiled.sub("", text))
    for quoted in QUOTED.compiled.finditer(text):
        if quoted["name"] is None:
            end = END_OF_QUOTED.compiled.search(text, quoted.end())
            return text[: quoted.start()] + REDACTED + (end["rest"] if end else "")
    return text


def redact_url(url: str) -> str:
    """Return scheme, host, port and path of a URL; neither user, query nor fragment."""
    try:
        parts = urlsplit(url)
        host = parts.hostname or ""
        port = f":{parts.port}" if parts.port else ""
    except ValueError:
        return _end_path(url.rpartition("@")[2])
    if not parts.netloc and "@" in url:
        return _end_path(BARE_USER_INFO.compiled.sub("", url))
    if ":" in host:
        host = f"[{host}]"
    # What follows a semicolon are parameters, such as a session's id.
    path = quote(parts.path.partition(";")[0], safe="/%:@!$&'()*+,=~-._")
    scheme = f"{parts.scheme}:" if parts.scheme else ""
    place = f"//{host}{port}" if parts.netloc else ""
    return f"{scheme}{place}{path}"[:MAX_HTTP_CHARACTERS]


def _end_path(url: str) -> str:
    """Return what stands before a URL's parameters, query and fragment."""
    return re.split("[;?#]", url, maxsplit=1)[0][:MAX_HTTP_CHARACTERS]


def sanitise_sql(sql: str, *, vendor: str = "") -> str:
    """Return the statement with literals replaced by `?` and without comments.

    vendor: as Django calls it, in any case. Of one that is not known, whatever might be a literal
    is taken out: what stands in double quotes too. The placeholders stay as they are.
    """
    pattern = DIALECTS.get(vendor.lower(), UNKNOWN_DIALECT)
    return pattern.compiled.sub(_keep_names, sql[:MAX_SQL_READ])[:MAX_SQL_CHARACTERS]


def _keep_names(match: re.Match[str]) -> str:
    if match["name"] is not None:
        return match["name"]
    return "" if match["comment"] is not None else "?"
