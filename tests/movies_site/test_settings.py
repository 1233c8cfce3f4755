"""The deployed settings: safe where a variable is missing, and silent under `check --deploy`."""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
DEPLOYED = {
    "PATH": os.environ["PATH"],
    "DJANGO_SETTINGS_MODULE": "movies_site.settings",
    "DJANGO_SECRET_KEY": "k" * 20 + "0123456789" * 4 + "abcdefghij",
    "DJANGO_ALLOWED_HOSTS": "films.example",
    "AWS_REGION": "eu-west-1",
}

REQUEST = """
import json, sys
from django.core.wsgi import get_wsgi_application
from django.test import Client
get_wsgi_application()
response = Client(SERVER_NAME="films.example").get(sys.argv[1], secure=sys.argv[2] == "https")
print(json.dumps([response.status_code, dict(response.headers)]))
"""


def run_python(*arguments: str, **environment: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, *arguments],
        cwd=ROOT,
        env=DEPLOYED | environment,
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )


@pytest.fixture(scope="module")
def static_root(tmp_path_factory: pytest.TempPathFactory) -> str:
    """A folder with the collected static files."""
    folder = str(tmp_path_factory.mktemp("static"))
    result = run_python("manage.py", "collectstatic", "--no-input", STATIC_ROOT=folder)
    assert result.returncode == 0, result.stderr
    return folder


@pytest.mark.parametrize("database", ["", "postgresql://u:p@db.example/films"])
def test_check_deploy_is_silent(database: str, static_root: str) -> None:
    result = run_python(
        "manage.py",
        "check",
        "--deploy",
        "--fail-level=INFO",
        DATABASE_URL=database,
        STATIC_ROOT=static_root,
    )

    assert result.returncode == 0, result.stderr
    assert result.stderr == ""
    assert result.stdout == "System check identified no issues (0 silenced).\n"


def test_a_missing_secret_key_is_named() -> None:
    result = run_python("manage.py", "check", DJANGO_SECRET_KEY="")

    assert result.returncode == 1
    assert "DJANGO_SECRET_KEY is not set; expected a long random string" in result.stderr


@pytest.mark.parametrize(
    ("name", "value", "message"),
    [
        ("LAB_ENABLED", "perhaps", "LAB_ENABLED is 'perhaps'; expected one of true, false"),
        ("REMOTE_TIMEOUT_SECONDS", "soon", "REMOTE_TIMEOUT_SECONDS is 'soon'; expected a number"),
        (
            "AWS_XRAY_DAEMON_ADDRESS",
            "[::1]:2000",
            "AWS_XRAY_DAEMON_ADDRESS is '[::1]:2000'; expected",
        ),
        ("REMOTE_TIMEOUT_SECONDS", "-1", "REMOTE_TIMEOUT_SECONDS is '-1'; expected a number"),
    ],
)
def test_a_wrong_value_is_named(name: str, value: str, message: str) -> None:
    result = run_python("manage.py", "check", **{name: value})

    assert result.returncode == 1
    assert message in result.stderr


def test_what_is_missing_fails_safe() -> None:
    program = (
        "import json; from django.conf import settings as s; print(json.dumps([s.DEBUG, "
        "s.ALLOWED_HOSTS, s.LAB_ENABLED, s.NEW_ACCOUNTS_ARE_EDITORS, s.DATABASES, "
        "'xray_local' in s.INSTALLED_APPS, s.XRAY_RECORDER['AWS_XRAY_CONTEXT_MISSING']]))"
    )
    result = run_python("-c", program, DJANGO_ALLOWED_HOSTS="")

    # Django adds its dummy database itself.
    debug, hosts, lab, editors, databases, local, missing = json.loads(result.stdout)
    assert (debug, hosts, lab, editors, local) == (False, [], False, False, False)
    assert databases.get("default", {}).get("ENGINE", "") in ("", "django.db.backends.dummy")
    assert missing == "IGNORE_ERROR"


@pytest.mark.parametrize("database", ["", "sqlite://:memory:"])
def test_the_administration_is_there_where_sql_is(database: str) -> None:
    program = (
        "import django, sys; django.setup(); from movies_site.urls import urlpatterns; "
        "print('django.contrib.admin' in sys.modules, len(urlpatterns))"
    )
    result = run_python("-c", program, DATABASE_URL=database)

    assert result.stdout.split() == (["True", "2"] if database else ["False", "1"])


def test_security_headers(static_root: str) -> None:
    result = run_python("-c", REQUEST, "/healthz", "https", STATIC_ROOT=static_root)

    status, headers = json.loads(result.stdout)
    assert status == 200
    assert headers["Strict-Transport-Security"] == "max-age=31536000; includeSubDomains; preload"
    assert headers["X-Frame-Options"] == "DENY"
    assert headers["Referrer-Policy"] == "same-origin"
    assert headers["X-Content-Type-Options"] == "nosniff"
    policy = headers["Content-Security-Policy"]
    assert "default-src 'none'" in policy
    assert "unsafe" not in policy
    assert "https://movies-posters.s3.eu-west-1.amazonaws.com" in policy


def test_http_leads_to_https_but_for_health(static_root: str) -> None:
    page = run_python("-c", REQUEST, "/movies/", "http", STATIC_ROOT=static_root)
    health = run_python("-c", REQUEST, "/healthz", "http", STATIC_ROOT=static_root)

    status, headers = json.loads(page.stdout)
    assert (status, headers["Location"]) == (301, "https://films.example/movies/")
    assert json.loads(health.stdout)[0] == 200


def test_nothing_of_a_laptop_is_loaded(static_root: str) -> None:
    program = (
        "import sys, movies_site.wsgi; from django.urls import get_resolver; "
        "get_resolver().url_patterns; "
        "print([name for name in ('xray_local', 'sqlite3', 'psycopg2', 'boto3') "
        "if name in sys.modules])"
    )
    result = run_python("-c", program, STATIC_ROOT=static_root, LAMBDA_TASK_ROOT=str(ROOT))

    assert result.stdout.strip() == "[]", result.stderr


@pytest.mark.parametrize(
    ("variables", "start"),
    [
        ({}, "https://eu-west-1.console.aws.amazon.com/cloudwatch/home?region=eu-west-1#xray:"),
        ({"XRAY_CONSOLE_URL": "http://127.0.0.1:2000"}, "http://127.0.0.1:2000/"),
    ],
)
def test_where_traces_are_seen(variables: dict[str, str], start: str) -> None:
    result = run_python("-c", "from movies_site.settings import *; print(TRACE_URL)", **variables)

    assert result.stdout == start + "traces/{trace_id}\n"
