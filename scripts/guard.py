"""Outlive the supervisor by a moment: when it is gone, end what it left.

Reads lines from standard input: `+123` is a process group to end, `-123` one that has ended by
itself. The input ends with the supervisor, however that ended (kill -9 too); what is still on
the list is then ended, politely first, so that the embedded AWS can save its state.
"""

import os
import signal
import sys
import time

GRACE_SECONDS = 10.0


def main() -> None:
    """Keep the list until the input ends, then end every group on it."""
    groups: set[int] = set()
    for line in sys.stdin:
        group = int(line[1:])
        (groups.add if line.startswith("+") else groups.discard)(group)
    left = signal_groups(groups, signal.SIGTERM)
    deadline = time.monotonic() + GRACE_SECONDS
    while left and time.monotonic() < deadline:
        time.sleep(0.05)
        left = signal_groups(left, 0)
    signal_groups(left, signal.SIGKILL)


def signal_groups(groups: set[int], number: int) -> set[int]:
    """Send a signal to every process of the groups; return the groups that are still there."""
    return {group for group in groups if signal_group(group, number)}


def signal_group(group: int, number: int) -> bool:
    """Send a signal to every process of a group. False if the group has no process left."""
    try:
        os.killpg(group, number)
    except (ProcessLookupError, PermissionError):  # macOS refuses to signal a zombie
        return False
    return True


if __name__ == "__main__":
    # Ctrl-C in the terminal is for the supervisor; the end of the input is for us.
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    main()
