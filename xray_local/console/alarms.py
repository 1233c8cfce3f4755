"""What is worse than it was, in words: of a service or of calls, against the time before.

The rules are ours. Of at least REQUESTS_LEAST requests in both times:

- faults (errors) are an alarm when more than SHARE_LEAST of the requests are, and SHARE_FACTOR
  times as large a share as before;
- so is a 95th percentile of SLOWER_FACTOR times what it was before.
"""

from collections.abc import Iterator

from xray_local.graph import Statistics

from .figures import write_share
from .times import write_duration

REQUESTS_LEAST = 10
SHARE_LEAST = 0.05
SHARE_FACTOR = 3
SLOWER_FACTOR = 2


def list_alarms(now: Statistics, before: Statistics) -> Iterator[str]:
    """Yield what is worse now than before, which is a time as long."""
    if now.total < REQUESTS_LEAST:
        return
    for name, count, count_before in (
        ("Faults", now.faults, before.faults),
        ("Errors", now.errors, before.errors),
    ):
        share = count / now.total
        if share <= SHARE_LEAST:
            continue
        if before.total < REQUESTS_LEAST:
            yield f"{name}: {write_share(100 * share)} of the requests."
            continue
        share_before = count_before / before.total
        if share > SHARE_FACTOR * share_before:
            was, now_is = write_share(100 * share_before), write_share(100 * share)
            yield f"{name}: {now_is} of the requests, {was} in the time before."
    slow, slow_before = now.find_percentile(0.95), before.find_percentile(0.95)
    if before.total >= REQUESTS_LEAST and slow > SLOWER_FACTOR * slow_before > 0:
        was, now_is = write_duration(slow_before * 1000), write_duration(slow * 1000)
        yield f"Slower: 95 of 100 within {now_is}, within {was} in the time before."
