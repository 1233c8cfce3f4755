"""Slow at its first start, quick at the second; or slow each time, if told so."""

import os
import time
from pathlib import Path

marker = Path(os.environ["MARKER"])
if not marker.exists() or "ALWAYS" in os.environ:
    marker.touch()
    time.sleep(30)


def answer(event, context):
    return "at last"
