"""What can go wrong in `movies`, with the HTTP status and the API's code of each.

MoviesError                500 movies_error
├── MovieNotFound          404 movie_not_found
├── MovieExists            409 movie_exists
├── MovieChanged           409 movie_changed          (412 in the API, where If-Match failed)
├── AlreadyVoted           409 already_voted
├── VoteUncertain          503 vote_uncertain         (counted or not, it never will be again)
├── SampleIsReadOnly       409 sample_is_read_only
├── BadInput               400 bad_input              (.fields: each wrong field with its reason)
│   └── BadCursor          400 bad_cursor
├── PosterRefused          400 poster_refused
│   ├── PosterTypeRefused  415 poster_type_refused
│   └── PosterTooLarge     413 poster_too_large
├── AWSRefused             503 aws_refused            (.operation, .aws_code, .aws_message)
│   ├── Throttled          429 throttled              (.retry_after_seconds)
│   └── AWSUnreachable     503 aws_unreachable        (.problem, .explanation)
├── SQLUnavailable         503 sql_unavailable
├── NotReady               503 not_ready
└── StepFailed             500 step_failed            (.step, .aws_code, .aws_message, .steps)
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, ClassVar

if TYPE_CHECKING:
    from .chain import Step
    from .movie import Movie, MovieKey


class MoviesError(Exception):
    """The base of all; str() is a sentence that a visitor may read."""

    status: ClassVar[int] = 500
    code: ClassVar[str] = "movies_error"

    @property
    def details(self) -> str:
        """All that is known, for the log and the terminal: not for visitors."""
        return str(self)


class MovieNotFound(MoviesError):
    status = 404
    code = "movie_not_found"

    def __init__(self, key: MovieKey) -> None:
        super().__init__(f"There is no film {key.title!r} of {key.year}.")
        self.key = key


class MovieExists(MoviesError):
    status = 409
    code = "movie_exists"

    def __init__(self, key: MovieKey) -> None:
        super().__init__(f"There is a film {key.title!r} of {key.year} already.")
        self.key = key


class MovieChanged(MoviesError):
    """Somebody saved the film since the caller read it; `current` is what they saved."""

    status = 409
    code = "movie_changed"

    def __init__(self, current: Movie, version: int) -> None:
        super().__init__(
            f"Somebody changed {current.title!r} of {current.year} meanwhile: "
            f"it is at version {current.version}, and this change was made to version {version}."
        )
        self.current = current


class AlreadyVoted(MoviesError):
    status = 409
    code = "already_voted"

    def __init__(self, key: MovieKey) -> None:
        super().__init__(f"You have voted on {key.title!r} of {key.year} already.")
        self.key = key


class VoteUncertain(MoviesError):
    """AWS didn't say whether it counted a vote; so that it isn't counted twice, it stays cast."""

    status = 503
    code = "vote_uncertain"

    def __init__(self, key: MovieKey, problem: AWSRefused) -> None:
        super().__init__(
            f"AWS did not say whether it counted your vote on {key.title!r} of {key.year}. "
            "It may have, and so it will not be counted again."
        )
        self.problem = problem

    @property
    def details(self) -> str:
        return f"{self} {self.problem.details}"


class SampleIsReadOnly(MoviesError):
    status = 409
    code = "sample_is_read_only"

    def __init__(self, key: MovieKey) -> None:
        super().__init__(
            f"{key.title!r} of {key.year} is the sample that /app writes anew each time; "
            "it can't be changed, voted on or deleted."
        )
        self.key = key


class BadInput(MoviesError):
    """What somebody sent can't be taken; `fields` holds every wrong field with its reason."""

    status = 400
    code = "bad_input"

    def __init__(
        self, field: str, message: str, *, others: Mapping[str, str] | None = None
    ) -> None:
        self.fields: dict[str, str] = {field: message, **(others or {})}
        super().__init__(" ".join(f"{name}: {reason}" for name, reason in self.fields.items()))
        self.field = field
        self.message = message

    @classmethod
    def of_fields(cls, fields: Mapping[str, str]) -> BadInput:
        """Return the error for several wrong fields; the mapping has at least one."""
        (field, message), *others = fields.items()
        return cls(field, message, others=dict(others))


class BadCursor(BadInput):
    code = "bad_cursor"

    def __init__(self) -> None:
        super().__init__(
            "cursor",
            "This isn't a cursor of this list; leave it out to begin at the first page.",
        )


class PosterRefused(MoviesError):
    status = 400
    code = "poster_refused"


class PosterTypeRefused(PosterRefused):
    status = 415
    code = "poster_type_refused"


class PosterTooLarge(PosterRefused):
    status = 413
    code = "poster_too_large"


class AWSRefused(MoviesError):
    """AWS answered with an error; `reasons` has a code per action of a cancelled transaction.

    AWS's message is in `details` only: it may name accounts and roles.
    """

    status = 503
    code = "aws_refused"

    def __init__(
        self,
        operation: str,
        aws_code: str,
        aws_message: str,
        reasons: Sequence[str] = (),
    ) -> None:
        super().__init__(f"AWS refused {operation} with {aws_code}.")
        self.operation = operation
        self.aws_code = aws_code
        self.aws_message = aws_message
        self.reasons = tuple(reasons)

    @property
    def details(self) -> str:
        return f"{self} {self.aws_message}"


class Throttled(AWSRefused):
    status = 429
    code = "throttled"


class AWSUnreachable(AWSRefused):
    """No answer from AWS: not reachable, too slow, or no credentials to ask with.

    What AWS would have said is this error's own code and sentence. What boto3 said instead is in
    `details` only: it names addresses, and where credentials were looked for.
    """

    code = "aws_unreachable"

    def __init__(self, operation: str, problem: str, explanation: str) -> None:
        super().__init__(operation, self.code, f"AWS did not answer {operation}.")
        self.args = (self.aws_message,)
        self.problem = problem
        self.explanation = explanation

    @property
    def details(self) -> str:
        return f"{self} {self.problem}: {self.explanation}"


class SQLUnavailable(MoviesError):
    """The database can't be reached, or doesn't answer."""

    status = 503
    code = "sql_unavailable"

    def __init__(self, problem: Exception) -> None:
        super().__init__("The database of accounts and reviews doesn't answer.")
        self.problem = problem

    @property
    def details(self) -> str:
        return f"{self} {type(self.problem).__name__}: {self.problem}"


class NotReady(MoviesError):
    """Parts that the site needs don't answer; `troubles` holds the error of each by its name."""

    status = 503
    code = "not_ready"

    def __init__(self, troubles: Mapping[str, MoviesError]) -> None:
        super().__init__(f"These don't answer: {', '.join(troubles)}.")
        self.troubles = dict(troubles)

    @property
    def details(self) -> str:
        return " ".join([str(self), *(error.details for error in self.troubles.values())])


class StepFailed(MoviesError):
    """AWS refused a step of /app; `steps` holds what was done until then, this step last."""

    status = 500
    code = "step_failed"

    def __init__(
        self, step: str, aws_code: str, aws_message: str, steps: Sequence[Step] = ()
    ) -> None:
        super().__init__(f"The step {step!r} failed with {aws_code}: {aws_message}")
        self.step = step
        self.aws_code = aws_code
        self.aws_message = aws_message
        self.steps = tuple(steps)

    @property
    def details(self) -> str:
        return f"{self} {getattr(self.__cause__, 'details', '')}"
