"""A pipe that nobody writes to: it ends when the server does, however that happens.

A process that waits for what never comes, as a disk with room, then ends as well.
"""

import os
import select
import threading
import time

from xray_local.log import tell

# Time enough for the whole backlog of the receiver on a slow machine.
GRACE_SECONDS = 20.0


def end_after_server(lifeline: int, grace_seconds: float = GRACE_SECONDS) -> None:
    """End this process, whatever it does then, so long after the lifeline has ended."""
    threading.Thread(target=_wait, args=(lifeline, grace_seconds), daemon=True).start()


def _wait(lifeline: int, grace_seconds: float) -> None:
    poller = select.poll()
    poller.register(lifeline, select.POLLIN)
    poller.poll()
    time.sleep(grace_seconds)
    try:
        tell(f"the server ended {grace_seconds:g} s ago; what is not stored yet is lost.")
    finally:
        os._exit(1)
