"""`make traffic`: browse the running site for a while, so that there are traces to look at.

A few visitors follow the links of the pages, press the lab's buttons, search, and read the API.
SECONDS (60) bounds the time, REQUESTS (5000) their number; SITE_PORT says where the site is.
"""

import itertools
import os
import random
import re
import sys
import threading
import time
from collections import Counter, defaultdict
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from statistics import quantiles
from urllib.parse import unquote

import requests

from scripts.links import BUTTON_PREFIX, Step, find_steps
from scripts.ports import BadPort
from scripts.stack import Stack, answers, read_stack

VISITORS = 4
TIMEOUT_SECONDS = 30.0
PAUSE_SECONDS = (0.02, 0.2)  # between two pages of one visitor
STARTS = ("/", "/app", "/movies/", "/lab/", "/api/", "/api/movies/", "/api/openapi.json", "/readyz")
BAR_WIDTH = 30


@dataclass(frozen=True, slots=True)
class Visit:
    """One request made, and its answer. The status is 0 where there was none."""

    step: Step
    status: int
    duration_ms: float


class Crowd:
    """Visitors who share what they found; each has cookies of its own."""

    def __init__(self, site_url: str, max_seconds: float, max_requests: int) -> None:
        self.visits: list[Visit] = []
        self.started = time.monotonic()
        self.max_seconds = max_seconds
        self.max_requests = max_requests
        self._site_url = site_url
        self._lock = threading.Lock()
        self._is_over = threading.Event()
        self._tickets = itertools.count()
        self._steps: dict[str, set[Step]] = defaultdict(set)
        self._words = {"the"}
        for path in STARTS:
            self._learn({Step(site_url + path)})

    @property
    def share_done(self) -> float:
        """How much of the time or of the requests is used, from 0 to 1."""
        by_time = (time.monotonic() - self.started) / self.max_seconds
        return min(1.0, max(by_time, len(self.visits) / self.max_requests))

    def browse(self, show: Callable[["Crowd"], None]) -> None:
        """Send the visitors out and return when they are back. Ctrl-C calls them back."""
        threads = [threading.Thread(target=self._walk, daemon=True) for _ in range(VISITORS)]
        for thread in threads:
            thread.start()
        try:
            while any(thread.is_alive() for thread in threads):
                show(self)
                time.sleep(0.2)
        except KeyboardInterrupt:
            self._is_over.set()
        show(self)

    def _walk(self) -> None:
        with requests.Session() as session:
            # Proxies of the environment are for the outside.
            session.trust_env = False
            while not self._is_over.is_set() and self.share_done < 1:
                if next(self._tickets) >= self.max_requests:
                    return
                self._visit(session, self._choose())
                self._is_over.wait(random.uniform(*PAUSE_SECONDS))

    def _choose(self) -> Step:
        with self._lock:
            if random.random() < 0.1:
                word = random.choice(sorted(self._words))
                return Step(f"{self._site_url}/movies/?q={word}")
            kind = random.choice(sorted(self._steps))
            return random.choice(sorted(self._steps[kind], key=lambda step: step.url))

    def _visit(self, session: requests.Session, step: Step) -> None:
        if step.form is not None and "csrftoken" not in session.cookies:
            step = Step(self._site_url + BUTTON_PREFIX)  # whose form brings the cookie
        started = time.perf_counter()
        try:
            answer = send(session, step)
            status, steps = answer.status_code, self._read(answer)
        except requests.RequestException:
            status, steps = 0, set()
        visit = Visit(step, status, (time.perf_counter() - started) * 1000)
        with self._lock:
            self.visits.append(visit)
            self._learn(steps)

    def _read(self, answer: requests.Response) -> set[Step]:
        if "Location" in answer.headers:
            link = f'<a href="{answer.headers["Location"]}">'
            return find_steps(answer.url, "text/html", link)
        content_type = answer.headers.get("Content-Type", "")
        return find_steps(answer.url, content_type, answer.text)

    def _learn(self, steps: set[Step]) -> None:
        for step in steps:
            self._steps[step.kind].add(step)
            if step.kind.startswith("/movies/*/*"):
                self._words.update(re.findall(r"[A-Za-z]{4,}", unquote(step.url).split("/")[-2]))


def send(session: requests.Session, step: Step) -> requests.Response:
    """Make one request, the session's own token in its form."""
    form = None
    if step.form is not None:
        form = dict(step.form) | {"csrfmiddlewaretoken": session.cookies["csrftoken"]}
    return session.request(
        "GET" if form is None else "POST",
        step.url,
        data=form,
        timeout=TIMEOUT_SECONDS,
        allow_redirects=False,  # a step of its own: it may lead away from this machine
    )


def show_bar(crowd: Crowd) -> None:
    """Draw how far the crowd is, on a terminal."""
    if sys.stdout.isatty():
        filled = round(crowd.share_done * BAR_WIDTH)
        bar = "█" * filled + "░" * (BAR_WIDTH - filled)
        seconds = time.monotonic() - crowd.started
        print(f"\r{bar} {seconds:3.0f} s, {len(crowd.visits)} requests ", end="", flush=True)


def summarise(visits: list[Visit]) -> str:
    """Return what came of it: how many requests, which statuses, how long they took."""
    times = sorted(visit.duration_ms for visit in visits)
    percentiles = quantiles(times, n=20, method="inclusive") if len(times) > 1 else times * 20
    statuses = Counter(visit.status or "no answer" for visit in visits)
    counts = ", ".join(f"{count} x {status}" for status, count in statuses.most_common())
    kinds = len({visit.step.kind for visit in visits})
    return (
        f"{len(visits)} requests to {kinds} kinds of pages: {counts}.\n"
        f"Half took less than {percentiles[9]:.0f} ms, 95 % less than {percentiles[18]:.0f} ms."
    )


def read_limits(environment: Mapping[str, str]) -> tuple[float, int]:
    """Return how many seconds and how many requests at most. Raises ValueError."""
    limits = []
    for name, default in (("SECONDS", "60"), ("REQUESTS", "5000")):
        text = environment.get(name) or default
        if not (text.isascii() and text.isdigit() and int(text)):
            raise ValueError(f"{name} is {text!r}; expected a number such as {default}.")
        limits.append(int(text))
    return limits[0], limits[1]


def main() -> int:
    """Browse, then say what came of it. Returns 1 if nothing answers."""
    try:
        stack = read_stack(os.environ)
        max_seconds, max_requests = read_limits(os.environ)
    except (BadPort, ValueError) as error:
        print(error, file=sys.stderr)
        return 1
    if not answers(stack.site_url, "/healthz"):
        print(
            f"The site does not answer at {stack.site_url}. "
            "Start it in another terminal: make run (SITE_PORT says where it is, if not at 8000).",
            file=sys.stderr,
        )
        return 1
    crowd = Crowd(stack.site_url, max_seconds, max_requests)
    crowd.browse(show_bar)
    return report(crowd, stack)


def report(crowd: Crowd, stack: Stack) -> int:
    """Say what came of it, and where to look. Returns 1 if no request was answered."""
    print(f"\n{summarise(crowd.visits)}")
    if answers(stack.xray_url, "/"):
        print(f"Their traces are at {stack.xray_url}/")
    return 0 if any(visit.status for visit in crowd.visits) else 1


if __name__ == "__main__":
    sys.exit(main())
