"""How templates show numbers and posters."""

from django import template
from django.utils.html import format_html
from django.utils.safestring import SafeString, mark_safe

from movies.drawn_poster import draw_emblem, draw_poster
from movies.views.cards import Card

register = template.Library()


@register.simple_tag
def poster(card: Card) -> SafeString:
    """Show the uploaded poster or, where there is none, the drawn one; a caption is beside it."""
    if card.poster_url is None:
        return draw_poster(card.title, card.year, card.genres)
    return format_html(
        '<img class="poster" src="{}" alt="" width="200" height="300" loading="lazy" '
        'decoding="async">',
        card.poster_url,
    )


@register.simple_tag
def emblem(genre: str) -> SafeString:
    """Show the picture that stands for a genre."""
    return draw_emblem(genre)


@register.filter
def dir_auto(html: SafeString) -> SafeString:
    """Have each paragraph that `linebreaks` made run in the direction of its own letters."""
    return mark_safe(html.replace("<p>", '<p dir="auto">'))  # noqa: S308 - its text is escaped


@register.filter
def runtime(minutes: int) -> str:
    """Say 136 minutes as '2 h 16 min'."""
    hours, rest = divmod(minutes, 60)
    parts = [f"{hours} h"] if hours else []
    return " ".join([*parts, f"{rest} min"] if rest or not hours else parts)


@register.filter
def milliseconds(duration_ms: float) -> str:
    """Say 1234.5 as '1.23 s' and 12.3 as '12 ms'."""
    if duration_ms >= 1000:
        return f"{duration_ms / 1000:.2f} s"
    return f"{duration_ms:.0f} ms"


@register.filter
def one_decimal(value: float) -> str:
    """Say 8.333 as '8.3'."""
    return f"{value:.1f}"
