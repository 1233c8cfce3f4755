"""Film titles as one segment of a URL's path."""

import re

_ESCAPED = re.compile(r"~(.?)", re.DOTALL)
_PLAIN = {"~": "~", "s": "/", "d": "."}


class TitleConverter:
    """Any title, in one path segment that no browser or proxy rewrites.

    "/" becomes "~s" and "~" becomes "~~"; in a title of dots alone, which means a folder to
    everybody, "." becomes "~d". The rest is percent-encoded by Django as usual.
    """

    regex = "[^/]+"

    def to_python(self, value: str) -> str:
        """Return the title. Raises ValueError, which is a 404, for what to_url does not make."""
        title = _ESCAPED.sub(lambda match: _PLAIN.get(match[1], "\0"), value)
        if self.to_url(title) != value:
            raise ValueError(f"Expected an escaped title, got {value!r}.")
        return title

    def to_url(self, value: str) -> str:
        escaped = value.replace("~", "~~").replace("/", "~s")
        return escaped.replace(".", "~d") if not value.strip(".") else escaped
