"""A subsegment for each template that a view renders: whole pages, not their parts or widgets."""

from collections.abc import Callable
from operator import attrgetter
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
    return _trace(render, attrgetter("name"))


def trace_jinja(render: Any) -> Any:
    """Return `render` of Jinja's templates in Django with a subsegment around it."""
    return _trace(render, attrgetter("template.name"))


def _trace(render: Any, get_name: Callable[[Any], Any]) -> Any:
    def render_template(template: Any, *args: Any, **kwargs: Any) -> Any:
        entity = innermost.get()
        if entity is not None and entity.is_silent:
            return render(template, *args, **kwargs)
        while entity is not None and entity.sampled and not entity.is_function:
            if entity.is_template:
                return render(template, *args, **kwargs)
            entity = entity.parent
        subsegment = begin("template")
        if subsegment is None:
            return render(template, *args, **kwargs)
        subsegment.is_template = True
        subsegment.name = str(get_name(template) or "template")
        try:
            return render(template, *args, **kwargs)
        except BaseException as exception:
            record_failure(subsegment, exception)
            raise
        finally:
            end(subsegment)

    return render_template
