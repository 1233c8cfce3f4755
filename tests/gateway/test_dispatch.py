from typing import Any

import pytest

from gateway import MalformedEvent, Message, Schedule, UnknownEvent, UnservedEvent, make_handler

from .examples import Context, Echo, list_events, make_event

OTHERS = {
    "sqs_batch": "on_message",
    "event_bridge_rule": "on_schedule",
    "event_bridge_scheduler": "on_schedule",
    "manage": "on_command",
}


class Place:
    """Takes whatever comes, and answers as a command would."""

    def __init__(self) -> None:
        self.taken: list[Any] = []

    def __call__(self, something: Any) -> Any:
        self.taken.append(something)
        return {"output": "", "exit_code": 0}


@pytest.mark.parametrize(("name", "argument"), OTHERS.items())
def test_each_event_comes_to_its_place(name: str, argument: str):
    places = {argument: Place() for argument in set(OTHERS.values())}

    make_handler(Echo(), **places)(make_event(name), Context())

    assert [argument for argument, place in places.items() if place.taken] == [argument]
    expected = {"on_message": Message, "on_schedule": Schedule, "on_command": list}
    assert isinstance(places[argument].taken[0], expected[argument])


@pytest.mark.parametrize(("name", "argument"), OTHERS.items())
def test_event_without_a_place_is_told_to_the_caller(name: str, argument: str):
    others = {other: Place() for other in set(OTHERS.values()) - {argument}}

    with pytest.raises(UnservedEvent, match=f"was given no {argument}") as caught:
        make_handler(Echo(), **others)(make_event(name), Context())

    assert isinstance(caught.value, UnknownEvent)


@pytest.mark.parametrize("name", list_events())
def test_request_is_a_request_whatever_else_it_holds(name: str):
    """Nobody may run a command by what an HTTP event holds besides."""
    places = {argument: Place() for argument in set(OTHERS.values())}
    others = {}
    for other in OTHERS:
        others |= make_event(other)
    del others["version"]
    event = {**others, **make_event(name)}

    assert make_handler(Echo(), **places)(event, Context())["statusCode"] == 200
    assert not any(place.taken for place in places.values())


@pytest.mark.parametrize(
    ("event", "got"),
    [
        ({"Records": [{"eventSource": "aws:s3", "body": "s3cret"}]}, r"\['Records'\]"),
        ({"Records": []}, r"\['Records'\]"),
        ({"Records": ["s3cret"]}, r"\['Records'\]"),
        ({"source": "aws.ec2", "detail-type": "Scheduled Event"}, "'detail-type', 'source'"),
        ({"source": "aws.events", "detail-type": "Other"}, "'detail-type', 'source'"),
        ({"manage": ["migrate"], "path": "/"}, "'manage', 'path'"),
        ({"requestContext": {"connectionId": "a"}, "body": "s3cret"}, "'body', 'requestContext'"),
        ({str(number): 0 for number in range(11)}, r"'8', \.\.\.\]"),
        ({}, r"\[\]"),
        (["s3cret"], "'list'"),
        (None, "'NoneType'"),
    ],
)
def test_unknown_event_is_told_by_its_keys(event: Any, got: str):
    places = {argument: Place() for argument in set(OTHERS.values())}

    with pytest.raises(UnknownEvent, match=got) as caught:
        make_handler(Echo(), **places)(event, Context())

    assert isinstance(caught.value, ValueError)
    assert "s3cret" not in str(caught.value)


@pytest.mark.parametrize("arguments", ["migrate", [], ["migrate", 1], None, {}])
def test_command_that_is_no_list_of_texts(arguments: Any):
    with pytest.raises(MalformedEvent, match=r"such as \['migrate', '--noinput'\]"):
        make_handler(Echo(), on_command=Place())({"manage": arguments}, Context())
