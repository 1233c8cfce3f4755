"""Filters and tags of the console's templates."""

from django import template
from django.urls import reverse

from xray_local.console.assets import link_asset
from xray_local.console.figures import (
    write_count,
    write_rate,
    write_share,
    write_size,
    write_units,
)
from xray_local.console.navigation import SCREENS, Screen
from xray_local.console.scope import RANGES, Scope
from xray_local.console.selection import write_query
from xray_local.console.times import (
    write_clock,
    write_duration,
    write_iso,
    write_local,
    write_moment,
    write_offset,
)
from xray_local.traces.services import Service

register = template.Library()

register.filter("duration", write_duration)
register.filter("clock", write_clock)
register.filter("moment", write_moment)
register.filter("iso", write_iso)
register.filter("local", write_local)
register.filter("offset", write_offset)
register.filter("rate", write_rate)
register.filter("share", write_share)
register.filter("size", write_size)
register.filter("count", write_count)
register.filter("units", write_units)
register.simple_tag(link_asset, name="asset")


@register.simple_tag
def navigation(section: str, scope: Scope | str) -> list[tuple[Screen, str, bool]]:
    """Return the screens, the link to each, and whether it is the one that is shown."""
    return [
        (screen, link(screen.route, scope=scope), screen.route == section) for screen in SCREENS
    ]


@register.simple_tag
def link(
    route: str, *arguments: str, scope: Scope | str = "", **changes: str | float | None
) -> str:
    """Return the link to a screen, about what this page is about but for the changes."""
    path = reverse(route, args=arguments)
    return scope.link(path, **changes) if isinstance(scope, Scope) else path


@register.simple_tag
def here(scope: Scope, **changes: str | float | None) -> str:
    """Return the link to this screen with changes."""
    return scope.here(**changes)


@register.simple_tag
def choose(scope: Scope, service: Service, source: Service | None = None) -> str:
    """Return the link to this screen with a node chosen, or the edge from the source to it."""
    return scope.here(**write_query(service, source))


@register.simple_tag
def scope_fields(scope: Scope, *without: str) -> list[tuple[str, str]]:
    """Return what a form of this screen sends along, unseen, but for the names it has itself."""
    return list(scope.fields(*without))


@register.simple_tag
def ranges(scope: Scope) -> list[tuple[str, str, bool]]:
    """Return the ranges to choose from: name, in words, whether it is the one that is shown."""
    return [(name, words, name == scope.range) for name, (_, words) in RANGES.items()]
