"""Settings of Transaction Search: where segments go, and how many spans are indexed.

https://docs.aws.amazon.com/AmazonCloudWatch/latest/monitoring/CloudWatch-Transaction-Search.html

Both are kept and change nothing: here all segments are stored, and all of them can be found. So
what is really indexed is 100 %, whatever is desired. UpdateTraceSegmentDestination answers PENDING,
and whoever asks from then on hears ACTIVE (doubtful).
"""

import sqlite3
from typing import NamedTuple

from xray_local.errors import ResourceNotFound
from xray_local.traces.documents import show

from .choices import get_choice, set_choice

XRAY = "XRay"
LOGS = "CloudWatchLogs"
DESTINATIONS = (XRAY, LOGS)
INDEXING_RULE = "Default"
ACTUAL_PERCENT = 100.0


class IndexingRule(NamedTuple):
    """How many spans are to be indexed; modified is in seconds since 1970."""

    desired_percent: float
    modified: float


def get_destination(connection: sqlite3.Connection) -> str:
    """Return where segments are to go."""
    return str(get_choice(connection, "destination", XRAY))


def set_destination(connection: sqlite3.Connection, destination: str) -> None:
    """Keep where segments are to go."""
    set_choice(connection, "destination", destination)


def get_indexing_rule(connection: sqlite3.Connection) -> IndexingRule:
    """Return the only rule there is."""
    return IndexingRule(*get_choice(connection, "indexing", (ACTUAL_PERCENT, 0.0)))


def update_indexing_rule(
    connection: sqlite3.Connection, name: str, desired_percent: float, now: float
) -> IndexingRule:
    """Keep how many spans are to be indexed, and return it. Raises ResourceNotFound."""
    if name != INDEXING_RULE:
        raise ResourceNotFound(
            f"Expected the indexing rule {INDEXING_RULE!r}, the only one, got {show(name)}.", name
        )
    rule = IndexingRule(desired_percent, now)
    set_choice(connection, "indexing", rule)
    return rule
