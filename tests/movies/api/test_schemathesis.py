"""schemathesis looks for lies in the OpenAPI document: requests right and wrong, by the thousand.

In process, through the whole WSGI application, on real tables. Seeded: what it finds once, it
finds again.
"""

import contextlib
import itertools
from collections.abc import Callable, Iterator
from typing import Any

import pytest
import schemathesis
from django.contrib.auth.models import User
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from schemathesis.generation.case import Case
from schemathesis.pytest.lazy import get_all_tests

from movies import catalogue
from movies.api.bodies import IMAGE_TYPES
from movies.api.openapi import describe
from movies.api.schemas import EXAMPLE_MOVIE
from movies.errors import MovieExists
from movies.fields import MovieFields
from movies.models import Review
from movies_site.wsgi import application

from .client import APIClient, make_editor, make_png

READS = ["showIndex", "showOpenAPI", "listGenres", "listMovies", "getMovie", "listReviews"]
FILM = MovieFields(1999, "The Matrix", genres=("Action",), runtime_minutes=136)
HAS_REVIEW = itertools.cycle([True, True, False])
REFUSALS = (400, 401, 403, 404, 405, 409, 412, 413, 415, 428)
CONFIG: dict[str, Any] = {
    "seed": 20260131,
    "generation": {"max-examples": 10, "deterministic": True, "database": "none"},
    "phases": {
        "coverage": {"generate-duplicate-query-parameters": True},
        # The document has links of its own; those that would be guessed are wrong.
        "stateful": {"inference": {"algorithms": []}},
    },
    "checks": {
        # 413 and 431 are refusals too, and a film that isn't there comes before its body.
        "negative_data_rejection": {"expected-statuses": [str(status) for status in REFUSALS]},
        "positive_data_acceptance": {
            "expected-statuses": ["2xx", "401", "403", "404", "409", "412"]
        },
        "missing_required_header": {"expected-statuses": ["400", "401", "403", "404", "428"]},
    },
}

pytestmark = pytest.mark.django_db

for media_type in IMAGE_TYPES:
    schemathesis.openapi.media_type(media_type, st.sampled_from([make_png()]))


def load_schema(with_credentials: bool, with_coverage: bool = True) -> Any:
    """Return the document.

    with_credentials: schemathesis makes some up; with_coverage: it goes through every boundary.
    """
    generation = CONFIG["generation"] | {"with-security-parameters": with_credentials}
    config = schemathesis.Config.from_dict(CONFIG | {"generation": generation})
    config.projects.default.phases.coverage.enabled = with_coverage
    schema = schemathesis.openapi.from_dict(describe(), config=config)
    schema.app = application
    return schema


anonymous_schema = load_schema(with_credentials=True)
intruder_schema = load_schema(with_credentials=True, with_coverage=False)
editor_schema = load_schema(with_credentials=False)
operations = [
    result.ok().definition.raw["operationId"] for result in editor_schema.get_all_operations()
]
writes = [operation for operation in operations if operation not in READS]


def try_operation(
    schema: Any, operation_id: str, check: Callable[[Case], None], **options: Any
) -> None:
    """Check an operation with all that is made up for it; options: hypothesis's settings.

    schema.parametrize() makes it up at collection, half a minute in every process of a test run,
    and schemathesis.pytest.from_fixture needs what pytest 9.2 no longer has.
    """
    quiet = settings(suppress_health_check=list(HealthCheck), deadline=None, **options)
    tests = get_all_tests(
        schema=schema.include(operation_id=operation_id),
        test_func=check,
        settings=quiet,
        given_kwargs=None,
    )
    for result in tests:
        _, test = result.ok()
        test()


@pytest.fixture(autouse=True)
def first_version(monkeypatch: pytest.MonkeyPatch) -> None:
    """Every film begins at the version that the document's examples name in If-Match."""
    monkeypatch.setattr("secrets.randbelow", lambda below: EXAMPLE_MOVIE["version"] - 1)


