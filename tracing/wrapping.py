"""Put a function around another, once, wherever it stands."""

from __future__ import annotations

from collections.abc import Callable
from functools import wraps
from typing import Any

import wrapt

MARK = "_traced_by"


def wrap(owner: Any, name: str, make: Callable[[Any], Callable[..., Any]]) -> None:
    """Replace `owner.name` by what `make` returns for it, unless that has been done.

    A plain function: a proxy would cost each call more than it is worth.
    """
    wrapped = getattr(owner, name)
    if getattr(wrapped, MARK, None) is make:
        return
    wrapper = wraps(wrapped)(make(wrapped))
    setattr(wrapper, MARK, make)
    setattr(owner, name, wrapper)


def when_imported(module: str, act: Callable[[Any], None]) -> None:
    """Call `act` with a module as soon as it is imported: who never imports it pays nothing."""
    wrapt.register_post_import_hook(act, module)
