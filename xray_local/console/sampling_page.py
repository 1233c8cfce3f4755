"""The screen of sampling rules: what each has decided, and forms to make, change and delete them.

What may be typed is what the API takes, checked by its own readers.
"""

import time
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from typing import Any

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.urls import reverse

from xray_local.api.sampling import PRIORITY_MAX, REQUIRED, read_members
from xray_local.api.wire import read_text, require
from xray_local.control import rules
from xray_local.control.database import changing, reading
from xray_local.control.rules import Rule
from xray_local.control.targets import HISTORY_SECONDS, Window, list_windows
from xray_local.errors import InvalidRequest, Refused
from xray_local.parts import get_parts
from xray_local.traces.documents import show

from .charts import Sparkline, draw_sparkline
from .forms import Field, has_mistakes, read_fields, read_figure
from .scope import Scope, read_scope
from .view import SeeOther, form_page

POINT_SECONDS = 60
# What a rule looks at: how it is headed, in the order in which forms have it.
MATCHED = {
    "ServiceName": "Service",
    "ServiceType": "Type",
    "Host": "Host",
    "HTTPMethod": "Method",
    "URLPath": "Path",
    "ResourceARN": "ARN",
}
FIELDS = (
    Field("RuleName", "Name", "At most 32 characters; it cannot be changed later."),
    Field("Priority", "Priority", "1 to 9999; the lowest is tried first.", "number"),
    Field("ReservoirSize", "Reservoir", "Requests a second that are always traced.", "number"),
    Field("FixedRate", "Rate", "Of the others, from 0 (none) to 1 (all).", "number"),
    Field("ServiceName", "Service name", "As the segment is named; * and ? stand for anything."),
    Field("ServiceType", "Service type", "The origin, such as AWS::Lambda::Function."),
    Field("Host", "Host", "The Host header of the request."),
    Field("HTTPMethod", "HTTP method", "Such as GET."),
    Field("URLPath", "URL path", "Such as /films/*."),
    Field("ResourceARN", "Resource ARN", "Of the resource that runs the application."),
    Field("Attributes", "Attributes", "One a line, as key=value; at most 5.", "lines"),
)
USUAL = {
    "Priority": "1000",
    "ReservoirSize": "1",
    "FixedRate": "0.05",
    **dict.fromkeys(MATCHED, "*"),
}


@dataclass(frozen=True, slots=True)
class Line:
    """A row of the table: a rule, and what was reported of it within the last hour."""

    rule: Rule
    requests: int
    sampled: int
    borrowed: int
    spark: Sparkline

    @property
    def name(self) -> str:
        """The name of the rule."""
        return self.rule.name

    @property
    def is_default(self) -> bool:
        """Whether it is the rule for what no other rule matches."""
        return self.name == rules.DEFAULT

    @property
    def sampled_percent(self) -> float:
        """How many of a hundred requests were traced."""
        return 100 * self.sampled / self.requests if self.requests else 0.0

    @property
    def rate_percent(self) -> float:
        """The rate, in hundredths."""
        return 100 * self.rule.rate

    @property
    def boost_percent(self) -> float | None:
        """The rate that anomalies may bring, in hundredths; None where none."""
        boost = self.rule.fields.get("SamplingRateBoost")
        return 100 * boost["MaxRate"] if boost else None

    @property
    def matches(self) -> list[tuple[str, str]]:
        """What a request has to have: what is looked at, and the pattern."""
        fields = self.rule.fields
        found = [(label, fields[key]) for key, label in MATCHED.items() if fields[key] != "*"]
        return [*found, *fields["Attributes"].items()]


@form_page
def show_rules(request: HttpRequest) -> HttpResponse:
    """Show the rules in the order in which they are tried.

    ?new=1 or ?rule=NAME has a form to make or to change one, ?delete=NAME asks before one goes.
    """
    scope = read_scope(request)
    database = get_parts(request).database
    with reading(database) as connection:
        found = rules.list_rules(connection)
        rule = _find(found, request.GET.get("rule"))
        doomed = _find(found, request.GET.get("delete"))
        windows = list_windows(connection, time.time())
    fields = _fill(rule)
    refusal = ""
    if request.method == "POST":
        try:
            if doomed:
                with changing(database) as connection:
                    rules.delete_rule(connection, doomed, time.time())
                return SeeOther(scope.link(reverse("sampling")))
            fields, values = read_fields(fields, request.POST.dict(), _read(rule))
            if not has_mistakes(fields):
                return SeeOther(_save(request, scope, rule, values))
        except Refused as error:
            refusal = str(error)
    context = {
        "section": "sampling",
        "scope": scope,
        "lines": _make_lines(found, windows),
        "fields": fields if rule or request.method == "POST" or "new" in request.GET else (),
        "rule": rule,
        "doomed": doomed,
        "refusal": refusal,
        "saved": _find_name(found, request.GET.get("saved")),
    }
    return render(request, "xray_local/sampling.html", context)


