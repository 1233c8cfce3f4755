"""Put a function around another, once, wherever it stands."""

from __future__ import annotations

import logging
from collections.abc import Callable
from functools import wraps
from typing import Any

import wrapt

log = logging.getLogger(__name__)

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
    """Call `act` with a module as soon as it is imported: who never imports it pays nothing.

    Where it fails, as with a version that lacks what is to be traced, the import does not.
    """

    def act_safely(imported: Any) -> None:
        try:
            act(imported)
        except Exception:
            log.exception("Could not trace %s.", module)

    wrapt.register_post_import_hook(act_safely, module)
