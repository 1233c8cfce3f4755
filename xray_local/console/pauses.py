"""Reading much at once without looking for garbage again and again meanwhile."""

import gc
from collections.abc import Iterator
from contextlib import contextmanager


@contextmanager
def without_collecting() -> Iterator[None]:
    """Collect no garbage meanwhile.

    A trace of 10,000 subsegments is some 100,000 objects, of which none can go before the end; the
    collector would look at all of them many times, which takes longer than all the rest. Other
    pages read thousands of documents, which go by themselves.
    """
    was_on = gc.isenabled()
    # Whoever turns it off turns it on again: of two at a time, the one that began first. The other
    # must not: if the first has ended by now, nobody would turn it on any more.
    if was_on:
        gc.disable()
    try:
        yield
    finally:
        if was_on:
            gc.enable()