@pytest.fixture
def session(aws: str, db: None) -> dict[str, Any]:
    """What goes with an editor's requests.

    schemathesis takes the session for one that it made up, which should be refused (in process,
    it doesn't see what a test adds); made-up sessions are the anonymous tests' matter.
    """
    client = APIClient(make_editor())
    cookies = {name: morsel.value for name, morsel in client.client.cookies.items()}
    return {
        "cookies": cookies,
        "headers": {"X-CSRFToken": client.token},
        "excluded_checks": [schemathesis.checks.ignored_auth],
    }


@pytest.fixture
def statuses() -> Iterator[set[int]]:
    """What was answered: an operation that never succeeds was not tried."""
    answered: set[int] = set()
    yield answered
    assert any(200 <= status < 300 for status in answered), answered


def restore() -> None:
    """Have what the examples speak of, whatever was done to it."""
    if not catalogue.get_movies([FILM.key]):
        catalogue.add_movie(FILM)
    Review.objects.all().delete()
    # At times there is no review: that has an answer of its own.
    for user in User.objects.all() if next(HAS_REVIEW) else ():
        Review.objects.create(user=user, year=FILM.year, title=FILM.title, stars=5, text="Good.")


def keep_unwritten_rules(case: Case) -> None:
    """Make a right request right by the rules too that no schema can express."""
    if case.meta is None or not case.meta.generation.mode.is_positive:
        return
    query = case.query
    filters = [name for name in ("year", "decade", "genre", "q") if name in query]
    for name in filters[1:]:
        del query[name]
    if "q" in query:
        query["q"] = f"a{query['q'][:100]}"
    if query.pop("cursor", None) is not None and not filters and case.path == "/api/movies/":
        with contextlib.suppress(MovieExists):
            catalogue.add_movie(MovieFields(1979, "Alien"))
        query["cursor"] = catalogue.list_movies(limit=1).next_cursor
    if isinstance(case.body, dict) and case.body.get("release_date"):
        case.body["release_date"] = f"{int(case.body['year'])}-03-31"


@pytest.mark.parametrize("operation_id", READS)
def test_anonymous_reads(operation_id: str, aws: str, statuses: set[int]) -> None:
    def check(case: Case) -> None:
        restore()
        keep_unwritten_rules(case)
        statuses.add(case.call_and_validate().status_code)

    try_operation(anonymous_schema, operation_id, check)


@pytest.mark.parametrize("operation_id", writes)
def test_anonymous_writes(operation_id: str, aws: str) -> None:
    def check(case: Case) -> None:
        restore()
        response = case.call_and_validate()

        if response.request.method == case.operation.method.upper():
            assert response.status_code >= 400

    try_operation(intruder_schema, operation_id, check, max_examples=5)


@pytest.mark.parametrize("operation_id", writes)
def test_editor(operation_id: str, session: dict[str, Any], statuses: set[int]) -> None:
    def check(case: Case) -> None:
        restore()
        keep_unwritten_rules(case)
        statuses.add(case.call_and_validate(**session).status_code)

    try_operation(editor_schema, operation_id, check)


def test_editor_in_sequence(session: dict[str, Any]) -> None:
    """One request leads to the next: the film that was added is changed, voted on, deleted."""

    succeeded = set()

    class Machine(editor_schema.as_state_machine()):
        def get_call_kwargs(self, case: Case) -> dict[str, Any]:
            return {name: session[name] for name in ("cookies", "headers")}

        def validate_response(self, response: Any, case: Case, **kwargs: Any) -> None:
            case.validate_response(response, excluded_checks=session["excluded_checks"])

        def before_call(self, case: Case) -> None:
            keep_unwritten_rules(case)

        def after_call(self, response: Any, case: Case) -> None:
            succeeded.add((case.operation.method, response.status_code))

    Machine.run(
        settings=settings(
            max_examples=10,
            stateful_step_count=8,
            suppress_health_check=list(HealthCheck),
            deadline=None,
            derandomize=True,
            database=None,
        )
    )

    assert {("post", 201), ("put", 200), ("delete", 204)} <= succeeded
