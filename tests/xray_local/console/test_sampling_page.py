"""The screen of sampling rules."""

import html
import time
from typing import Any

import pytest
from playwright.sync_api import Browser, Page, expect

from tests.xray_local.conftest import Console
from tests.xray_local.console.browser import (
    check_accessible,
    check_fits,
    check_steady,
    opened,
)
from tests.xray_local.program import Program

FORM = {
    "RuleName": "films",
    "Priority": "10",
    "ReservoirSize": "2",
    "FixedRate": "0.5",
    "ServiceName": "site",
    "ServiceType": "*",
    "Host": "*",
    "HTTPMethod": "GET",
    "URLPath": "/films/*",
    "ResourceARN": "*",
    "Attributes": "team=search\nlevel = 2\n",
}


def list_rules(console: Console) -> dict[str, dict[str, Any]]:
    records = console.post("/GetSamplingRules", {}).json()["SamplingRuleRecords"]
    return {each["SamplingRule"]["RuleName"]: each["SamplingRule"] for each in records}


def test_make_change_and_delete(console: Console) -> None:
    made = console.send("/sampling?new=1&range=6h", FORM)

    assert (made.status_code, made["Location"]) == (303, "/sampling?range=6h&saved=films")
    rule = list_rules(console)["films"]
    assert {key: rule[key] for key in ("Priority", "ReservoirSize", "FixedRate", "URLPath")} == {
        "Priority": 10,
        "ReservoirSize": 2,
        "FixedRate": 0.5,
        "URLPath": "/films/*",
    }
    assert rule["Attributes"] == {"team": "search", "level": "2"}
    assert rule["Version"] == 1
    assert "is saved" in console.page("/sampling?saved=films")

    fields = console.get("/sampling?rule=films").context["fields"]
    typed = {field.name: field.value for field in fields}
    assert typed == FORM | {"Attributes": "team=search\nlevel=2"}
    changed = console.send("/sampling?rule=films", typed | {"FixedRate": "1", "Attributes": ""})
    assert changed.status_code == 303
    assert (
        list_rules(console)["films"] | {"FixedRate": 1, "Attributes": {}}
        == list_rules(console)["films"]
    )

    assert "Delete the rule" in console.page("/sampling?delete=films")
    assert "films" in list_rules(console)
    assert console.send("/sampling?delete=films", {}).status_code == 303
    assert "films" not in list_rules(console)


def test_default_has_two_fields_to_change(console: Console) -> None:
    fields = console.get("/sampling?rule=Default").context["fields"]
    assert [field.name for field in fields if not field.is_fixed] == ["ReservoirSize", "FixedRate"]

    # What is fixed is not read, whatever is sent.
    console.send("/sampling?rule=Default", {"ReservoirSize": "3", "FixedRate": "0", "Host": "x"})

    rule = list_rules(console)["Default"]
    assert (rule["ReservoirSize"], rule["FixedRate"], rule["Host"]) == (3, 0, "*")
    assert "delete=Default" not in console.page("/sampling")
    page = console.send("/sampling?delete=Default", {}).content.decode()
    assert "cannot be deleted" in page
    assert "Default" in list_rules(console)


@pytest.mark.parametrize(
    ("name", "text", "reason"),
    [
        ("RuleName", "", "Expected a text of 1 to 32 characters as RuleName"),
        ("Priority", "0", "Expected a number of at least 1 and at most 9999 as Priority"),
        ("Priority", "", "Expected Priority, which is missing."),
        ("Priority", "first", "Expected a number as Priority, got 'first'."),
        ("FixedRate", "50%", "Expected a number as FixedRate, got '50%'."),
        ("FixedRate", "nan", "Expected a number as FixedRate"),
        ("ReservoirSize", "1.5", "Expected a whole number as ReservoirSize, got 1.5."),
        ("URLPath", "/" * 129, "characters as URLPath, got 129"),
        ("Attributes", "team", "Expected key=value in each line, got 'team'."),
        ("Attributes", "=x", "characters as a key, got 0"),
    ],
)
def test_what_is_wrong_stands_beside_the_field(
    console: Console, name: str, text: str, reason: str
) -> None:
    answer = console.send("/sampling?new=1", FORM | {name: text})

    assert answer.status_code == 200
    fields = {field.name: field for field in answer.context["fields"]}
    assert reason in fields[name].mistake
    assert html.escape(fields[name].mistake) in answer.content.decode()
    assert fields[name].value == text
    assert [field.name for field in fields.values() if field.mistake] == [name]
    assert fields["Host"].value == "*"
    assert list(list_rules(console)) == ["Default"]


def test_a_name_that_is_taken(console: Console) -> None:
    console.send("/sampling?new=1", FORM)

    answer = console.send("/sampling?new=1", FORM | {"Host": "typed"})

    assert "exists already" in answer.content.decode()
    assert 'value="typed"' in answer.content.decode()


