"""What is to be said of a trace or an element beside its name, such as "fault", as HTML."""

from collections.abc import Iterable

from django.utils.html import format_html_join
from django.utils.safestring import SafeString


def write_flags(flags: Iterable[str]) -> SafeString:
    """Return the flags, each in the colour that the style sheet has for it."""
    return format_html_join(
        "", '<span class="flag flag-{}">{}</span> ', ((name_class(flag), flag) for flag in flags)
    )


def name_class(flag: str) -> str:
    """Return what the style sheet calls the flag; flags are words of ours."""
    return flag.replace(" ", "-")
