from typing import Any

import pytest

from gateway.sources import Source, recognise

from .examples import list_events, make_event

SOURCES = {
    "rest_api": Source.REST_API,
    "http_api": Source.HTTP_API,
    "function_url": Source.FUNCTION_URL,
    "load_balancer_multi_value": Source.MULTI_VALUE_LOAD_BALANCER,
    "load_balancer": Source.LOAD_BALANCER,
}


@pytest.mark.parametrize("name", list_events())
def test_recognise_saved_events(name: str):
    expected = next(source for prefix, source in SOURCES.items() if name.startswith(prefix))

    assert recognise(make_event(name)) is expected


def test_recognise_format_1_of_an_http_api():
    assert recognise(make_event("rest_api_get", version="1.0")) is Source.HTTP_API_FORMAT_1


def test_recognise_http_api_on_a_domain_with_lambda_in_its_name():
    event = make_event("http_api_get", requestContext={"domainName": "lambda-urls.example.org"})

    assert recognise(event) is Source.HTTP_API


def test_recognise_event_without_context():
    assert recognise({"httpMethod": "GET", "path": "/"}) is Source.REST_API


@pytest.mark.parametrize(
    "event",
    [
        {"Records": [{"eventSource": "aws:sqs", "body": "s3cret"}]},
        {"source": "aws.events", "detail-type": "Scheduled Event"},
        {"requestContext": {"connectionId": "a"}, "body": "s3cret"},
        {"version": "3.0", "httpMethod": "GET"},
        {"version": ["2.0"], "rawPath": "/"},
        {"manage": ["migrate"]},
        {},
        ["s3cret"],
        None,
    ],
)
def test_recognise_other_event(event: Any):
    assert recognise(event) is None
