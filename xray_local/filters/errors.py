"""A filter expression that cannot be understood."""

from xray_local.errors import InvalidRequest


class BadFilter(InvalidRequest):
    """A filter expression is wrong at a place.

    position: counts characters from 1; one more than there are, where something is missing.
    expected: what would be right there.
    """

    def __init__(self, position: int, expected: str, got: str) -> None:
        super().__init__(
            f"Invalid filter expression at character {position}: expected {expected}, got {got}."
        )
        self.position = position
        self.expected = expected
