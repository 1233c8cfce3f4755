"""A line of the list of traces: a summary, made ready to be shown."""

import re
from dataclasses import dataclass
from typing import Any

from xray_local.store.queries import Page

SCALE = 100.0
CHIPS_SHOWN = 6
URL = re.compile(r"(https?://[^/?#\s]+)(/\S*)")


@dataclass(frozen=True, slots=True)
class TraceLine:
    """One trace in a few words."""

    id: str
    origin: str  # the scheme and host of the URL it began with, where they can be told apart
    title: str  # the rest of that URL, else the name of its root
    method: str
    status: int | None
    flags: tuple[str, ...]
    start: float  # seconds since 1970
    duration_ms: float
    response_ms: float
    is_partial: bool
    services: tuple[str, ...]
    users: tuple[str, ...]
    annotations: tuple[tuple[str, str], ...]
    annotations_left_out: int
    bar_width: float

    @classmethod
    def read(
        cls, summary: dict[str, Any], root_name: str, slowest_seconds: float = 0.0
    ) -> "TraceLine":
        """Return the line of a summary; its bar is as long as it took against the slowest."""
        http = summary["Http"]
        chips = [
            (key, _write_value(each["AnnotationValue"]))
            for key, values in summary["Annotations"].items()
            for each in values
        ]
        share = summary["ResponseTime"] / slowest_seconds if slowest_seconds else 0.0
        origin, title = split_url(http.get("HttpURL") or root_name)
        return cls(
            id=summary["Id"],
            origin=origin,
            title=title,
            method=http.get("HttpMethod", ""),
            status=http.get("HttpStatus"),
            flags=_list_flags(summary),
            start=summary["StartTime"],
            duration_ms=summary["Duration"] * 1000,
            response_ms=summary["ResponseTime"] * 1000,
            is_partial=summary["IsPartial"],
            services=tuple(dict.fromkeys(each["Name"] for each in summary["ServiceIds"])),
            users=tuple(each["UserName"] for each in summary["Users"]),
            annotations=tuple(chips[:CHIPS_SHOWN]),
            annotations_left_out=max(0, len(chips) - CHIPS_SHOWN),
            bar_width=max(1.0, share * SCALE),
        )


def make_lines(page: Page) -> list[TraceLine]:
    """Return the lines of a page of the list."""
    slowest = max((summary["ResponseTime"] for summary in page.summaries), default=0.0)
    return [
        TraceLine.read(summary, name, slowest)
        for summary, name in zip(page.summaries, page.root_names, strict=True)
    ]


def split_url(url: str) -> tuple[str, str]:
    """Return the scheme and host apart from the rest, which is what tells requests apart."""
    match = URL.fullmatch(url)
    return (match[1], match[2]) if match else ("", url)


def _list_flags(summary: dict[str, Any]) -> tuple[str, ...]:
    names = {"HasFault": "fault", "HasError": "error", "HasThrottle": "throttle"}
    flags = [flag for name, flag in names.items() if summary[name]]
    if summary["IsPartial"]:
        flags.append("in progress")
    return tuple(flags) or ("ok",)


def _write_value(value: dict[str, Any]) -> str:
    """Return the annotation's value as JSON would write it, texts without quotation marks."""
    (plain,) = value.values()
    if isinstance(plain, bool):
        return "true" if plain else "false"
    return f"{plain:.15g}" if isinstance(plain, float) else str(plain)
