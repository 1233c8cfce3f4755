"""Filters and tags of the console's templates."""

import json

from django import template

from xray_local.console.assets import link_asset
from xray_local.console.times import write_clock, write_duration, write_iso, write_moment

register = template.Library()

register.filter("duration", write_duration)
register.filter("clock", write_clock)
register.filter("moment", write_moment)
register.filter("iso", write_iso)
register.simple_tag(link_asset, name="asset")


@register.filter
def units(value: float) -> str:
    """Return a length in a drawing, short and never in the words of a locale."""
    return json.dumps(round(value, 2))


@register.filter
def offset(milliseconds: float) -> str:
    """Return a time after the start of the trace."""
    return f"+{write_duration(milliseconds)}"


@register.filter
def rate(per_minute: float, style: str = "") -> str:
    """Return how often something happens; in the style "short", with the unit in three letters."""
    unit = "/m" if style == "short" else "/min"
    return f"{per_minute:.{0 if per_minute >= 9.95 else 1 if per_minute >= 0.095 else 2}f}{unit}"


@register.filter
def share(percent: float) -> str:
    """Return hundredths as a person says them; what is there is never 0 %."""
    return f"{percent:.0f} %" if percent >= 0.95 else "< 1 %"
