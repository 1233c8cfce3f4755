"""Tests of movies.errors: each leaf's status, code and sentence."""

import pytest
from django.db import OperationalError

from movies import errors
from movies.errors import (
    AWSRefused,
    AWSUnreachable,
    BadInput,
    MovieChanged,
    MoviesError,
    StepFailed,
)
from movies.movie import Movie, MovieKey

KEY = MovieKey(1999, "The Matrix")


@pytest.mark.parametrize(
    ("error", "status", "code"),
    [
        (MoviesError("Something."), 500, "movies_error"),
        (errors.MovieNotFound(KEY), 404, "movie_not_found"),
        (errors.MovieExists(KEY), 409, "movie_exists"),
        (MovieChanged(Movie(KEY, version=3), 2), 409, "movie_changed"),
        (errors.AlreadyVoted(KEY), 409, "already_voted"),
        (
            errors.VoteUncertain(KEY, errors.AWSUnreachable("UpdateItem", "Timeout", "no")),
            503,
            "vote_uncertain",
        ),
        (errors.SampleIsReadOnly(KEY), 409, "sample_is_read_only"),
        (BadInput("year", "Expected a year."), 400, "bad_input"),
        (errors.BadCursor(), 400, "bad_cursor"),
        (errors.PosterRefused("No."), 400, "poster_refused"),
        (errors.PosterTypeRefused("No."), 415, "poster_type_refused"),
        (errors.PosterTooLarge("No."), 413, "poster_too_large"),
        (AWSRefused("GetItem", "AccessDenied", "no"), 503, "aws_refused"),
        (errors.Throttled("GetItem", "Slow", "no"), 429, "throttled"),
        (errors.AWSUnreachable("GetItem", "Timeout", "no"), 503, "aws_unreachable"),
        (errors.SQLUnavailable(OperationalError("no")), 503, "sql_unavailable"),
        (errors.NotReady({"s3": AWSRefused("HeadBucket", "404", "no")}), 503, "not_ready"),
        (StepFailed("s3", "NoSuchKey", "no"), 500, "step_failed"),
    ],
)
def test_status_and_code(error: MoviesError, status: int, code: str) -> None:
    assert (error.status, error.code) == (status, code)
    assert str(error).strip()


def test_errors_are_all_documented() -> None:
    leaves = [
        value
        for value in vars(errors).values()
        if isinstance(value, type) and issubclass(value, MoviesError)
    ]

    assert errors.__doc__
    for leaf in leaves:
        assert f"{leaf.__name__} " in errors.__doc__
        assert f"{leaf.status} {leaf.code}" in errors.__doc__


def test_movie_changed_tells_both_versions() -> None:
    error = MovieChanged(Movie(KEY, version=3), 2)

    assert error.current.version == 3
    assert "at version 3" in str(error)
    assert "to version 2" in str(error)


def test_bad_input_of_fields() -> None:
    error = BadInput.of_fields({"year": "Expected a year.", "title": "Expected a title."})

    assert error.field == "year"
    assert error.message == "Expected a year."
    assert error.fields == {"year": "Expected a year.", "title": "Expected a title."}
    assert str(error) == "year: Expected a year. title: Expected a title."


def test_aws_refused_keeps_what_aws_said() -> None:
    error = AWSRefused("GetItem on Movies", "AccessDenied", "You may not.", ["None"])

    assert (error.operation, error.aws_code) == ("GetItem on Movies", "AccessDenied")
    assert (error.aws_message, error.reasons) == ("You may not.", ("None",))
    assert str(error) == "AWS refused GetItem on Movies with AccessDenied."
    assert error.details == "AWS refused GetItem on Movies with AccessDenied. You may not."


def test_aws_unreachable_tells_visitors_no_more_than_that() -> None:
    error = AWSUnreachable("GetItem on Movies", "ReadTimeoutError", "On endpoint http://inner.")

    assert str(error) == error.aws_message == "AWS did not answer GetItem on Movies."
    assert error.aws_code == error.code
    assert error.details.endswith("Movies. ReadTimeoutError: On endpoint http://inner.")


def test_details_are_the_sentence_where_nothing_is_kept_back() -> None:
    assert BadInput("year", "Expected a year.").details == "year: Expected a year."
