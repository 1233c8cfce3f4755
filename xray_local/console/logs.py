"""How to find the log lines of a trace: a query for CloudWatch Logs Insights.

Segments name the groups that their log lines go to, and Lambda's functions have one of their own.
No log lines come here, so there are none to show.

https://docs.aws.amazon.com/AmazonCloudWatch/latest/logs/CWL_QuerySyntax.html
"""

import math
import shlex
from collections.abc import Iterator
from dataclasses import dataclass

from xray_local.traces.documents import as_list, as_mapping, as_text
from xray_local.traces.trees import Element

from .outline import Outline

GROUPS_MAX = 50  # of one query
REQUESTS_MAX = 20
FUNCTION = "AWS::Lambda::Function"
# Lines may be written a little before and after what is timed.
MARGIN_SECONDS = 5
GROUP_CHARACTERS = 512
ARN_MARK = ":log-group:"


@dataclass(frozen=True, slots=True)
class LogQuery:
    """Where the log lines of a trace are, and what finds them there."""

    groups: tuple[str, ...]
    query: str
    command: str  # for a shell


def find_logs(trace_id: str, outline: Outline) -> LogQuery:
    """Return what finds the log lines of the trace; without groups if it names none."""
    # All that can say something of log lines: a trace may have 10,000 others.
    elements = [
        place.element
        for place in outline.places
        if "aws" in place.element.content or place.element.is_segment
    ]
    groups = list(dict.fromkeys(group for each in elements for group in _list_groups(each)))
    requests = list(dict.fromkeys(each for element in elements for each in _list_requests(element)))
    conditions = [f"@message like {_quote(trace_id)}"]
    if requests:
        names = ", ".join(map(_quote, requests[:REQUESTS_MAX]))
        conditions.insert(0, f"@requestId in [{names}]")
    query = "\n".join(
        (
            "fields @timestamp, @log, @message",
            f"| filter {' or '.join(conditions)}",
            "| sort @timestamp asc",
        )
    )
    start = math.floor(outline.start or 0) - MARGIN_SECONDS
    end = math.ceil(outline.end) + MARGIN_SECONDS
    command = (
        f"aws logs start-query --start-time {max(0, start)} --end-time {end}"
        f" --log-group-names {shlex.join(groups[:GROUPS_MAX])}"
        f" --query-string {shlex.quote(query)}"
    )
    return LogQuery(tuple(groups[:GROUPS_MAX]), query, command)


def _list_groups(element: Element) -> Iterator[str]:
    aws = as_mapping(element.content.get("aws"))
    named = False
    for each in map(as_mapping, as_list(aws.get("cloudwatch_logs"))):
        group = as_text(each.get("log_group"), GROUP_CHARACTERS)
        if group is None:
            arn = as_text(each.get("arn"), 2 * GROUP_CHARACTERS) or ""
            group = arn.partition(ARN_MARK)[2].removesuffix(":*")
        if group:
            named = True
            yield group
    if not named and element.is_segment and element.content.get("origin") == FUNCTION:
        # Where Lambda writes unless the function is told otherwise.
        yield f"/aws/lambda/{as_text(element.content.get('name'), GROUP_CHARACTERS)}"


def _list_requests(element: Element) -> Iterator[str]:
    """Yield the ids that Lambda gives to its own log lines."""
    if element.is_segment and str(element.content.get("origin", "")).startswith("AWS::Lambda"):
        request_id = as_text(as_mapping(element.content.get("aws")).get("request_id"), 100)
        if request_id:
            yield request_id


def _quote(text: str) -> str:
    return '"' + text.replace("\\", "\\\\").replace('"', '\\"') + '"'
