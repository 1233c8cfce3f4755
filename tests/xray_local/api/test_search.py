"""The operations on the settings of Transaction Search."""

from typing import Any

import pytest

from tests.xray_local.conftest import Console

KEY = "arn:aws:kms:us-east-1:000000000000:key/ae4aa6d49-a4d8-9df9-a475-4ff6d7898456"


def test_destination_is_pending_and_then_active(console: Console) -> None:
    fields = {
        "Destination": "CloudWatchLogs",
        "CloudWatchLogsConfiguration": {"SpansLogGroupKmsKeyId": KEY},
    }
    before = console.post("/GetTraceSegmentDestination", {}).json()
    put = console.post("/UpdateTraceSegmentDestination", fields).json()
    after = console.post("/GetTraceSegmentDestination", {}).json()

    assert before == {"Destination": "XRay", "Status": "ACTIVE"}
    assert put == {"Destination": "CloudWatchLogs", "Status": "PENDING"}
    assert after == {"Destination": "CloudWatchLogs", "Status": "ACTIVE"}


def test_all_is_indexed_whatever_is_desired(console: Console) -> None:
    rule = {"Probabilistic": {"DesiredSamplingPercentage": 5}}

    updated = console.post("/UpdateIndexingRule", {"Name": "Default", "Rule": rule}).json()

    (found,) = console.post("/GetIndexingRules", {}).json()["IndexingRules"]
    assert found == updated["IndexingRule"]
    assert found["Rule"] == {
        "Probabilistic": {"DesiredSamplingPercentage": 5, "ActualSamplingPercentage": 100}
    }
    assert found["ModifiedAt"] > 0


@pytest.mark.parametrize(
    ("path", "fields", "expected"),
    [
        ("UpdateTraceSegmentDestination", {}, "Expected Destination, which is missing."),
        (
            "UpdateTraceSegmentDestination",
            {"Destination": "S3"},
            "Expected one of XRay, CloudWatchLogs as Destination, got 'S3'.",
        ),
        (
            "UpdateTraceSegmentDestination",
            {"Destination": "XRay", "CloudWatchLogsConfiguration": {}},
            "Expected CloudWatchLogsConfiguration only with the Destination CloudWatchLogs",
        ),
        (
            "UpdateTraceSegmentDestination",
            {
                "Destination": "CloudWatchLogs",
                "CloudWatchLogsConfiguration": {"SpansLogGroupKmsKeyId": "alias/x"},
            },
            "Expected a text that matches",
        ),
        ("UpdateIndexingRule", {"Rule": {}}, "Expected Name, which is missing."),
        ("UpdateIndexingRule", {"Name": "Default"}, "Expected Rule, which is missing."),
        (
            "UpdateIndexingRule",
            {"Name": "Default", "Rule": {}},
            "Expected Rule.Probabilistic, which is missing.",
        ),
        (
            "UpdateIndexingRule",
            {"Name": "Default", "Rule": {"Probabilistic": {}}},
            "Expected DesiredSamplingPercentage, which is missing.",
        ),
        (
            "UpdateIndexingRule",
            {"Name": "Default", "Rule": {"Probabilistic": {"DesiredSamplingPercentage": 101}}},
            "Expected a number of at least 0 and at most 100",
        ),
    ],
)
def test_requests_that_are_refused(
    console: Console, path: str, fields: dict[str, Any], expected: str
) -> None:
    response = console.post(f"/{path}", fields)

    assert response.status_code == 400
    assert response.headers["x-amzn-errortype"] == "InvalidRequestException"
    assert response.json()["Message"].startswith(expected)


def test_an_indexing_rule_that_is_unknown(console: Console) -> None:
    rule = {"Probabilistic": {"DesiredSamplingPercentage": 5}}

    response = console.post("/UpdateIndexingRule", {"Name": "other", "Rule": rule})

    assert response.status_code == 404
    assert response.headers["x-amzn-errortype"] == "ResourceNotFoundException"
    assert response.json()["ResourceName"] == "other"
