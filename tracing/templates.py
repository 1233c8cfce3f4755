"""A subsegment for each template that a view renders: whole pages, not their parts or widgets."""

from collections.abc import Callable
from typing import Any

from django.template.base import Template

from .context import begin, innermost
from .exceptions import record_failure
from .subsegments import end
from .wrapping import when_imported, wrap


def install() -> None:
    """Trace the templates of Django in this process, once, and Jinja's when it is imported."""
    wrap(Template, "render", trace)
    when_imported(
        "django.template.backends.jinja2",
        lambda module: wrap(module.Template, "render", trace_jinja),
    )


def trace(render: Any) -> Any:
    """Return `Template.render` with a subsegment around it.

    Not around a part of a template that has one already: includes and form widgets are templates
    too, and a form of ten fields would make seventy.
    """
    return _trace(render, lambda template: template.name)


def trace_jinja(render: Any) -> Any:
    """Return `render` of Jinja's templates in Django with a subsegment around it."""
    return _trace(render, lambda template: template.template.name)


def _trace(render: Any, get_name: Callable[[Any], Any]) -> Any:
    def render_template(template: Any, *args: Any, **kwargs: Any) -> Any:
        entity = innermost.get()
        if entity is not None and is_within_template(entity):
            return render(template, *args, **kwargs)
        subsegment = begin(str(get_name(template) or "template"))
        if subsegment is None:
            return render(template, *args, **kwargs)
        subsegment.is_template = True
        try:
            return render(template, *args, **kwargs)
        except BaseException as exception:
            record_failure(subsegment, exception)
            raise
        finally:
            end(subsegment)

    return render_template


def is_within_template(entity: Any) -> bool:
    """Return whether an entity is a template or part of one."""
    while entity is not None and not entity.is_function:
        if entity.is_template:
            return True
        entity = entity.parent
    return False