def _find(found: Sequence[Rule], name: str | None) -> Rule | None:
    """Return the rule of the name, None where none is named. Raises InvalidRequest."""
    if name is None:
        return None
    for rule in found:
        if rule.name == name:
            return rule
    raise InvalidRequest(f"Expected the name of a sampling rule, got {show(name)}.")


def _find_name(found: Iterable[Rule], name: str | None) -> str:
    return next((rule.name for rule in found if rule.name == name), "")


def _make_lines(found: Iterable[Rule], windows: Iterable[Window]) -> list[Line]:
    by_rule: dict[str, list[Window]] = {}
    for window in windows:
        by_rule.setdefault(window.rule, []).append(window)
    return [_make_line(rule, by_rule.get(rule.name, []), time.time()) for rule in found]


def _make_line(rule: Rule, windows: Sequence[Window], now: float) -> Line:
    points = [0] * (HISTORY_SECONDS // POINT_SECONDS)
    for window in windows:
        age = int((now - window.start) // POINT_SECONDS)
        points[-1 - min(max(age, 0), len(points) - 1)] += window.requests
    most = max(points)
    words = f"Requests matched in each of the last {len(points)} minutes: at most {most}."
    return Line(
        rule,
        sum(window.requests for window in windows),
        sum(window.sampled for window in windows),
        sum(window.borrowed for window in windows),
        draw_sparkline(points, words=words),
    )


def _fill(rule: Rule | None) -> list[Field]:
    """Return the fields of the form: as the rule is, or as usual for a new one."""
    if rule is None:
        return [replace(field, value=USUAL.get(field.name, "")) for field in FIELDS]
    is_default = rule.name == rules.DEFAULT
    return [
        replace(
            field,
            value=_write(rule.fields.get(field.name, "")),
            is_fixed=field.name == "RuleName"
            or (is_default and field.name not in rules.FIELDS_OF_DEFAULT),
        )
        for field in FIELDS
    ]


def _write(value: Any) -> str:
    if isinstance(value, dict):
        return "\n".join(f"{key}={text}" for key, text in value.items())
    return f"{value:.12g}" if isinstance(value, float) else str(value)


def _read(rule: Rule | None) -> Any:
    """Return what reads a field of the form into a member of the API."""
    is_default = rule is not None and rule.name == rules.DEFAULT

    def read(name: str, text: str) -> Any:
        if name == "RuleName":
            return read_text({name: text}, name, at_least=1, at_most=32)
        value: Any = text
        if name == "Attributes":
            value = _read_attributes(text)
        elif name in ("Priority", "FixedRate", "ReservoirSize"):
            value = read_figure(text.strip()) if text.strip() else None
        members = read_members({name: value}, priority_max=PRIORITY_MAX + is_default)
        return require(members.get(name), name) if name in REQUIRED else members.get(name)

    return read


def _read_attributes(text: str) -> dict[str, str]:
    attributes: dict[str, str] = {}
    for line in filter(None, map(str.strip, text.splitlines())):
        key, sign, value = line.partition("=")
        if not sign:
            raise InvalidRequest(f"Expected key=value in each line, got {show(line)}.")
        attributes[key.strip()] = value.strip()
    return attributes


def _save(request: HttpRequest, scope: Scope, rule: Rule | None, values: dict[str, Any]) -> str:
    """Make or change the rule; return where it is shown. Raises Refused."""
    now = time.time()
    with changing(get_parts(request).database) as connection:
        if rule is None:
            saved = rules.create_rule(connection, {**values, "Version": 1}, {}, now)
        else:
            saved = rules.update_rule(
                connection, rules.find_rule(connection, rule.name, None), values, now
            )
    return scope.link(reverse("sampling"), saved=saved.name)
