"""What every page knows: its trace, its visitor, and what this site can do."""

from typing import Any

from django.conf import settings
from django.http import HttpRequest

import tracing

from .reviews import has_sql

EDIT_PERMISSION = "movies.edit_catalogue"


def site(request: HttpRequest) -> dict[str, Any]:
    """Return what the frame of a page shows; asks SQL only for who is signed in."""
    user = getattr(request, "user", None) if has_sql() else None
    viewer = user if user is not None and user.is_authenticated else None
    return {
        **describe_site(),
        "viewer": viewer,
        "can_edit": viewer is not None and viewer.has_perm(EDIT_PERMISSION),
    }


def describe_site() -> dict[str, Any]:
    """Return what can be said without looking at the visitor: this never fails.

    trace_url is None where there is nothing to look at: outside a trace, or in one not sampled.
    """
    trace = tracing.current_trace()
    return {
        "read_only": not has_sql(),
        "lab_enabled": settings.LAB_ENABLED,
        "trace_id": trace.trace_id if trace else None,
        "is_sampled": bool(trace and trace.is_sampled),
        "trace_url": (
            settings.TRACE_URL.replace("{trace_id}", trace.trace_id)
            if trace and trace.is_sampled
            else None
        ),
    }
