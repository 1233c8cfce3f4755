"""How the log lines of a trace are found."""

import shlex
from typing import Any

from tests.xray_local.made import NOON, make_segment, make_subsegment
from xray_local.console.logs import LogQuery, find_logs
from xray_local.console.outline import outline
from xray_local.traces.trees import build_tree

TRACE_ID = "1-58406520-a006649127e371903a2de979"


def find(*documents: dict[str, Any]) -> LogQuery:
    return find_logs(TRACE_ID, outline(build_tree(documents)))


def test_groups_that_segments_name() -> None:
    logs = [{"log_group": "/one"}, {"arn": "arn:aws:logs:eu-west-1:1:log-group:/two:*"}]
    inner = make_subsegment(aws={"cloudwatch_logs": [{"log_group": "/one"}, {}]})

    found = find(make_segment(aws={"cloudwatch_logs": logs}, subsegments=[inner]))

    assert found.groups == ("/one", "/two")
    assert found.query == (
        "fields @timestamp, @log, @message\n"
        f'| filter @message like "{TRACE_ID}"\n'
        "| sort @timestamp asc"
    )


def test_functions_have_groups_of_their_own() -> None:
    function = make_segment(
        name="movies-dev", origin="AWS::Lambda::Function", aws={"request_id": "0f2c-11"}
    )

    found = find(function)

    assert found.groups == ("/aws/lambda/movies-dev",)
    assert f'filter @requestId in ["0f2c-11"] or @message like "{TRACE_ID}"' in found.query


def test_functions_that_log_elsewhere() -> None:
    logs = [{"log_group": "/elsewhere"}]

    found = find(make_segment(origin="AWS::Lambda::Function", aws={"cloudwatch_logs": logs}))

    assert found.groups == ("/elsewhere",)


def test_the_command_is_one_that_a_shell_reads() -> None:
    name = "/it's; rm -rf $HOME\n`x`"

    found = find(make_segment(aws={"cloudwatch_logs": [{"log_group": name}]}))

    words = shlex.split(found.command)
    assert words[words.index("--log-group-names") + 1] == name
    assert words[words.index("--query-string") + 1] == found.query
    assert words[words.index("--start-time") + 1] == str(int(NOON) - 5)
    assert words[words.index("--end-time") + 1] == str(int(NOON) + 6)


def test_ids_are_quoted() -> None:
    found = find(make_segment(origin="AWS::Lambda", aws={"request_id": 'a"] or 1'}))

    assert 'in ["a\\"] or 1"]' in found.query


def test_no_group_is_known() -> None:
    assert find(make_segment(aws={"cloudwatch_logs": 1})).groups == ()
