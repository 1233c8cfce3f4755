"""Run requests in a process of their own, with an environment and a daemon of their own.

With TRACING_UNDER_TEST=sdk in the environment those processes have the plain SDK.
"""

import json
import os
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from tests.conftest import Daemon, walk
from tests.tracing.api import IS_PLAIN_SDK
from tests.tracing.forks import Forks
from tracing import xray_recorder

ROOT = Path(__file__).resolve().parents[2]
TRACE_ID = "1-5759e988-bd862e3fe1be46a994272793"
PARENT_ID = "53995c3f42cd8ad8"
ACTIVE = f"Root={TRACE_ID};Parent={PARENT_ID};Sampled=1;Lineage=1:2:3"
UNSAMPLED = f"Root={TRACE_ID};Parent={PARENT_ID};Sampled=0;Lineage=1:2:3"
PASS_THROUGH = f"Root={TRACE_ID};Lineage=1:2:3"


SITE_SETTINGS = "tests.tracing.site_settings" + ("_sdk" if IS_PLAIN_SDK else "")


class ProcessFailed(Exception):
    """A process of a test ended before it had answered."""


@dataclass(frozen=True)
class Run:
    """What a process answered, sent and logged; no answers where it was ended by what it did."""

    answers: list[dict[str, Any]]
    documents: list[dict[str, Any]]
    datagrams: list[bytes]
    log: str

    def names(self) -> list[str]:
        """Return the names of all segments and subsegments sent."""
        return [entity["name"] for document in self.documents for entity in walk(document)]

    def find(self, name: str) -> dict[str, Any]:
        """Return the one segment or subsegment of that name."""
        found = [
            entity
            for document in self.documents
            for entity in walk(document)
            if entity["name"] == name
        ]
        assert len(found) == 1, f"{len(found)} entities are called {name!r}: {self.names()}"
        return found[0]


Runner = Callable[..., Run]


@pytest.fixture(scope="session")
def forks() -> Iterator[Forks]:
    """What the processes of `run` are forked from."""
    forks = Forks(with_the_sdk=IS_PLAIN_SDK)
    yield forks
    forks.stop()


@pytest.fixture
def run(tmp_path: Path, forks: Forks) -> Iterator[Runner]:
    """A function that runs requests in a new process, in server mode unless `trace` is used."""
    daemons = []

    def run_requests(
        *requests: str | dict[str, Any],
        on_lambda: bool = False,
        without: str = "",
        may_fail: bool = False,
        cwd: Path = ROOT,
        **environment: str,
    ) -> Run:
        daemon = Daemon()
        daemons.append(daemon)
        variables = {
            "PATH": os.environ["PATH"],
            "PYTHONPATH": str(ROOT),
            "DJANGO_SETTINGS_MODULE": SITE_SETTINGS,
            "TRACING_UNDER_TEST": "sdk" if IS_PLAIN_SDK else "tracing",
            "LOCAL_DIR": str(tmp_path),
            "AWS_XRAY_DAEMON_ADDRESS": daemon.address,
            **(
                {"LAMBDA_TASK_ROOT": str(ROOT), "AWS_LAMBDA_FUNCTION_NAME": "movies"}
                if on_lambda
                else {}
            ),
            **environment,
        }
        variables.pop(without, None)
        wanted = [item if isinstance(item, dict) else {"path": item} for item in requests]
        process = forks.run([json.dumps(wanted)], cwd=cwd, env=variables, folder=tmp_path)
        if process.returncode and not may_fail:
            raise ProcessFailed(process.stderr)
        # On loopback what a process has sent is there when it has ended.
        datagrams = list(daemon.receive(0.02))
        answers = json.loads(process.stdout or "[]")
        return Run(answers, daemon.documents(), datagrams, process.stderr)

    yield run_requests
    for daemon in daemons:
        daemon.close()


@pytest.fixture
def segment() -> Iterator[Any]:
    """A segment that the calls of a test hang under."""
    segment = xray_recorder.begin_segment("test", sampling=1)
    yield segment
    if xray_recorder.context.get_trace_entity() is not None:
        xray_recorder.end_segment()


def finish(daemon: Daemon) -> list[dict[str, Any]]:
    """End the segment and return the subsegments that arrived."""
    xray_recorder.end_segment()
    (document,) = daemon.documents(1)
    return list(walk(document))[1:]
