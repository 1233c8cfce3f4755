"""The screen of groups."""

import html
from typing import Any

import pytest
from playwright.sync_api import Page, expect

from tests.xray_local.conftest import Console
from tests.xray_local.console.browser import check_accessible, check_fits, check_steady
from tests.xray_local.program import Program

FORM = {"GroupName": "broken", "FilterExpression": "fault OR error", "InsightsEnabled": "1"}


def list_groups(console: Console) -> dict[str, dict[str, Any]]:
    return {each["GroupName"]: each for each in console.post("/Groups", {}).json()["Groups"]}


def test_make_change_and_delete(console: Console) -> None:
    made = console.send("/groups?new=1&range=6h", FORM)

    assert (made.status_code, made["Location"]) == (303, "/groups?range=6h&saved=broken")
    group = list_groups(console)["broken"]
    assert group["FilterExpression"] == "fault OR error"
    assert group["InsightsConfiguration"]["InsightsEnabled"] is True
    page = console.page("/groups?range=6h&saved=broken")
    assert "is saved" in page
    assert 'href="/?range=6h&amp;group=broken"' in page
    assert 'href="/traces?range=6h&amp;group=broken"' in page

    changed = console.send(
        "/groups?edit=broken", {"GroupName": "other", "FilterExpression": " throttle "}
    )
    assert changed.status_code == 303
    group = list_groups(console)["broken"]
    assert group["FilterExpression"] == "throttle"
    assert group["InsightsConfiguration"]["InsightsEnabled"] is False

    assert "Delete the group" in console.page("/groups?delete=broken")
    gone = console.send("/groups?delete=broken&group=broken", {})
    assert (gone.status_code, gone["Location"]) == (303, "/groups")
    assert list(list_groups(console)) == ["Default"]


def test_a_copy(console: Console) -> None:
    console.send("/groups?new=1", FORM)

    answer = console.get("/groups?clone=broken")

    assert [field.value for field in answer.context["fields"]] == ["", "fault OR error"]
    assert answer.context["has_insights"]
    assert console.send("/groups?clone=broken", FORM | {"GroupName": "copy"}).status_code == 303
    assert list(list_groups(console)) == ["Default", "broken", "copy"]


def test_an_empty_expression_is_every_trace(console: Console) -> None:
    console.send("/groups?new=1", FORM)

    console.send("/groups?edit=broken", {"FilterExpression": ""})

    assert "FilterExpression" not in list_groups(console)["broken"]


def test_default_keeps_every_trace(console: Console) -> None:
    fields = console.get("/groups?edit=Default").context["fields"]
    assert all(field.is_fixed for field in fields)

    assert console.send("/groups?edit=Default", {"FilterExpression": "fault"}).status_code == 303

    group = list_groups(console)["Default"]
    assert "FilterExpression" not in group
    assert group["InsightsConfiguration"]["InsightsEnabled"] is False
    assert "delete=Default" not in console.page("/groups")
    assert b"cannot be deleted" in console.send("/groups?delete=Default", {}).content


def test_insights_off_ends_notifications(console: Console) -> None:
    console.post(
        "/CreateGroup",
        {
            "GroupName": "loud",
            "InsightsConfiguration": {"InsightsEnabled": True, "NotificationsEnabled": True},
        },
    )

    console.send("/groups?edit=loud", {"FilterExpression": "fault", "InsightsEnabled": "1"})
    configuration = list_groups(console)["loud"]["InsightsConfiguration"]
    assert configuration == {"InsightsEnabled": True, "NotificationsEnabled": True}

    console.send("/groups?edit=loud", {"FilterExpression": "fault"})
    configuration = list_groups(console)["loud"]["InsightsConfiguration"]
    assert configuration == {"InsightsEnabled": False, "NotificationsEnabled": False}


@pytest.mark.parametrize(
    ("typed", "name", "reason"),
    [
        ({"GroupName": ""}, "GroupName", "Expected a text of 1 to 32 characters as GroupName"),
        ({"GroupName": "two words"}, "GroupName", "Expected a text that matches [A-Za-z0-9-]+"),
        ({"FilterExpression": "fault AND nonsense"}, "FilterExpression", "nonsense"),
    ],
)
def test_what_is_wrong_stands_beside_the_field(
    console: Console, typed: dict[str, str], name: str, reason: str
) -> None:
    answer = console.send("/groups?new=1", FORM | typed)

    fields = {field.name: field for field in answer.context["fields"]}
    assert reason in fields[name].mistake
    assert html.escape(fields[name].mistake) in answer.content.decode()
    assert {key: field.value for key, field in fields.items()} == {
        key: (FORM | typed)[key] for key in fields
    }
    assert answer.context["has_insights"]
    assert list(list_groups(console)) == ["Default"]


def test_the_wrong_word_is_marked(console: Console) -> None:
    page = console.send("/groups?new=1", FORM | {"FilterExpression": "fault AND nonsense OR ok"})

    assert "<span>fault AND </span><mark>nonsense</mark><span> OR ok</span>" in (
        page.content.decode()
    )


@pytest.mark.parametrize("name", ["broken", "Default", "default"])
def test_a_name_that_is_taken(console: Console, name: str) -> None:
    console.send("/groups?new=1", FORM)

    answer = console.send("/groups?new=1", FORM | {"GroupName": name, "FilterExpression": "ok"})

    assert answer.status_code == 200
    assert answer.context["refusal"]
    assert answer.context["fields"][1].value == "ok"


@pytest.mark.parametrize("query", ["edit=nothing", "delete=nothing", "clone=nothing"])
def test_a_group_that_is_not_there(console: Console, query: str) -> None:
    assert "Expected the name of a group" in console.page(f"/groups?{query}", 400)


@pytest.mark.parametrize("query", ["new=1", "edit=Default", "delete=broken"])
def test_a_form_of_another_site_is_refused(console: Console, query: str) -> None:
    console.send("/groups?new=1", FORM)
    before = list_groups(console)

    for headers in (
        {"Origin": "http://evil.example"},
        {"Sec-Fetch-Site": "cross-site", "Sec-Fetch-Mode": "navigate"},
    ):
        answer = console.send(f"/groups?{query}", FORM | {"GroupName": "x"}, headers=headers)
        assert answer.status_code == 403

    assert list_groups(console) == before


@pytest.mark.parametrize("query", ["", "new=1", "edit=Default"])
def test_accessible_and_fits(each_page: Page, xray: Program, query: str) -> None:
    each_page.goto(f"{xray.url}/groups?{query}")

    check_steady(each_page)
    check_accessible(each_page)
    check_fits(each_page)


def test_make_and_use_in_a_browser(page: Page, xray: Program) -> None:
    page.goto(f"{xray.url}/groups")
    page.keyboard.press("c")
    page.get_by_label("Name", exact=True).fill("slow")
    page.get_by_label("Filter expression").fill("responsetime >> 1")
    page.get_by_role("button", name="Create").click()

    expect(page.locator("mark")).to_have_text(">")
    check_accessible(page)
    check_fits(page)
    page.get_by_label("Filter expression").fill("responsetime > 1")
    page.get_by_role("button", name="Create").click()
    expect(page.get_by_role("status")).to_have_text("The group slow is saved.")

    page.get_by_role("link", name="Traces of slow").click()
    page.wait_for_url("**/traces?group=slow")
    page.goto(f"{xray.url}/groups?delete=slow")
    page.get_by_role("button", name="Delete").click()
    expect(page.get_by_role("row")).to_have_count(2)
