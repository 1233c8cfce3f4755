"""The screens that the bar on every page leads to."""

from typing import NamedTuple


class Screen(NamedTuple):
    """A screen, by the name of its route; `g` and its key go there."""

    route: str
    label: str
    key: str


SCREENS = (
    Screen("map", "Map", "m"),
    Screen("traces", "Traces", "t"),
    Screen("services", "Services", "v"),
    Screen("live", "Live", "r"),
    Screen("analytics", "Analytics", "a"),
    Screen("insights", "Insights", "i"),
    Screen("sampling", "Sampling", "p"),
    Screen("groups", "Groups", "o"),
    Screen("settings", "Settings", "s"),
)
