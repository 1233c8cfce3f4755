"""Time as parts of a whole."""

from xray_local.console.shares import Share, divide


def test_shares_stand_one_after_another() -> None:
    shares = divide({"sql": 0.25, "aws": 0.0, "local": 0.75}, {"sql": "SQL", "local": "own code"})

    assert shares == [
        Share("sql", "SQL", 250, 25, 0),
        Share("local", "own code", 750, 75, 25),
    ]


def test_of_nothing_there_are_none() -> None:
    assert divide({}, {}) == divide({"sql": 0.0}, {}) == []
