"""Processes that are started ahead of events, and snapshots of them that many processes go on from.

With SnapStart Lambda starts a version of a function once, when it is published, takes a snapshot,
and lets each execution environment go on from that.
Source: https://docs.aws.amazon.com/lambda/latest/dg/snapstart-runtime-hooks-python.html
"""

import gc
import os
import random
import sys
from collections.abc import Callable

INITIALIZATION = "AWS_LAMBDA_INITIALIZATION_TYPE"
PROVISIONED, SNAPSHOT = "provisioned-concurrency", "snap-start"


def start_ahead(load: Callable[[], object], forget: Callable[[], object]) -> None:
    """Load what only some requests need, where nobody waits for the start: ahead of events.

    Those are functions with provisioned concurrency and with SnapStart; for others it does nothing.
    load: the application's own; runs within init.
    forget: lets go of what must not be in a snapshot: connections, credentials, what is random.
    Django's connections to databases and caches are closed, too; after each restore Python's
    random numbers begin anew. What the system gives (os.urandom, secrets, uuid4) is different in
    each environment by itself.
    """
    kind = os.environ.get(INITIALIZATION)
    if kind not in (PROVISIONED, SNAPSHOT):
        return
    load()
    if kind == SNAPSHOT:
        # The runtime brings it along, and calls what it holds.
        from snapshot_restore_py import register_after_restore, register_before_snapshot

        register_before_snapshot(let_go, forget)
        register_after_restore(random.seed)


def let_go(forget: Callable[[], object]) -> None:
    """Close all connections, young ones too: they don't outlive a snapshot."""
    forget()
    if "django.db" in sys.modules:
        from django.core.cache import close_caches
        from django.db import connections

        close_caches()
        connections.close_all()
    # What was forgotten may hold connections as long as the collector has not seen it.
    gc.unfreeze()
    gc.collect()
    gc.freeze()