def test_figures_are_those_of_the_api(console: Console) -> None:
    console.send("/sampling?new=1", FORM)
    for requests in (30, 12):
        report = {
            "RuleName": "films",
            "ClientID": "a" * 24,
            "Timestamp": time.time(),
            "RequestCount": requests,
            "SampledCount": requests // 3,
            "BorrowCount": 1,
        }
        console.post("/SamplingTargets", {"SamplingStatisticsDocuments": [report]})

    lines = {line.name: line for line in console.get("/sampling").context["lines"]}

    told = console.post("/SamplingStatisticSummaries", {}).json()["SamplingStatisticSummaries"]
    line = lines["films"]
    assert (line.requests, line.sampled, line.borrowed) == tuple(
        sum(each[key] for each in told) for key in ("RequestCount", "SampledCount", "BorrowCount")
    )
    assert (line.requests, round(line.sampled_percent)) == (42, 33)
    assert "at most 42" in line.spark.words
    assert lines["Default"].requests == 0


def test_in_the_order_in_which_they_are_tried(console: Console) -> None:
    for name, priority in (("late", "20"), ("early", "1"), ("between", "10")):
        console.send("/sampling?new=1", FORM | {"RuleName": name, "Priority": priority})

    names = [line.name for line in console.get("/sampling").context["lines"]]

    assert names == ["early", "between", "late", "Default"]


def test_hostile_names_are_text(console: Console) -> None:
    hostile = "<script>alert('x')</script>"[:32]
    console.send("/sampling?new=1", FORM | {"RuleName": hostile, "URLPath": hostile})

    for path in ("/sampling", f"/sampling?rule={hostile}", f"/sampling?delete={hostile}"):
        page = console.page(path)
        assert "<script>alert" not in page
        assert html.escape(hostile) in page


@pytest.mark.parametrize("query", ["rule=nothing", "delete=nothing"])
def test_a_rule_that_is_not_there(console: Console, query: str) -> None:
    page = console.page(f"/sampling?{query}", 400)

    assert "Expected the name of a sampling rule" in page


@pytest.mark.parametrize(
    "headers",
    [
        {"Origin": "http://evil.example"},
        {"Origin": "null"},
        {"Origin": "http://127.0.0.1:8000"},
        {"Sec-Fetch-Site": "cross-site", "Sec-Fetch-Mode": "navigate"},
        {"Sec-Fetch-Site": "same-site", "Sec-Fetch-Mode": "navigate"},
    ],
)
@pytest.mark.parametrize("query", ["new=1", "rule=Default", "delete=films"])
def test_a_form_of_another_site_is_refused(
    console: Console, headers: dict[str, str], query: str
) -> None:
    console.send("/sampling?new=1", FORM)
    before = list_rules(console)

    answer = console.send(f"/sampling?{query}", FORM | {"RuleName": "other"}, headers=headers)

    assert answer.status_code == 403
    assert list_rules(console) == before


def test_our_own_form_is_taken(console: Console) -> None:
    headers = {
        "Origin": "http://127.0.0.1:2000",
        "Sec-Fetch-Site": "same-origin",
        "Sec-Fetch-Mode": "navigate",
    }

    assert console.send("/sampling?new=1", FORM, headers=headers).status_code == 303


def test_other_methods(console: Console) -> None:
    assert console.request("PUT", "/sampling").status_code == 405
    assert console.request("HEAD", "/sampling").status_code == 200


@pytest.mark.parametrize("query", ["", "new=1", "rule=Default"])
def test_accessible_and_fits(each_page: Page, xray: Program, query: str) -> None:
    each_page.goto(f"{xray.url}/sampling?{query}")

    check_steady(each_page)
    check_accessible(each_page)
    check_fits(each_page)


def test_make_and_delete_in_a_browser(page: Page, xray: Program) -> None:
    page.goto(f"{xray.url}/sampling?range=6h")
    page.keyboard.press("c")
    page.get_by_label("Name", exact=True).fill("seen")
    page.get_by_label("Rate").fill("2")
    page.get_by_role("button", name="Create").click()

    expect(page.get_by_label("Rate")).to_have_attribute("aria-invalid", "true")
    expect(page.get_by_text("Expected a number of at least 0 and at most 1")).to_be_visible()
    check_accessible(page)
    page.get_by_label("Rate").fill("0.25")
    page.get_by_role("button", name="Create").click()
    expect(page.get_by_role("status")).to_have_text("The rule seen is saved.")
    row = page.locator("table.rules tr", has_text="seen")
    expect(row).to_contain_text("25 %")
    assert "range=6h" in page.url

    page.get_by_role("link", name="Delete seen").click()
    check_accessible(page)
    page.get_by_role("button", name="Delete").click()
    expect(row).to_have_count(0)


def test_without_scripts(browser: Browser, xray: Program) -> None:
    with opened(browser, width=1280, scheme="light", has_scripts=False) as page:
        page.goto(f"{xray.url}/sampling?rule=Default")
        page.get_by_label("Rate").fill("1")
        page.get_by_role("button", name="Save").click()
        page.wait_for_url("**saved=Default")
