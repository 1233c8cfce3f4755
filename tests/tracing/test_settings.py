"""Settings do what they say: read in one order, obeyed when they change, and never raising."""

import json
import logging
import subprocess
import sys
import uuid
from collections.abc import Iterator
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from aws_xray_sdk.core.plugins import ec2_plugin
from aws_xray_sdk.core.sampling.local.sampler import LocalSampler, local_sampling_rule
from django.core import signals as core_signals
from django.test import override_settings
from django.test import signals as test_signals

from tracing import settings
from tracing.keys import INSTRUMENTS, KEYS, OWN_SETTINGS

ROOT = Path(__file__).resolve().parents[2]
RULES = {"version": 2, "rules": [], "default": {"fixed_target": 0, "rate": 0.5}}
VARIABLES = ("AWS_XRAY_DAEMON_ADDRESS", "AWS_XRAY_CONTEXT_MISSING", "AWS_XRAY_TRACING_NAME")


@pytest.fixture(autouse=True)
def _bare(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """Neither variables nor settings nor other code that listens; lines are told anew."""
    for name in (*VARIABLES, "AWS_LAMBDA_FUNCTION_NAME"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setattr(settings, "_callbacks", [])
    monkeypatch.setattr(settings, "_told", set())
    with override_settings(XRAY_RECORDER={}, TRACING_IGNORED_PATHS=None, TRACING_ANNOTATIONS=None):
        yield


class Sampler(LocalSampler):  # type: ignore[misc]
    """A sampler that keeps what it is told."""

    def __init__(self) -> None:
        super().__init__()
        self.loaded: list[Any] = []

    def load_settings(self, daemon: Any, context: object, origin: object) -> None:
        self.loaded.append((daemon.tcp_ip, daemon.tcp_port, origin))


class Recorder(SimpleNamespace):
    """What apply sets, and nothing that sends."""

    def __init__(self) -> None:
        self.addresses: list[str] = []
        super().__init__(
            sampler=Sampler(),
            context=SimpleNamespace(context_missing=None),
            emitter=SimpleNamespace(set_daemon_address=self.addresses.append),
        )

    __hash__ = object.__hash__


def test_defaults() -> None:
    found = settings.read()

    assert found.daemon_address == "127.0.0.1:2000"
    assert found.context_missing == "LOG_ERROR"
    assert found.urls_as_annotation == "LAMBDA"
    assert found.service_name == "django"
    assert found.instruments == INSTRUMENTS
    assert (found.ignored_paths, dict(found.annotations)) == ((), {})
    assert found.in_progress_first is False
    fields = {key.field for key in (*KEYS, *OWN_SETTINGS)}
    assert {*fields, "notes", "ignored_folders"} == set(settings.Settings._fields)


def test_a_function_without_a_name_has_lambdas(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AWS_LAMBDA_FUNCTION_NAME", "shop-web")

    assert settings.read().service_name == "shop-web"


@pytest.mark.parametrize(
    ("variable", "field", "in_settings", "in_environment"),
    [
        ("AWS_XRAY_DAEMON_ADDRESS", "daemon_address", "a:1", "tcp:b:2 udp:c:3"),
        ("AWS_XRAY_CONTEXT_MISSING", "context_missing", "RUNTIME_ERROR", "IGNORE_ERROR"),
        ("AWS_XRAY_TRACING_NAME", "service_name", "in-settings", "in-environment"),
    ],
)
def test_the_environment_stands_above_the_settings(
    monkeypatch: pytest.MonkeyPatch,
    variable: str,
    field: str,
    in_settings: str,
    in_environment: str,
) -> None:
    with override_settings(XRAY_RECORDER={variable: in_settings}):
        assert getattr(settings.read(), field) == in_settings
        monkeypatch.setenv(variable, in_environment)
        assert getattr(settings.read(), field) == in_environment
        # Set but empty is not given.
        monkeypatch.setenv(variable, "")
        assert getattr(settings.read(), field) == in_settings


RIGHT = [
    ("AUTO_INSTRUMENT", 0, "auto_instrument", False),
    ("SAMPLING", 1, "sampling", True),
    ("STREAM_SQL", False, "stream_sql", False),
    ("PLUGINS", ["ec2plugin", "ECSPlugin"], "plugins", ("ec2plugin", "ECSPlugin")),
    ("SAMPLING_RULES", Path("/rules.json"), "sampling_rules", "/rules.json"),
    ("SAMPLING_RULES", RULES, "sampling_rules", RULES),
    ("DYNAMIC_NAMING", "*.example.com", "dynamic_naming", "*.example.com"),
    ("STREAMING_THRESHOLD", 0, "streaming_threshold", 0),
    ("MAX_TRACE_BACK", 3, "max_trace_back", 3),
    ("PATCH_MODULES", ["pymongo"], "patch_modules", ("pymongo",)),
    ("AUTO_PATCH_PARENT_SEGMENT_NAME", "start", "auto_patch_parent_segment_name", "start"),
    ("IGNORE_MODULE_PATTERNS", ["^a"], "ignore_module_patterns", ("^a",)),
    ("URLS_AS_ANNOTATION", "ALL", "urls_as_annotation", "ALL"),
    ("AWS_XRAY_DAEMON_ADDRESS", "udp:a:1 tcp:b:2", "daemon_address", "udp:a:1 tcp:b:2"),
    ("TRACING_IGNORED_PATHS", ["/a", "/b/"], "ignored_paths", ("/a", "/b/")),
    ("TRACING_ANNOTATIONS", {"a_1": 2.5}, "annotations", {"a_1": 2.5}),
    ("TRACING_INSTRUMENTS", ["sql", "aws"], "instruments", frozenset({"sql", "aws"})),
    ("TRACING_IN_PROGRESS_FIRST", True, "in_progress_first", True),
]
WRONG = [
    *((name, "yes") for name in ("AUTO_INSTRUMENT", "SAMPLING", "STREAM_SQL")),
    ("AUTO_INSTRUMENT", 2),
    *(
        ("AWS_XRAY_DAEMON_ADDRESS", address)
        for address in ("", "host", "a:b", "::1:2000", "a:0", "a:65536", "tcp:a:1", 2000)
    ),
    ("AWS_XRAY_CONTEXT_MISSING", "LOG"),
    ("PLUGINS", "EC2Plugin"),
    ("PLUGINS", ["EC3Plugin"]),
    ("SAMPLING_RULES", 7),
    ("SAMPLER", Sampler),
    ("SAMPLER", object()),
    ("AWS_XRAY_TRACING_NAME", " "),
    ("DYNAMIC_NAMING", 7),
    ("STREAMING_THRESHOLD", -1),
    ("STREAMING_THRESHOLD", "10"),
    ("MAX_TRACE_BACK", True),
    ("PATCH_MODULES", "botocore"),
    ("PATCH_MODULES", [7]),
    ("AUTO_PATCH_PARENT_SEGMENT_NAME", 7),
    ("IGNORE_MODULE_PATTERNS", ["("]),
    ("URLS_AS_ANNOTATION", "SOME"),
    ("TRACING_IGNORED_PATHS", ["healthz"]),
    ("TRACING_IGNORED_PATHS", "/healthz"),
    ("TRACING_ANNOTATIONS", {"a b": 1}),
    ("TRACING_ANNOTATIONS", {"a": [1]}),
    ("TRACING_INSTRUMENTS", ["sqll"]),
    ("TRACING_IN_PROGRESS_FIRST", "no"),
]


def give(name: str, value: object) -> Any:
    """Return the settings in which one has this value."""
    if name.startswith("TRACING_"):
        return override_settings(**{name: value})
    return override_settings(XRAY_RECORDER={name: value})


@pytest.mark.parametrize(("name", "value", "field", "expected"), RIGHT)
def test_right_values(name: str, value: object, field: str, expected: object) -> None:
    with give(name, value):
        assert getattr(settings.read(), field) == expected
        assert settings.find_wrong_values() == []


def test_right_objects() -> None:
    sampler, naming = Sampler(), SimpleNamespace(get_name=str)

    with override_settings(XRAY_RECORDER={"SAMPLER": sampler, "DYNAMIC_NAMING": naming}):
        assert settings.read().sampler is sampler
        assert settings.read().dynamic_naming is naming


@pytest.mark.parametrize(("name", "value"), WRONG)
def test_a_wrong_value_counts_as_not_given_and_is_told_once(
    name: str, value: object, caplog: pytest.LogCaptureFixture
) -> None:
    default = settings.read()
    with give(name, value):
        caplog.clear()
        assert settings.read() == default
        assert settings.read() == default
        (wrong,) = settings.find_wrong_values()

    (record,) = caplog.records
    assert record.levelno == logging.WARNING
    assert name in record.getMessage()
    assert repr(value)[:50] in record.getMessage()
    assert wrong.expected in record.getMessage()


def test_a_wrong_variable_leaves_the_setting(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AWS_XRAY_DAEMON_ADDRESS", "nowhere")

    with override_settings(XRAY_RECORDER={"AWS_XRAY_DAEMON_ADDRESS": "a:1"}):
        assert settings.read().daemon_address == "a:1"
        (wrong,) = settings.find_wrong_values()
    assert str(wrong) == "The variable AWS_XRAY_DAEMON_ADDRESS is 'nowhere'."


def test_no_dict_at_all() -> None:
    with override_settings(XRAY_RECORDER=["SAMPLING"]):
        assert settings.read().sampling is True
        (wrong,) = settings.find_wrong_values()
    assert str(wrong) == "XRAY_RECORDER is ['SAMPLING']."


def test_auto_instrument_takes_djangos_parts_away() -> None:
    with override_settings(XRAY_RECORDER={"AUTO_INSTRUMENT": False}):
        assert settings.read().instruments == {"aws", "remote", "threads"}
        with override_settings(TRACING_INSTRUMENTS=["sql", "aws"]):
            assert settings.read().instruments == {"aws"}


def test_settings_mislead_no_more_override_settings_is_obeyed() -> None:
    told: list[bool] = []
    settings.on_change(lambda found: told.append(found.stream_sql))
    assert test_signals.setting_changed is core_signals.setting_changed

    assert settings.current().stream_sql is True
    with override_settings(XRAY_RECORDER={"STREAM_SQL": False}):
        assert settings.current().stream_sql is False
        # What leaves all as it is, and what is not ours, is not told.
        with override_settings(TRACING_IGNORED_PATHS=[], LANGUAGE_CODE="de"):
            assert settings.current() is settings.current()
    assert settings.current().stream_sql is True
    assert told == [False, True]


def test_who_asks_to_be_told_is_told_once_and_stops_nobody(
    caplog: pytest.LogCaptureFixture,
) -> None:
    told: list[object] = []

    def fail(found: settings.Settings) -> None:
        told.append(found)
        raise ValueError("no")

    settings.on_change(fail)
    settings.on_change(fail)
    settings.on_change(told.append)
    with override_settings(XRAY_RECORDER={"SAMPLING": False}):
        assert len(told) == 2
    assert "could not take the change of XRAY_RECORDER" in caplog.text


def test_without_django() -> None:
    script = (
        "import sys\n"
        "from tracing import settings\n"
        "print(settings.current().service_name, 'django.test' in sys.modules)"
    )
    run = subprocess.run(
        [sys.executable, "-c", script],
        cwd=ROOT,
        env={"AWS_XRAY_TRACING_NAME": "alone"},
        capture_output=True,
        text=True,
        check=False,
        timeout=60,
    )

    assert run.stdout.split() == ["alone", "False"], run.stderr


def test_apply_sets_every_part() -> None:
    recorder = Recorder()
    given = {
        "AWS_XRAY_DAEMON_ADDRESS": "tcp:192.0.2.1:1 udp:192.0.2.2:2",
        "AWS_XRAY_CONTEXT_MISSING": "IGNORE_ERROR",
        "AWS_XRAY_TRACING_NAME": "shop",
        "DYNAMIC_NAMING": "*.example.com",
        "SAMPLING": False,
        "STREAMING_THRESHOLD": 7,
        "MAX_TRACE_BACK": 0,
        "STREAM_SQL": False,
    }
    with override_settings(XRAY_RECORDER=given):
        settings.apply(settings.current(), recorder)

    assert recorder.service == "shop"
    assert recorder.sampling is False
    assert recorder.context.context_missing == "IGNORE_ERROR"
    assert recorder.dynamic_naming == "*.example.com"
    assert (recorder.streaming_threshold, recorder.max_trace_back) == (7, 0)
    assert recorder.stream_sql is False
    assert recorder.addresses == ["tcp:192.0.2.1:1 udp:192.0.2.2:2"]
    assert recorder.sampler.loaded == [("192.0.2.1", 1, None)]
    assert (recorder._aws_metadata["xray"]["sdk"], recorder._origin) == ("X-Ray for Python", None)


def test_apply_again_does_only_what_is_new_and_leaves_nothing_behind() -> None:
    recorder = Recorder()
    default = recorder.sampler
    settings.apply(settings.read(), recorder)
    other = Sampler()
    given = {"SAMPLER": other, "SAMPLING_RULES": RULES, "MAX_TRACE_BACK": 1}

    with override_settings(XRAY_RECORDER=given):
        settings.apply(settings.read(), recorder)
        assert recorder.sampler is other
        assert other._default_rule.rate == 0.5
        assert recorder.max_trace_back == 1
    settings.apply(settings.read(), recorder)

    assert recorder.sampler is default
    assert default._default_rule.rate == local_sampling_rule["default"]["rate"]
    assert (recorder.streaming_threshold, recorder.max_trace_back) == (250, 10)
    assert len(default.loaded) == 2
    settings.apply(settings.read(), recorder)
    assert len(default.loaded) == 2


def test_plugins_are_asked_once_and_go_when_they_are_no_longer_wanted(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    asked: list[object] = []
    monkeypatch.setattr(ec2_plugin, "initialize", lambda: asked.append("ec2"))
    monkeypatch.setattr(ec2_plugin, "runtime_context", {"instance_id": "i-1"}, raising=False)
    recorder = Recorder()

    with override_settings(XRAY_RECORDER={"PLUGINS": ["EC2Plugin"]}):
        settings.apply(settings.read(), recorder)
        settings.apply(settings.read(), recorder)
    assert recorder._aws_metadata["ec2"] == {"instance_id": "i-1"}
    assert recorder._origin == "AWS::EC2::Instance"
    assert recorder.sampler.loaded[-1][2] == "AWS::EC2::Instance"
    settings.apply(settings.read(), recorder)

    assert asked == ["ec2"]
    assert "ec2" not in recorder._aws_metadata
    assert recorder._origin is None


def test_apply_never_raises(caplog: pytest.LogCaptureFixture, tmp_path: Path) -> None:
    recorder = Recorder()
    recorder.emitter = None
    missing = tmp_path / "missing.json"

    with override_settings(XRAY_RECORDER={"SAMPLING_RULES": missing, "MAX_TRACE_BACK": 2}):
        settings.apply(settings.read(), recorder)

    assert recorder.max_trace_back == 2
    assert f"left out. The file {str(missing)!r} can't be read: No such file" in caplog.text
    assert "Could not set tracing up as the settings say" in caplog.text


RULE = {"host": "*", "http_method": "GET", "url_path": "/*", "fixed_target": 1, "rate": 0.1}


def test_rules_that_no_sampler_takes() -> None:
    with pytest.raises(ValueError, match="Expected 1 or 2 as the version"):
        settings.load_rules({})
    with pytest.raises(ValueError, match="host of the sampling rule 1"):
        settings.load_rules(RULES | {"rules": [RULE | {"host": ""}]})


def test_rules_from_a_file(tmp_path: Path) -> None:
    path = tmp_path / f"{uuid.uuid4()}.json"
    path.write_text(json.dumps(RULES | {"rules": [RULE]}))
    assert settings.load_rules(str(path)) == RULES | {"rules": [RULE]}

    path.write_text("[]")
    with pytest.raises(ValueError, match="Expected sampling rules as a dict"):
        settings.load_rules(str(path))
    path.write_text("{")
    with pytest.raises(ValueError, match="is no JSON"):
        settings.load_rules(str(path))
