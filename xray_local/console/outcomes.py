"""How the requests that traces began with ended."""

from collections.abc import Iterable

from xray_local.graph import Statistics
from xray_local.store.roots import Root
from xray_local.traces.tallies import bucket_of

# A throttle is known of a trace, not of its root: here it is an error.
OUTCOMES = ("ok", "error", "fault")


def name_outcome(root: Root) -> str:
    """Return the one of OUTCOMES that the request counts as."""
    return "fault" if root.has_fault else "error" if root.has_error else "ok"


def count_roots(roots: Iterable[Root]) -> Statistics:
    """Return the statistics of the requests, each counted once, as the graph counts them."""
    statistics = Statistics()
    for root in roots:
        count_root(statistics, root)
    return statistics


def count_root(statistics: Statistics, root: Root) -> None:
    """Count one more request."""
    outcome = name_outcome(root)
    statistics.faults += outcome == "fault"
    statistics.other_errors += outcome == "error"
    statistics.ok += outcome == "ok"
    statistics.seconds += root.response_time
    statistics.histogram[bucket_of(root.response_time)] += 1
