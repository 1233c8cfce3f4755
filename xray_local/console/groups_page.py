"""The screen of groups: what each is for, and forms to make, copy, change and delete them."""

from collections.abc import Iterable, Sequence
from dataclasses import replace

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.urls import reverse

from xray_local.api.groups import NAME
from xray_local.api.wire import read_text, require
from xray_local.control import groups
from xray_local.control.database import changing
from xray_local.control.groups import Group
from xray_local.errors import InvalidRequest, Refused
from xray_local.filters import BadFilter, read_filter
from xray_local.parts import get_parts
from xray_local.traces.documents import show

from .forms import Field, has_mistakes, read_fields
from .mistakes import Mistake, find_mistake
from .scope import read_scope
from .view import SeeOther, form_page

NAME_FIELD = Field(
    "GroupName", "Name", "At most 32 letters, digits and hyphens; it cannot be changed later."
)
EXPRESSION_FIELD = Field(
    "FilterExpression", "Filter expression", "Empty for every trace.", kind="wide"
)


@form_page
def show_groups(request: HttpRequest) -> HttpResponse:
    """Show the groups.

    ?new=1, ?clone=NAME and ?edit=NAME have a form to make or to change one, ?delete=NAME asks
    before one goes.
    """
    scope = read_scope(request)
    query = request.GET
    group = _find(scope.groups, query.get("edit"))
    model = _find(scope.groups, query.get("clone"))
    doomed = _find(scope.groups, query.get("delete"))
    fields = _fill(group, model)
    has_insights = (group or model or Group("", "")).has_insights
    refusal = ""
    if request.method == "POST":
        try:
            if doomed:
                _delete(request, doomed)
                return SeeOther(scope.link(reverse("groups"), group=_leave(scope.group, doomed)))
            has_insights = "InsightsEnabled" in request.POST
            fields, values = read_fields(fields, request.POST.dict(), _read)
            if not has_mistakes(fields):
                saved = _save(request, group, values, has_insights=has_insights)
                return SeeOther(scope.link(reverse("groups"), saved=saved.name))
        except Refused as error:
            refusal = str(error)
    has_form = bool(group or model or request.method == "POST" or "new" in query)
    context = {
        "section": "groups",
        "scope": scope,
        "groups": scope.groups,
        "fields": fields if has_form else (),
        "has_insights": has_insights,
        "mistake": _find_mistake(fields),
        "group": group,
        "model": model,
        "doomed": doomed,
        "refusal": refusal,
        "saved": next((each.name for each in scope.groups if each.name == query.get("saved")), ""),
        "default": groups.DEFAULT,
    }
    return render(request, "xray_local/groups.html", context)


def _find(found: Iterable[Group], name: str | None) -> Group | None:
    """Return the group of the name, None where none is named. Raises InvalidRequest."""
    if name is None:
        return None
    for group in found:
        if group.name == name:
            return group
    raise InvalidRequest(f"Expected the name of a group, got {show(name)}.")


def _fill(group: Group | None, model: Group | None) -> list[Field]:
    """Return the fields of the form: as the group is, or for a new one as the model is."""
    expression = (group or model or Group("", "")).expression
    return [
        replace(NAME_FIELD, value=group.name if group else "", is_fixed=group is not None),
        replace(
            EXPRESSION_FIELD,
            value=expression,
            # Default has every trace.
            is_fixed=group is not None and group.name == groups.DEFAULT,
        ),
    ]


def _read(name: str, text: str) -> str:
    if name == NAME_FIELD.name:
        given = {name: text}
        return require(read_text(given, name, at_least=1, at_most=32, pattern=NAME), name)
    text = text.strip()
    if text:
        # Within a group there are no groups.
        read_filter(text)
    return text


def _find_mistake(fields: Sequence[Field]) -> Mistake | None:
    """Return where the filter expression is wrong, if it is."""
    expression = fields[-1].value.strip()
    try:
        if expression:
            read_filter(expression)
    except BadFilter as error:
        return find_mistake(expression, error)
    return None


def _save(
    request: HttpRequest, group: Group | None, values: dict[str, str], *, has_insights: bool
) -> Group:
    """Make or change the group. Raises Refused."""
    expression = values.get(EXPRESSION_FIELD.name)
    # There are no notifications without insights; else they stay as they are.
    has_notifications = None if has_insights else False
    with changing(get_parts(request).database) as connection:
        if group is None:
            return groups.create_group(
                connection,
                values[NAME_FIELD.name],
                expression,
                has_insights=has_insights,
                has_notifications=has_notifications,
                given_tags={},
            )
        return groups.update_group(
            connection,
            groups.find_group(connection, group.name, None),
            expression=expression,
            has_insights=has_insights,
            has_notifications=has_notifications,
        )


def _delete(request: HttpRequest, group: Group) -> None:
    """Remove the group. Raises Refused."""
    with changing(get_parts(request).database) as connection:
        groups.delete_group(connection, groups.find_group(connection, group.name, None))


def _leave(name: str, group: Group) -> str | None:
    """Return the name of the group that the pages are about; None if it is the one that went."""
    return None if name == group.name else name
