"""A subsegment for each template that a view renders: whole pages, not their parts or widgets."""

from typing import Any

from django.template.base import Template

from .context import begin_beneath, get_innermost
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

    def render_template(template: Any, context: Any) -> Any:
        entity = get_innermost()
        if entity is not None and entity.is_silent:
            return render(template, context)
        subsegment = begin_page(entity, template.name)
        if subsegment is None:
            return render(template, context)
        try:
            return render(template, context)
        except BaseException as exception:
            record_failure(subsegment, exception)
            raise
        finally:
            end(subsegment)

    return render_template


def trace_jinja(render: Any) -> Any:
    """Return `render` of Jinja's templates in Django with a subsegment around it."""

    def render_template(template: Any, *args: Any, **kwargs: Any) -> Any:
        subsegment = begin_page(get_innermost(), template.template.name)
        if subsegment is None:
            return render(template, *args, **kwargs)
        try:
            return render(template, *args, **kwargs)
        except BaseException as exception:
            record_failure(subsegment, exception)
            raise
        finally:
            end(subsegment)

    return render_template


def begin_page(entity: Any, name: Any) -> Any:
    """Begin the subsegment of a template beneath an entity; None beneath another template's."""
    above, request = entity, None if entity is None else entity.request
    while above is not request and above is not None:
        if above.is_template:
            return None
        above = above.parent
    subsegment = begin_beneath(entity, str(name or "template"), "local", False)
    if subsegment is not None:
        subsegment.is_template = True
    return subsegment
