import subprocess
import sys

import pytest
from django.urls import get_script_prefix, set_script_prefix

from gateway.work import working
from tests.processes import ROOT

# In a process that has neither Django nor tracing.
PROGRAM = """
import json, sys
from gateway import make_handler
handler = make_handler(None, on_message=lambda message: print(message.body))
handler(json.load(open("tests/events/sqs_batch.json")), None)
print([name for name in ("django", "tracing") if name in sys.modules])
"""


def test_request_before_leaves_no_prefix():
    """The stage of the last request has no part in the links of a message."""
    set_script_prefix("/dev/")

    with working("films"):
        assert get_script_prefix() == "/"


def test_forced_prefix_stays(settings):
    settings.FORCE_SCRIPT_NAME = "/shop/"

    with working("films"):
        assert get_script_prefix() == "/shop/"


def test_failure_passes():
    with pytest.raises(LookupError, match="no film"), working("films"):
        raise LookupError("no film")


def test_work_needs_no_django():
    result = subprocess.run(
        [sys.executable, "-c", PROGRAM], cwd=ROOT, capture_output=True, text=True, check=True
    )

    assert result.stdout.splitlines()[-2:] == ["Metropolis", "[]"]
    assert result.stderr == ""
