"""`manage.py check` says what is wrong with the settings of tracing, and what would be right."""

import json
import os
import re
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from django.core.checks import CheckMessage
from django.test import override_settings

from tracing import checks
from tracing.middleware import XRayMiddleware

ROOT = Path(__file__).resolve().parents[2]
OURS = checks.MIDDLEWARE
OTHER = "django.middleware.common.CommonMiddleware"


class OwnMiddleware(XRayMiddleware):
    """A project's own, made from ours."""


@pytest.fixture(autouse=True)
def _bare(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """Only what the tests say."""
    for name in ("AWS_XRAY_DAEMON_ADDRESS", "AWS_XRAY_CONTEXT_MISSING", "AWS_XRAY_TRACING_NAME"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setattr("tracing.settings._callbacks", [])
    with override_settings(XRAY_RECORDER={"AWS_XRAY_TRACING_NAME": "shop"}, MIDDLEWARE=[OURS]):
        yield


def check(**settings: Any) -> list[CheckMessage]:
    """Return what is said of these settings; XRAY_RECORDER has a name already."""
    recorder = settings.get("XRAY_RECORDER")
    if isinstance(recorder, dict):
        settings["XRAY_RECORDER"] = {"AWS_XRAY_TRACING_NAME": "shop", **recorder}
    with override_settings(**settings):
        return [*checks.check_settings(), *checks.check_middleware(), *checks.check_apps()]


def check_one(**settings: Any) -> tuple[str, str, str]:
    """Return id, message and hint of the only thing that is said."""
    (message,) = check(**settings)
    assert message.id
    assert message.hint
    # The letter of the id tells the level, as in Django's own.
    assert type(message).__name__[0] == message.id.removeprefix("tracing.")[0]
    return message.id, message.msg, message.hint


def test_nothing_is_said_of_what_is_right(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(ROOT)
    given = {"SAMPLING": True, "PATCH_MODULES": ["boto3", "httplib", "tracing.settings"]}

    assert check(XRAY_RECORDER=given, TRACING_IGNORED_PATHS=["/healthz"]) == []


@pytest.mark.parametrize(
    ("recorder", "message", "hint"),
    [
        ({"AWS_XRAY_DAEMON_ADDRESS": "::1"}, "['AWS_XRAY_DAEMON_ADDRESS'] is '::1'.", "host:port"),
        (
            {"AWS_XRAY_CONTEXT_MISSING": "LOG_EROR"},
            "is 'LOG_EROR'.",
            "Did you mean 'LOG_ERROR'?",
        ),
        ({"PLUGINS": ["EC2"]}, "['PLUGINS'] is ['EC2'].", "EC2Plugin, ECSPlugin"),
        ({"PLUGINS": ["ECPlugin"]}, "is ['ECPlugin'].", "Did you mean 'ECSPlugin'?"),
        ({"URLS_AS_ANNOTATION": "lambda"}, "is 'lambda'.", "Did you mean 'LAMBDA'?"),
        ({"STREAMING_THRESHOLD": -1}, "is -1.", "Expected a whole number of at least 0."),
        ({"SAMPLING": "x" * 500}, "xxx....", "Expected True or False."),
    ],
)
def test_e002_wrong_value(recorder: dict[str, Any], message: str, hint: str) -> None:
    found = check_one(XRAY_RECORDER=recorder)

    assert found[0] == "tracing.E002"
    assert message in found[1]
    assert len(found[1]) < 250
    assert hint in found[2]


def test_e002_wrong_setting_of_ours() -> None:
    found = check_one(TRACING_INSTRUMENTS=["sql", "templtes"])

    assert found[0] == "tracing.E002"
    assert found[2].endswith("Did you mean 'templates'?")


def test_e002_wrong_variable(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AWS_XRAY_CONTEXT_MISSING", "NEVER")

    identifier, message, _ = check_one()

    assert identifier == "tracing.E002"
    assert message.startswith("The variable AWS_XRAY_CONTEXT_MISSING is 'NEVER'.")


def test_e001_no_dict() -> None:
    identifier, message, hint = check_one(XRAY_RECORDER=["SAMPLING"])

    assert identifier == "tracing.E001"
    assert "['SAMPLING']" in message
    assert hint == "Expected a dict."


def test_e003_no_name(monkeypatch: pytest.MonkeyPatch) -> None:
    with override_settings(XRAY_RECORDER={}):
        (message,) = checks.check_settings()
        assert message.id == "tracing.E003"
        monkeypatch.setenv("AWS_XRAY_TRACING_NAME", "shop")
        assert checks.check_settings() == []
    monkeypatch.delenv("AWS_XRAY_TRACING_NAME")
    # A name that is wrong is not missing too.
    with override_settings(XRAY_RECORDER={"AWS_XRAY_TRACING_NAME": 7}):
        (message,) = checks.check_settings()
        assert message.id == "tracing.E002"


def test_e004_sampling_rules(tmp_path: Path) -> None:
    path = str(tmp_path / "rules.json")

    identifier, message, _ = check_one(XRAY_RECORDER={"SAMPLING_RULES": path})
    assert identifier == "tracing.E004"
    assert f"The file {path!r} can't be read: No such file" in message

    identifier, message, hint = check_one(XRAY_RECORDER={"SAMPLING_RULES": {"version": 3}})
    assert identifier == "tracing.E004"
    assert "Expected 1 or 2 as the version" in message
    assert "version 2" in hint


@pytest.mark.parametrize(
    ("name", "message", "hint"),
    [
        ("botocor", "neither known nor a module", "Did you mean 'botocore'?"),
        ("zzz", "neither known nor a module", "Known are aioboto3, aiobotocore, boto3"),
        ("pynamodb", "the package 'pynamodb' is not installed", "Install it, or take it out."),
    ],
)
def test_e005_patch_modules(name: str, message: str, hint: str) -> None:
    found = check_one(XRAY_RECORDER={"PATCH_MODULES": ["requests", name]})

    assert found[0] == "tracing.E005"
    assert message in found[1]
    assert hint in found[2]


@pytest.mark.parametrize(
    ("middleware", "identifiers"),
    [
        ([OURS, OTHER], []),
        ([f"{__name__}.OwnMiddleware", "no.such.Middleware"], []),
        ([checks.SDK_MIDDLEWARE, OTHER], ["tracing.E006"]),
        ([checks.SDK_MIDDLEWARE, OURS], ["tracing.E006"]),
        ([OURS, OTHER, OURS], ["tracing.E007"]),
        ([OTHER], ["tracing.W003"]),
        ([], ["tracing.W003"]),
        ([OTHER, OURS], ["tracing.W004"]),
    ],
)
def test_middleware(middleware: list[str], identifiers: list[str]) -> None:
    found = check(MIDDLEWARE=middleware)

    assert [message.id for message in found] == identifiers
    assert all(OURS in message.msg or OURS in (message.hint or "") for message in found)


@pytest.mark.parametrize(
    ("key", "hint"),
    [
        ("SAMPLNG", "Did you mean 'SAMPLING'?"),
        ("streaming_treshold", "Did you mean 'STREAMING_THRESHOLD'?"),
        ("COLOUR", "Known are AWS_XRAY_DAEMON_ADDRESS, AUTO_INSTRUMENT"),
        (7, "Known are"),
    ],
)
def test_w001_unknown_key(key: object, hint: str) -> None:
    found = check_one(XRAY_RECORDER={key: True})

    assert found[0] == "tracing.W001"
    assert found[1] == f"XRAY_RECORDER[{key!r}] is no setting of tracing; nobody reads it."
    assert found[2].startswith(hint)


@pytest.mark.parametrize(
    ("name", "hint"),
    [
        ("TRACING_IGNORE_PATHS", "Did you mean TRACING_IGNORED_PATHS?"),
        ("TRACING_COLOUR", "Known are TRACING_ANNOTATIONS, TRACING_IGNORED_PATHS"),
        ("XRAY_RECODER", "Did you mean XRAY_RECORDER?"),
        ("XRAY_SAMPLING", "Did you mean XRAY_RECORDER['SAMPLING']?"),
        ("AWS_XRAY_TRACING_NAME", "Did you mean XRAY_RECORDER['AWS_XRAY_TRACING_NAME']?"),
        ("AWS_XRAY_SDK_ENABLED", "Did you mean the environment variable AWS_XRAY_SDK_ENABLED?"),
    ],
)
def test_w002_unknown_setting(name: str, hint: str) -> None:
    found = check_one(**{name: "x"})

    assert found[0] == "tracing.W002"
    assert found[1].startswith(f"{name} is no setting of tracing")
    assert found[2].startswith(hint)


def test_w002_leaves_a_projects_own_names_alone() -> None:
    assert check(XRAY_CONSOLE_URL="http://127.0.0.1:2000") == []


def test_w005_the_sdks_app() -> None:
    with override_settings():
        from django.conf import settings

        # As it is written: to install it would import django.test.
        settings.INSTALLED_APPS = ["tracing", checks.SDK_APP]
        (message,) = checks.check_apps()
    assert message.id == "tracing.W005"
    assert "'tracing'" in (message.hint or "")


def test_every_id_is_documented_and_no_other() -> None:
    source = (ROOT / "tracing" / "checks.py").read_text()
    table = (ROOT / "docs" / "settings.md").read_text()

    in_code = set(re.findall(r'"(tracing\.[EW]\d{3})"', source))
    assert len(in_code) == 12
    assert set(re.findall(r"^\| `(tracing\.[EW]\d{3})` \|", table, re.MULTILINE)) == in_code


def test_every_key_is_documented() -> None:
    text = (ROOT / "docs" / "settings.md").read_text()

    names = [key.name for key in (*checks.KEYS, *checks.OWN_SETTINGS)]
    assert [name for name in names if f"\n| `{name}` |" not in text] == []


@pytest.mark.parametrize("module", ["movies_site.settings", "movies_site.settings_local"])
def test_the_sites_own_settings_pass(module: str, tmp_path: Path) -> None:
    script = (
        "import django, json; django.setup(); from django.core.checks import run_checks\n"
        "import tracing.checks\n"
        "print(json.dumps([str(message) for message in run_checks(tags=['tracing'])]))"
    )
    run = subprocess.run(
        [sys.executable, "-c", script],
        cwd=ROOT,
        env={
            "PATH": os.environ["PATH"],
            "DJANGO_SETTINGS_MODULE": module,
            "DJANGO_SECRET_KEY": "x" * 60,
            "LOCAL_DIR": str(tmp_path),
        },
        capture_output=True,
        text=True,
        check=False,
        timeout=60,
    )

    assert run.returncode == 0, run.stderr
    assert json.loads(run.stdout) == []
