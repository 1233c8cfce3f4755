"""A subsegment for each template that a view renders: whole pages, not their parts or widgets."""

from contextvars import ContextVar
from typing import Any

import wrapt
from django.template.base import Template

from .remote import is_wrapped
from .subsegments import in_subsegment

_is_rendering: ContextVar[bool] = ContextVar("xray_is_rendering", default=False)


def install() -> None:
    """Trace `Template.render` of this process, once."""
    if not is_wrapped(Template.render, record_rendering):
        wrapt.wrap_function_wrapper(Template, "render", record_rendering)


def record_rendering(
    render: Any, template: Template, arguments: tuple[Any, ...], keywords: dict[str, Any]
) -> Any:
    """Render in a subsegment, unless this is a part of a template that has one already.

    Includes and form widgets are templates too: a form of ten fields would make seventy.
    """
    if _is_rendering.get():
        return render(*arguments, **keywords)
    token = _is_rendering.set(True)
    try:
        with in_subsegment(str(template.name or "template")):
            return render(*arguments, **keywords)
    finally:
        _is_rendering.reset(token)
