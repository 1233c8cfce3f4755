"""Pages of lists, and boto3's paginators over them."""

import base64
import time
from collections.abc import Iterator
from typing import Any

import botocore.session
import pytest
from botocore import xform_name

from tests.xray_local.conftest import make_client
from tests.xray_local.program import Program, run_xray
from tests.xray_local.test_operations import REQUESTS, Maker
from xray_local.api import groups, sampling
from xray_local.api.pages import take_page
from xray_local.control.database import changing
from xray_local.control.groups import create_group
from xray_local.control.rules import DEFAULT_FIELDS, create_rule
from xray_local.control.targets import Report, take_reports
from xray_local.errors import InvalidRequest
from xray_local.tokens import encode

PAGINATED = botocore.session.get_session().get_paginator_model("xray")._paginator_config


def get_key(row: str) -> list[str | float]:
    return [row]


def test_pages() -> None:
    first, token = take_page("abcde", get_key, None, 2)
    second, next_token = take_page("abcde", get_key, token, 2)
    third, last_token = take_page("abcde", get_key, next_token, 2)

    assert (first, second, third) == (["a", "b"], ["c", "d"], ["e"])
    assert last_token is None


def test_what_changes_meanwhile_moves_nothing() -> None:
    _, token = take_page("bdf", get_key, None, 2)

    assert take_page("acef", get_key, token, 2) == (["e", "f"], None)


@pytest.mark.parametrize(
    "token", ["", "x", "é", encode([3]), base64.b64encode(b"7").decode(), "[" * 99]
)
def test_tokens_of_something_else(token: str) -> None:
    with pytest.raises(InvalidRequest, match="a NextToken of this operation, got"):
        take_page("abc", get_key, token, 2)


@pytest.fixture(scope="module")
def client(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Any]:
    """boto3's client for an X-Ray with more groups and statistics than a page has."""
    with run_xray(tmp_path_factory.mktemp("pages")) as program:
        fill(program)
        client = make_client(program.url)
        yield client
        client.close()


def fill(program: Program) -> None:
    now = time.time()
    with changing(program.database) as connection:
        for number in range(groups.PAGE_GROUPS):
            create_group(
                connection,
                f"group-{number}",
                None,
                has_insights=None,
                has_notifications=None,
                given_tags={},
            )
        for number in range(5):
            fields = {**DEFAULT_FIELDS, "RuleName": f"rule-{number}", "Priority": number + 1}
            create_rule(connection, fields, {}, now)
        for number in range(sampling.PAGE_WINDOWS // 5 + 1):
            seconds = now - 3000 + 10 * number
            reports = [Report(f"rule-{rule}", "a", seconds, 1, 1, 0) for rule in range(5)]
            take_reports(connection, reports, seconds)


def test_groups_by_page(client: Any) -> None:
    pages = list(client.get_paginator("get_groups").paginate())

    names = [group["GroupName"] for page in pages for group in page["Groups"]]
    assert [len(page["Groups"]) for page in pages[:-1]] == [100]
    assert len(pages[0]["NextToken"]) <= 100
    assert names == sorted(set(names))
    assert {"Default", *(f"group-{number}" for number in range(100))} <= set(names)


def test_statistics_by_page(client: Any) -> None:
    paginator = client.get_paginator("get_sampling_statistic_summaries")
    pages = list(paginator.paginate())

    rows = [row for page in pages for row in page["SamplingStatisticSummaries"]]
    assert [len(page["SamplingStatisticSummaries"]) // 1000 for page in pages] == [1, 0]
    keys = [(row["Timestamp"], row["RuleName"]) for row in rows]
    assert keys == sorted(set(keys))
    assert sum(name.startswith("rule-") for _, name in keys) == 1005


@pytest.mark.parametrize("name", sorted(PAGINATED))
def test_each_paginator_of_the_model(client: Any, name: str) -> None:
    make = Maker(client)
    request = REQUESTS[name][0](make)

    pages = list(client.get_paginator(xform_name(name)).paginate(**request))

    key = PAGINATED[name]["result_key"]
    assert any(page[key] for page in pages)
    assert "NextToken" not in pages[-1]
    make.tidy()
