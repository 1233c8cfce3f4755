"""The keys are the SDK's, with its defaults; test_settings.py reads right and wrong values."""

import json
import subprocess
import sys

import pytest

from tracing.keys import KEYS, OWN_SETTINGS, Key


def test_every_key_of_the_sdk_is_read_with_its_default() -> None:
    script = (
        "import json; from django.conf import settings; settings.configure(); import django; "
        "from aws_xray_sdk.ext.django.conf import DEFAULTS; print(json.dumps(DEFAULTS))"
    )
    run = subprocess.run(
        [sys.executable, "-c", script], capture_output=True, text=True, check=True, timeout=60
    )
    theirs = json.loads(run.stdout)

    ours = {key.name: key.default for key in KEYS}
    assert ours.keys() == theirs.keys()
    assert {name: list(value) if value == () else value for name, value in ours.items()} == theirs


@pytest.mark.parametrize("key", [*KEYS, *OWN_SETTINGS], ids=lambda key: key.name)
def test_a_default_is_right_itself(key: Key) -> None:
    if key.default is not None:
        assert key.read(key.default) == key.default
