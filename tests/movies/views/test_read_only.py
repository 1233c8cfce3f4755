"""The site as it runs on Lambda without DATABASE_URL, in a process of its own."""

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

from movies.movie import Movie

PROGRAM = """
import json, sys
import django
django.setup()
from django.conf import settings
from django.contrib.sessions.backends.signed_cookies import SessionStore
from django.core.management import call_command
from django.test import Client

call_command("collectstatic", verbosity=0, interactive=False)
session = SessionStore()
session["_auth_user_id"] = "1"
session["_auth_user_backend"] = "django.contrib.auth.backends.ModelBackend"
session["_auth_user_hash"] = "left over from a time with SQL"
session.save()
answers = {}
for who in ("anybody", "somebody who was signed in"):
    browser = Client(headers={"host": "movies.example"}, raise_request_exception=False)
    if who != "anybody":
        browser.cookies[settings.SESSION_COOKIE_NAME] = session.session_key
    for url in sys.argv[1:]:
        response = browser.get(url, secure=True)
        answers[f"{who} {url}"] = [response.status_code, response.content.decode()]
print(json.dumps(answers))
"""
FILM = "/movies/1999/The%20Matrix/"
STATUSES = {
    "/": 200,
    "/movies/": 200,
    "/movies/?q=matrix": 200,
    FILM: 200,
    "/nothing": 404,
    "/lab/": 404,
    "/admin/": 404,
    "/healthz": 200,
    "/readyz": 200,
    "/accounts/sign-in/": 503,
    f"{FILM}edit/": 503,
    f"{FILM}review/": 503,
}


def test_the_site_without_sql(
    film: Movie, aws: str, settings: Any, root: Path, tmp_path: Path
) -> None:
    environment = {
        **{
            name: value
            for name, value in os.environ.items()
            if name not in ("DATABASE_URL", "XRAY_CONSOLE_URL")
        },
        "AWS_ENDPOINT_URL": aws,
        "DJANGO_ALLOWED_HOSTS": "movies.example",
        "DJANGO_SECRET_KEY": "x" * 60,
        "DJANGO_SETTINGS_MODULE": "movies_site.settings",
        "LAB_ENABLED": "false",
        "MOVIES_TABLE": settings.MOVIES_TABLE,
        "MOVIES_TERMS_TABLE": settings.MOVIES_TERMS_TABLE,
        "POSTERS_BUCKET": settings.POSTERS_BUCKET,
        "STATIC_ROOT": str(tmp_path),
        "XRAY_SAMPLING": "false",
    }

    run = subprocess.run(
        [sys.executable, "-c", PROGRAM, *STATUSES],
        cwd=root,
        env=environment,
        capture_output=True,
        text=True,
        timeout=60,
    )

    assert run.returncode == 0, run.stderr
    answers = json.loads(run.stdout)
    for who in ("anybody", "somebody who was signed in"):
        statuses = {url: answers[f"{who} {url}"][0] for url in STATUSES}
        assert statuses == STATUSES, run.stderr
        assert "Read-only." in answers[f"{who} {FILM}"][1]
        assert "console.aws.amazon.com/cloudwatch" in answers[f"{who} {FILM}"][1]
