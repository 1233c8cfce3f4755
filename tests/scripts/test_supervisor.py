"""The supervisor's patience: what it starts again, when, and when it gives up."""

import os
from collections.abc import Iterator
from pathlib import Path

import pytest
from django.utils import autoreload

from scripts import supervisor as module
from scripts.children import Child
from scripts.stack import RELOAD_STATUS, RELOAD_VARIABLE
from scripts.supervisor import (
    SITE_TRIES,
    Failed,
    Service,
    Stopped,
    StopRequest,
    Supervisor,
    describe_end,
)
from tests.scripts.runs import choose_stack

ENDS = "echo the reason; exit 4"


@pytest.fixture
def supervisor(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, stop_request: StopRequest
) -> Iterator[Supervisor]:
    """A supervisor of nothing yet, who waits a hundredth of the usual time."""
    monkeypatch.setattr(module, "FIRST_DELAY_SECONDS", 0.005)
    monkeypatch.setattr(module, "TICK_SECONDS", 0.005)
    supervisor = Supervisor(choose_stack(tmp_path), os.environ, stop_request)
    supervisor._services = ()
    yield supervisor
    supervisor.stop()


@pytest.fixture
def stop_request() -> StopRequest:
    return StopRequest({})


def make_service(folder: Path, code: str) -> Service:
    child = Child("the site", ["/bin/sh", "-c", code], os.environ.copy(), folder / "a.log")
    return Service(child, is_ready=lambda: True, stop_seconds=1)


def test_watch_gives_up_on_a_site_that_ends_at_once(
    supervisor: Supervisor, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    supervisor._site = make_service(tmp_path, ENDS)
    supervisor._services = (supervisor._site,)
    supervisor._site.child.start(supervisor._guard)

    with pytest.raises(Failed, match=rf"(?s)ended with 4.*reason.*{SITE_TRIES} times in a row"):
        supervisor.watch()

    said = capsys.readouterr().out
    assert said.count("The site ended with 4.") == SITE_TRIES - 1
    assert "It starts again in 0.005 s." in said
    assert "It starts again in 0.04 s." in said


def test_reload_is_as_django_has_it() -> None:
    """What a runserver expects of the process that starts it: Django documents neither."""
    with pytest.raises(SystemExit) as left:
        autoreload.trigger_reload("a.py")

    assert left.value.code == RELOAD_STATUS
    assert autoreload.DJANGO_AUTORELOAD_ENV == RELOAD_VARIABLE


def test_watch_starts_a_changed_site_at_once(
    supervisor: Supervisor, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    site = make_service(tmp_path, f"echo again; exit {RELOAD_STATUS}")
    supervisor._site = site
    site.child.start(supervisor._guard)

    while len(site.child.read_last_lines()) < SITE_TRIES + 1:
        supervisor._watch_service(site)

    assert site.ends == 0
    assert capsys.readouterr().out == ""
    site.child.stop(supervisor._guard, 1)


def test_watch_never_gives_up_on_the_others(
    supervisor: Supervisor,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    stop_request: StopRequest,
) -> None:
    other = make_service(tmp_path, ENDS)
    supervisor._services = (other,)
    other.child.start(supervisor._guard)
    monkeypatch.setattr(module, "LONGEST_DELAY_SECONDS", 0.02)

    def stop_after_some() -> None:
        if other.ends > SITE_TRIES + 2:
            raise Stopped

    monkeypatch.setattr(stop_request, "check", stop_after_some)

    with pytest.raises(Stopped):
        supervisor.watch()


def test_watch_forgets_earlier_ends(
    supervisor: Supervisor, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A site that ran well for a while has all its tries again."""
    monkeypatch.setattr(module, "STEADY_SECONDS", 0.0)
    supervisor._site = make_service(tmp_path, ENDS)
    supervisor._site.ends = SITE_TRIES - 1
    supervisor._site.child.start(supervisor._guard)

    while not supervisor._site.start_at:
        supervisor._watch_service(supervisor._site)

    assert supervisor._site.ends == 1


def test_start_says_what_is_not_ready(supervisor: Supervisor, tmp_path: Path) -> None:
    service = make_service(tmp_path, "echo I hang; exec sleep 60")
    supervisor._services = (service,)
    service.child.start(supervisor._guard)

    with pytest.raises(Failed, match=r"(?s)The site was not ready within 1 s\..*a\.log:\n  I hang"):
        supervisor._wait(service.child, lambda: False, 1)


def test_stop_request_by_the_end_of_make(stop_request: StopRequest) -> None:
    """Whoever kills make means us, too: it runs us, and cannot tell us any more."""
    by_make = StopRequest({"MAKELEVEL": "1"})
    by_make.check()
    by_make._parent = 1

    with pytest.raises(Stopped):
        by_make.check()
    stop_request.check()


def test_describe_end(tmp_path: Path) -> None:
    child = make_service(tmp_path, "").child
    (tmp_path / "a.log").write_text("one\ntwo\n")

    assert describe_end(child, -9) == (
        f"The site was ended by SIGKILL. The end of {tmp_path / 'a.log'}:\n  one\n  two"
    )
