"""Whatever arrives: it is stored and shown, or counted and dropped; nothing else happens."""

import json
from collections import Counter
from collections.abc import Iterator
from itertools import islice
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.xray_local.conftest import Console
from tests.xray_local.console.test_pages import check_nothing_runs
from tests.xray_local.fuzz_intake import fuzz_program, fuzz_reading, make_inputs
from tests.xray_local.made import ALL_TRACES, HEADER, make_segment
from tests.xray_local.program import Program
from xray_local.errors import DocumentRefused
from xray_local.intake.arrivals import read_document
from xray_local.intake.writer import Batch
from xray_local.store.database import open_for_writing, prepare
from xray_local.store.queries import get_summary
from xray_local.store.storage import Storage

WORDS = """
id name trace_id parent_id start_time end_time in_progress type namespace http aws sql user
annotations metadata cause subsegments fault error throttle origin resource_arn service links
request response status url method exceptions stack line path label message ec2 instance_id
sanitized_query operation table_name truncated remote
"""
FIELDS = """
TraceSegmentDocuments TraceIds StartTime EndTime NextToken TimeRangeType FilterExpression
SamplingStatisticsDocuments
"""
TEXTS = ["<script>", "subsegment", "aws", "remote", "\ud800", "\u202e", "\0", "{{x}}"]
KEYS = st.sampled_from(WORDS.split()) | st.text(max_size=5)
SCALARS = (
    st.none()
    | st.booleans()
    | st.integers()
    | st.integers(10**300, 10**301)
    | st.floats(allow_nan=False, allow_infinity=False)
    | st.text(max_size=20)
    | st.text(st.characters(), max_size=20)
    | st.sampled_from(TEXTS)
    | st.just(make_segment()["id"])
)
VALUES = st.recursive(
    SCALARS,
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(KEYS, inner, max_size=6),
    max_leaves=25,
)
DOCUMENTS = st.dictionaries(KEYS, VALUES, max_size=12)
PATIENT = settings(
    deadline=None,
    max_examples=60,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)


def make_whole(document: dict[str, Any]) -> dict[str, Any]:
    """Return the document with what it takes to be stored."""
    whole = make_segment()
    if document.get("type") == "subsegment":
        whole["parent_id"] = make_segment()["id"]
    return document | {key: whole[key] for key in whole if key != "end_time"}


@pytest.fixture
def saved(tmp_path: Path) -> Iterator[Storage]:
    prepare(tmp_path / "xray.sqlite3")
    connection = open_for_writing(tmp_path / "xray.sqlite3")
    yield Storage(connection)
    connection.close()


@PATIENT
@given(datagram=st.binary(max_size=300) | st.binary(max_size=300).map(HEADER.__add__))
def test_datagrams_of_any_bytes(datagram: bytes) -> None:
    batch = Batch()

    batch.add(0, datagram)

    # An empty array is neither; a row of bad documents is refused one by one.
    assert len(batch.refusals) + len(batch.documents) + batch.counts["ignored"] >= 1
    assert batch.counts["refused"] == len(batch.refusals)


@PATIENT
@given(document=VALUES)
def test_documents_of_any_shape(document: Any) -> None:
    # As nobody guesses a trace id, all of them are refused.
    with pytest.raises(DocumentRefused) as raised:
        read_document(json.dumps(document).encode())

    assert str(raised.value).isascii()


@PATIENT
@given(
    documents=st.lists(DOCUMENTS.map(make_whole), min_size=1, max_size=4), together=st.booleans()
)
def test_whatever_is_stored_can_be_shown(
    console: Console, storage: Storage, documents: list[dict[str, Any]], together: bool
) -> None:
    if together:
        for document in documents:
            document["trace_id"] = documents[0]["trace_id"]
    read = [read_document(json.dumps(document).encode()) for document in documents]

    storage.save(read, Counter())

    check_nothing_runs(console.page(ALL_TRACES))
    for document in documents:
        path = f"/traces/{document['trace_id']}"
        check_nothing_runs(console.page(path))
        check_nothing_runs(console.page(f"{path}?element={document['id']}"))
        trace = console.get(f"{path}.json").json()
        answer = console.post("/Traces", {"TraceIds": [document["trace_id"]]}).json()
        assert len(trace["Segments"]) == len(answer["Traces"][0]["Segments"]) >= 1


@PATIENT
@given(first=DOCUMENTS.map(make_whole), second=DOCUMENTS.map(make_whole))
def test_summaries_do_not_depend_on_the_order(
    saved: Storage, first: dict[str, Any], second: dict[str, Any]
) -> None:
    summaries = []
    for pair in ((first, second), (second, first)):
        trace_id = make_segment()["trace_id"]
        documents = [
            read_document(json.dumps(each | {"trace_id": trace_id}).encode()) for each in pair
        ]
        saved.save(documents, Counter())
        summary = get_summary(saved._connection, trace_id)
        assert summary is not None
        summaries.append(
            {key: summary[key] for key in ("Duration", "IsPartial", "HasThrottle", "StartTime")}
        )

    assert summaries[0] == summaries[1]


@PATIENT
@given(
    path=st.sampled_from(["/TraceSegments", "/TraceSummaries", "/Traces", "/SamplingTargets"]),
    fields=st.dictionaries(
        st.sampled_from(FIELDS.split()),
        VALUES,
    ),
)
def test_requests_of_any_shape(console: Console, path: str, fields: dict[str, Any]) -> None:
    response = console.post(path, fields)

    assert response.status_code in (200, 400)
    assert response.headers["Content-Type"] == "application/json"


@PATIENT
@given(path=st.text(max_size=30), query=st.dictionaries(st.text(max_size=8), st.text(max_size=8)))
def test_paths_of_any_kind(console: Console, path: str, query: dict[str, str]) -> None:
    for prefix in ("/", "/traces/"):
        response = console.get(prefix + path.lstrip("/"), query_params=query)

        assert response.status_code in (200, 400, 404, 405)


def test_a_flood_of_rubbish_by_udp(shared_xray: Program) -> None:
    before = shared_xray.counts()["datagrams"]
    found: list[bytes] = []

    @settings(max_examples=300, deadline=None)
    @given(st.binary(max_size=2000) | VALUES.map(lambda value: HEADER + json.dumps(value).encode()))
    def send(datagram: bytes) -> None:
        found.append(datagram)
        shared_xray.send(datagram)

    send()
    shared_xray.send(make_segment())

    shared_xray.wait_for_count("datagrams", before + len(found) + 1)
    assert len(shared_xray.children()) == 2
    assert "Traceback" not in shared_xray.output()


def test_mutated_documents_are_read() -> None:
    assert fuzz_reading(islice(make_inputs(seed=1), 1500), seconds=600) == 1500


def test_the_program_survives_mutated_documents(shared_xray: Program) -> None:
    assert fuzz_program(shared_xray, islice(make_inputs(seed=2), 1000), seconds=600) == 1000
