"""Each key of XRAY_RECORDER, by its effect on what is sent."""

import json
from pathlib import Path

import pytest

from tests.conftest import Daemon
from tests.tracing.conftest import Runner, forks, run

__all__ = ["forks", "run"]

# Two subsegments begun and ended where no segment is.
OUTSIDE = {"call": "outside_a_request"}


def test_daemon_address_from_the_settings_and_the_environment_wins(run: Runner) -> None:
    elsewhere = Daemon()
    settings = json.dumps({"AWS_XRAY_DAEMON_ADDRESS": elsewhere.address})

    # The fixture names its own daemon in the environment.
    result = run("/ok", TEST_XRAY_RECORDER=settings)
    assert len(result.documents) == 1
    assert elsewhere.receive() == []

    result = run("/ok", TEST_XRAY_RECORDER=settings, AWS_XRAY_DAEMON_ADDRESS=elsewhere.address)
    assert result.documents == []
    assert len(elsewhere.receive()) == 1
    elsewhere.close()


def test_daemon_address_of_the_settings_is_used(run: Runner, tmp_path: Path) -> None:
    elsewhere = Daemon()

    run(
        "/ok",
        TEST_XRAY_RECORDER=json.dumps({"AWS_XRAY_DAEMON_ADDRESS": elsewhere.address}),
        without="AWS_XRAY_DAEMON_ADDRESS",
    )

    assert len(elsewhere.receive()) == 1
    elsewhere.close()


def test_auto_instrument(run: Runner) -> None:
    on = run("/queries", "/template")
    off = run("/queries", "/template", XRAY_AUTO_INSTRUMENT="false")

    assert on.names() == ["movies", "default@sqlite", "movies", "template"]
    assert off.names() == ["movies", "movies"]


@pytest.mark.parametrize(
    ("strategy", "answer", "warnings"),
    [
        ("RUNTIME_ERROR", {"raised": "SegmentNotFoundException"}, 0),
        ("LOG_ERROR", {"value": None}, 1),
        ("IGNORE_ERROR", {"value": None}, 0),
    ],
)
def test_context_missing(
    run: Runner, strategy: str, answer: dict[str, str | None], warnings: int
) -> None:
    result = run(OUTSIDE, "/ok", AWS_XRAY_CONTEXT_MISSING=strategy)

    assert result.answers[0] == answer
    assert result.names() == ["movies"]
    assert result.log.count("X-Ray was called with no segment open") == warnings, result.log


def test_context_missing_locally_is_log_error(run: Runner) -> None:
    result = run(OUTSIDE)

    assert result.answers[0] == {"value": None}
    assert result.log.count("AWS_XRAY_CONTEXT_MISSING=RUNTIME_ERROR shows where") == 1


def test_plugins(run: Runner) -> None:
    plain = run("/ok").documents[0]
    plugged = run("/ok", XRAY_PLUGINS="ECSPlugin").documents[0]

    assert "origin" not in plain
    assert "ecs" not in plain["aws"]
    assert plugged["origin"] == "AWS::ECS::Container"
    assert plugged["aws"]["ecs"]["container"]


@pytest.fixture
def never(tmp_path: Path) -> str:
    """The path of sampling rules that let nothing through but /trace."""
    rules = tmp_path / "rules.json"
    rules.write_text(
        json.dumps(
            {
                "version": 2,
                "rules": [
                    {
                        "host": "*",
                        "http_method": "*",
                        "url_path": "/trace",
                        "fixed_target": 0,
                        "rate": 1.0,
                    }
                ],
                "default": {"fixed_target": 0, "rate": 0.0},
            }
        )
    )
    return str(rules)


def test_sampling_and_sampling_rules(run: Runner, never: str) -> None:
    sampled = run("/ok", "/trace", XRAY_SAMPLING="true", XRAY_SAMPLING_RULES=never)
    everything = run("/ok", "/trace", XRAY_SAMPLING="false", XRAY_SAMPLING_RULES=never)

    assert [document["annotations"]["route"] for document in sampled.documents] == ["trace"]
    assert len(everything.documents) == 2


def test_tracing_name(run: Runner) -> None:
    settings = json.dumps({"AWS_XRAY_TRACING_NAME": "from-settings"})

    assert run("/ok", TEST_XRAY_RECORDER=settings).names() == ["from-settings"]
    assert run(
        "/ok", TEST_XRAY_RECORDER=settings, AWS_XRAY_TRACING_NAME="from-environment"
    ).names() == ["from-environment"]


def test_dynamic_naming(run: Runner) -> None:
    result = run(
        "/ok", {"path": "/ok", "environ": {"HTTP_HOST": "evil"}}, XRAY_DYNAMIC_NAMING="local*"
    )

    assert result.names() == ["localhost", "movies"]


@pytest.mark.parametrize("on_lambda", [False, True], ids=["server", "lambda"])
def test_streaming_threshold(run: Runner, on_lambda: bool) -> None:
    request = {
        "path": "/many?count=12",
        "trace": "Root=1-5759e988-bd862e3fe1be46a994272793;Parent=53995c3f42cd8ad8;Sampled=1",
    }

    whole = run(request, on_lambda=on_lambda)
    parts = run(request, on_lambda=on_lambda, XRAY_STREAMING_THRESHOLD="5")

    assert len(whole.documents) == 1
    assert len(parts.documents) > 2
    assert sorted(parts.names()) == sorted(whole.names())
    assert len({document["trace_id"] for document in parts.documents}) == 1
