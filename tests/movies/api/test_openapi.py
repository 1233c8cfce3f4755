"""The OpenAPI document: valid, complete, and with examples that hold. See test_schemathesis too."""

from collections.abc import Iterator
from typing import Any

import jsonschema
import pytest
from django.test import Client
from django.urls import URLPattern, set_script_prefix
from openapi_spec_validator import validate

from movies.api import openapi, urls
from movies.api.openapi import describe
from movies.api.problems import PROBLEMS

DOCUMENT = describe()
# What Django's routes say, and what OpenAPI says.
SPELLINGS = {"<int:year>": "{year}", "<api-title:title>": "{title}"}


def operations() -> Iterator[tuple[str, str, dict[str, Any]]]:
    """Yield the method, the path and the rest of each operation."""
    for path, item in DOCUMENT["paths"].items():
        for method, operation in item.items():
            if method != "parameters":
                yield method.upper(), path, operation


def resolve(schema: dict[str, Any]) -> dict[str, Any]:
    """Return a schema that its references can be looked up from."""
    return {**schema, "components": DOCUMENT["components"]}


def check(schema: dict[str, Any], value: Any) -> None:
    """Raise jsonschema's ValidationError if the value isn't as the schema says."""
    formats = jsonschema.Draft202012Validator.FORMAT_CHECKER
    jsonschema.Draft202012Validator(resolve(schema), format_checker=formats).validate(value)


def media(operation: dict[str, Any]) -> Iterator[dict[str, Any]]:
    """Yield the schema and examples of what an operation takes and answers."""
    for part in (operation.get("requestBody", {}), *operation["responses"].values()):
        yield from part.get("content", {}).values()


def test_document_is_valid() -> None:
    validate(DOCUMENT)


def test_document_is_served(client: Client) -> None:
    response = client.get("/api/openapi.json")

    assert response["Content-Type"] == "application/json"
    assert response.json() == DOCUMENT


def test_document_knows_where_the_site_begins() -> None:
    set_script_prefix("/prod/")
    try:
        document = describe("/prod/")
    finally:
        set_script_prefix("/")

    assert document["servers"] == [{"url": "/prod/"}]
    assert "`/prod/accounts/sign-in/`" in document["info"]["description"]


def test_every_address_is_described() -> None:
    addresses = set()
    for pattern in urls.urlpatterns:
        assert isinstance(pattern, URLPattern)
        if pattern.name == "api-unknown":
            continue
        path = f"/api/{pattern.pattern}"
        for ours, theirs in SPELLINGS.items():
            path = path.replace(ours, theirs)
        addresses.add(path)

    assert addresses == set(DOCUMENT["paths"])


@pytest.mark.parametrize("path", DOCUMENT["paths"])
def test_every_method_is_described(client: Client, path: str) -> None:
    described = {method for method, found, _ in operations() if found == path}

    allowed = client.options(path.format(year=1999, title="x"))["Allow"].split(", ")

    assert set(allowed) - {"HEAD", "OPTIONS"} == described


def test_operations_have_names_of_their_own() -> None:
    names = [operation["operationId"] for _, _, operation in operations()]

    assert len(set(names)) == len(names) == 15


@pytest.mark.parametrize(
    "operation",
    [pytest.param(operation, id=operation["operationId"]) for _, _, operation in operations()],
)
def test_examples_hold(operation: dict[str, Any]) -> None:
    problems = DOCUMENT["components"]["examples"]

    for content in media(operation):
        if "example" in content:
            check(content["schema"], content["example"])
        for code in content.get("examples", ()):
            check(content["schema"], problems[code]["value"])


@pytest.mark.parametrize("name", DOCUMENT["components"]["schemas"])
def test_schemas_are_closed(name: str) -> None:
    """A member too many is refused, in what is sent and in what is answered."""
    schema = DOCUMENT["components"]["schemas"][name]

    assert schema["additionalProperties"] is False
    for example in schema.get("examples", ()):
        check(schema, example)
        with pytest.raises(jsonschema.ValidationError, match="Additional properties"):
            check(schema, {**example, "more": 1})


def test_every_problem_is_described_somewhere() -> None:
    described = {
        code
        for _, _, operation in operations()
        for content in media(operation)
        for code in content.get("examples", ())
    }

    # The one problem of methods that aren't described.
    assert described == set(PROBLEMS) - {"method_not_allowed"}


@pytest.mark.parametrize("method_and_path", [(m, p) for m, p, _ in operations()])
def test_what_writes_needs_a_session_and_its_token(method_and_path: tuple[str, str]) -> None:
    method, path = method_and_path
    operation = DOCUMENT["paths"][path][method.lower()]
    needed = {name for entry in operation.get("security", ()) for name in entry}

    if method == "GET":
        assert needed == ({"session"} if path.endswith("mine/") else set())
    else:
        assert needed == {"session", "csrfCookie", "csrfToken"}
        assert {"401", "403", "503"} <= operation["responses"].keys()


@pytest.mark.parametrize(
    ("title", "is_right"),
    [
        ("The Matrix", True),
        ("~~", True),
        ("~s", True),
        ("~d~d", True),
        ("...x", True),
        ("a.", True),
        ("~", False),
        ("~x", False),
        ("..", False),
        ("a/b", False),
        ("a~d", False),
        ("", False),
    ],
)
def test_title_pattern_is_the_converters(title: str, is_right: bool) -> None:
    from movies.converters import TitleConverter

    schema = DOCUMENT["components"]["parameters"]["filmTitle"]["schema"]
    validator = jsonschema.Draft202012Validator(schema)

    assert validator.is_valid(title) is is_right
    if title and "/" not in title:
        try:
            TitleConverter().to_python(title)
        except ValueError:
            assert not is_right
        else:
            assert is_right


def test_document_is_made_once() -> None:
    assert describe() is describe()
    assert openapi.describe("/other/") is not describe()


def test_retry_after_is_promised_where_it_comes() -> None:
    """Not after a vote that may be counted: a second try only learns that it was cast."""
    promised = {
        operation["operationId"]: operation["responses"]["503"]["headers"]["Retry-After"][
            "required"
        ]
        for _, _, operation in operations()
        if "503" in operation["responses"]
    }

    assert [name for name, is_promised in promised.items() if not is_promised] == ["castVote"]
    assert len(promised) > 5
