"""What docs/lambda.md shows of queues and schedules works: its code runs, its YAML compiles."""

import importlib
import json
import re
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from unittest.mock import Mock

import pytest
import yaml

from gateway import make_handler
from tests.gateway.examples import make_event
from tests.processes import ROOT
from tests.test_serverless import SERVERLESS, find, make_environment

DOCUMENT = (ROOT / "docs" / "lambda.md").read_text()
SERVICE = """
service: movies
configValidationMode: error
provider: { name: aws, runtime: python3.13, tracing: { lambda: true } }
package: { artifact: code.zip }
"""


def read_block(language: str, text: str) -> str:
    """Return the one block of code that holds a text."""
    blocks = re.findall(rf"```{language}\n(.*?)```", DOCUMENT, re.DOTALL)
    [block] = [block for block in blocks if text in block]
    return str(block)


@pytest.fixture
def work(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Any]:
    """The module films.work of the document, with a model that keeps what is asked of it."""
    (tmp_path / "films").mkdir()
    (tmp_path / "films" / "work.py").write_text(read_block("python", "# films/work.py"))
    (tmp_path / "films" / "models.py").write_text("from unittest.mock import Mock\nFilm = Mock()\n")
    monkeypatch.syspath_prepend(tmp_path)
    yield importlib.import_module("films.work")
    for name in ("films", "films.models", "films.work"):
        del sys.modules[name]


def test_the_entry_point_is_shown_as_it_is() -> None:
    _docstring, _, code = (ROOT / "lambda_entry.py").read_text().partition("\n\n")

    assert read_block("python", "lambda_handler = make_handler(application, on") == code


def test_the_test_is_shown_as_it_is() -> None:
    test = read_block("python", "def test_seed_movie")

    assert f"\n\n{test}\n\n" in (ROOT / "tests" / "movies" / "test_seeding.py").read_text()


@pytest.mark.django_db  # each record ends with connections to databases, if others have any
def test_messages_and_schedules(work: Any) -> None:
    handler = make_handler(Mock(), on_message=work.handle_message, on_schedule=work.handle_schedule)
    batch = make_event("sqs_batch")
    batch["Records"][1]["body"] = "no JSON"
    second = batch["Records"][1]["messageId"]

    assert handler(batch, None) == {"batchItemFailures": [{"itemIdentifier": second}]}
    work.Film.objects.update_or_create.assert_called_once_with(
        title="Amélie", defaults={"year": 2001}
    )
    handler(make_event("event_bridge_rule"), None)
    work.Film.objects.filter.assert_called_once_with(is_draft=True)


@pytest.mark.skipif(
    shutil.which("node") is None or not SERVERLESS.exists(),
    reason="serverless is not installed; install Node 20 or newer with npm, then run: npm ci",
)
def test_a_queue_in_serverless_yml(tmp_path: Path) -> None:
    """osls takes it, and what it makes of it reports failures message by message."""
    snippet = read_block("yaml", "AWS::SQS::Queue")
    (tmp_path / "serverless.yml").write_text(SERVICE + snippet)
    (tmp_path / "code.zip").write_bytes(b"")
    done = subprocess.run(
        [SERVERLESS, "package", "--package", "package"],
        cwd=tmp_path,
        env=make_environment(tmp_path),
        capture_output=True,
        text=True,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    template = tmp_path / "package" / "cloudformation-template-update-stack.json"
    resources = json.loads(template.read_text())["Resources"]

    [mapping] = find(resources, "AWS::Lambda::EventSourceMapping")
    assert mapping["Properties"]["FunctionResponseTypes"] == ["ReportBatchItemFailures"]
    [schedule] = find(resources, "AWS::Events::Rule")
    assert schedule["Properties"]["Name"] == "nightly"
    [role] = find(resources, "AWS::IAM::Role")
    assert "sqs:DeleteMessage" in json.dumps(role)
    function = yaml.safe_load(snippet)["functions"]["worker"]
    queue = resources["FilmQueue"]["Properties"]
    assert queue["VisibilityTimeout"] == 6 * function["timeout"]
    # Named as the document's code asks.
    assert f'schedule.name == "{schedule["Properties"]["Name"]}"' in DOCUMENT
