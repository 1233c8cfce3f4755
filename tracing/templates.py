"""A subsegment for each template that a view renders: whole pages, not their parts or widgets."""

from contextvars import ContextVar
from typing import Any

from django.template.base import Template

from .exceptions import record_failure
from .subsegments import begin, end
from .wrapping import wrap

_is_rendering: ContextVar[bool] = ContextVar("xray_is_rendering", default=False)


def install() -> None:
    """Trace `Template.render` of this process, once."""
    wrap(Template, "render", trace)


def trace(render: Any) -> Any:
    """Return `Template.render` with a subsegment around it.

    Not around a part of a template that has one already: includes and form widgets are templates
    too, and a form of ten fields would make seventy.
    """

    def render_template(template: Template, context: Any) -> Any:
        if _is_rendering.get():
            return render(template, context)
        subsegment = begin(str(template.name or "template"))
        if subsegment is None:
            return render(template, context)
        token = _is_rendering.set(True)
        try:
            return render(template, context)
        except BaseException as exception:
            record_failure(subsegment, exception)
            raise
        finally:
            _is_rendering.reset(token)
            end(subsegment)

    return render_template
