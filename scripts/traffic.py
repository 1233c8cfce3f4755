"""`make traffic`: browse the running site for a while, so that there are traces to look at.

A few visitors follow the links of the pages and the lab's buttons, search, and read the API.
SECONDS (60) bounds the time, REQUESTS (5000) their number. The site is that of `make run` or of
`make lambda`, whichever answers, or the one at SITE_URL.
"""

import itertools
import json
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
from urllib.parse import unquote, urlsplit

import requests

from scripts.links import find_links, name_kind, resolve
from scripts.ports import BadPort
from scripts.stack import Stack, answers, read_stack

VISITORS = 4
TIMEOUT_SECONDS = 30.0
PAUSE_SECONDS = (0.02, 0.2)  # between two pages of one visitor
STARTS = ("/", "/app", "/movies/", "/lab/", "/api/", "/api/movies/", "/api/openapi.json", "/readyz")
SEARCH_SHARE = 0.1  # of the visits
BAR_WIDTH = 30


class NoSite(Exception):
    """There is nothing to browse."""


@dataclass(frozen=True, slots=True)
class Visit:
    """One request made, and its answer. The status is 0 where there was none.

    path: within the site, so without a stage.
    """

    path: str
    status: int
    duration_ms: float


class Crowd:
    """Visitors who share what they found; each has cookies of its own.

    root: where the site begins, such as 'http://127.0.0.1:3000/dev/'.
    """

    def __init__(self, root: str, max_seconds: float, max_requests: int) -> None:
        self.visits: list[Visit] = []
        self.started = time.monotonic()
        self.max_seconds = max_seconds
        self.max_requests = max_requests
        self._root = root
        self._lock = threading.Lock()
        self._end = threading.Event()
        self._tickets = itertools.count()
        self._paths: dict[str, set[str]] = defaultdict(set)
        self._words = {"the"}
        self._learn(set(STARTS))

    @property
    def share_done(self) -> float:
        """How much of the time or of the requests is used, from 0 to 1."""
        by_time = (time.monotonic() - self.started) / self.max_seconds
        return min(1.0, max(by_time, len(self.visits) / self.max_requests))

    @property
    def is_over(self) -> bool:
        """Whether the visitors are called back."""
        return self._end.is_set()

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
            self._end.set()
        show(self)

    def _walk(self) -> None:
        with requests.Session() as session:
            # Proxies of the environment are for the outside.
            session.trust_env = False
            while not self.is_over and self.share_done < 1:
                if next(self._tickets) >= self.max_requests:
                    return
                self._visit(session, self._choose())
                self._end.wait(random.uniform(*PAUSE_SECONDS))

    def _choose(self) -> str:
        with self._lock:
            if random.random() < SEARCH_SHARE:
                return f"/movies/?q={random.choice(sorted(self._words))}"
            kinds = sorted(self._paths)
            weights = [3 if kind.startswith("/movies/") else 1 for kind in kinds]
            [kind] = random.choices(kinds, weights)
            return random.choice(sorted(self._paths[kind]))

    def _visit(self, session: requests.Session, path: str) -> None:
        url = self._root + path[1:]
        started = time.perf_counter()
        try:
            # A redirect is a visit of its own: it may lead away from this machine.
            answer = session.get(url, timeout=TIMEOUT_SECONDS, allow_redirects=False)
            status, links = answer.status_code, _read_links(answer, self._root)
        except requests.RequestException:
            status, links = 0, set()
        visit = Visit(path, status, (time.perf_counter() - started) * 1000)
        with self._lock:
            self.visits.append(visit)
            self._learn({link[len(self._root) - 1 :] for link in links})

    def _learn(self, paths: set[str]) -> None:
        for path in paths:
            kind = name_kind(path)
            self._paths[kind].add(path)
            if kind.startswith("/movies/*/*"):
                title = unquote(path).split("/")[3]
                self._words.update(re.findall(r"[A-Za-z]{4,}", title))


def _read_links(answer: requests.Response, root: str) -> set[str]:
    if "Location" in answer.headers:
        link = json.dumps(resolve(answer.url, answer.headers["Location"]))
        return find_links(answer.url, "application/json", link, root)
    return find_links(answer.url, answer.headers.get("Content-Type", ""), answer.text, root)


def show_bar(crowd: Crowd) -> None:
    """Draw how far the crowd is, on a terminal."""
    if sys.stdout.isatty():
        filled = round(crowd.share_done * BAR_WIDTH)
        bar = "█" * filled + "░" * (BAR_WIDTH - filled)
        seconds = time.monotonic() - crowd.started
        print(f"\r{bar} {seconds:3.0f} s, {len(crowd.visits)} requests ", end="", flush=True)


def summarise(visits: list[Visit]) -> str:
    """Return what came of it: how many requests, which statuses, how long they took."""
    if not visits:
        return "No requests."
    times = sorted(visit.duration_ms for visit in visits)
    percentiles = quantiles(times, n=20, method="inclusive") if len(times) > 1 else times * 20
    statuses = Counter(visit.status or "no answer" for visit in visits)
    counts = ", ".join(f"{count} x {status}" for status, count in statuses.most_common())
    failed = {urlsplit(visit.path).path for visit in visits if visit.status >= 500}
    silent = {urlsplit(visit.path).path for visit in visits if not visit.status}
    lines = [
        f"{len(visits)} requests to {len({name_kind(visit.path) for visit in visits})} kinds of "
        f"pages: {counts}.",
        f"Half took less than {percentiles[9]:.0f} ms, 95 % less than {percentiles[18]:.0f} ms.",
    ]
    if failed:
        is_meant = all(path.startswith("/lab/") for path in failed)
        end = ", as the lab is meant to." if is_meant else "."
        lines.append(f"Failed: {', '.join(sorted(failed))}{end}")
    if silent:
        lines.append(f"Gave no answer: {', '.join(sorted(silent))}.")
    return "\n".join(lines)


def read_limits(environment: Mapping[str, str]) -> tuple[float, int]:
    """Return how many seconds and how many requests at most. Raises ValueError."""
    limits = []
    for name, default in (("SECONDS", "60"), ("REQUESTS", "5000")):
        text = environment.get(name) or default
        if not (text.isascii() and text.isdigit() and int(text)):
            raise ValueError(f"{name} is {text!r}; expected a number such as {default}.")
        limits.append(int(text))
    return limits[0], limits[1]


def find_root(environment: Mapping[str, str]) -> str:
    """Return where the site begins: SITE_URL, or what answers of `make run` and `make lambda`.

    Raises BadPort, ValueError for a SITE_URL that is none, and NoSite.
    """
    chosen = environment.get("SITE_URL")
    if chosen and urlsplit(chosen).scheme not in ("http", "https"):
        raise ValueError(
            f"SITE_URL is {chosen!r}; expected one such as http://127.0.0.1:3000/dev/."
        )
    stacks = [read_stack(environment, is_lambda=is_lambda) for is_lambda in (False, True)]
    known = [chosen] if chosen else [f"{stack.site_url}{stack.site_root}" for stack in stacks]
    roots = [f"{url.rstrip('/')}/" for url in known]
    for root in roots:
        if is_site(root):
            return root
    raise NoSite(
        f"The site does not answer at {' nor at '.join(roots)}. Start it in another terminal: "
        "make run, or make lambda (SITE_URL says where it is, if elsewhere)."
    )


def is_site(root: str) -> bool:
    """Say whether the site begins there."""
    with requests.Session() as session:
        session.trust_env = False
        try:
            return session.get(f"{root}healthz", timeout=5).ok
        except requests.RequestException:
            return False


def main() -> int:
    """Browse, then say what came of it. Returns 1 if nothing answers."""
    try:
        max_seconds, max_requests = read_limits(os.environ)
        root = find_root(os.environ)
    except (BadPort, NoSite, ValueError) as error:
        print(error, file=sys.stderr)
        return 1
    crowd = Crowd(root, max_seconds, max_requests)
    crowd.browse(show_bar)
    return report(crowd, read_stack(os.environ))


def report(crowd: Crowd, stack: Stack) -> int:
    """Say what came of it, and where to look. Returns 1 if no request was answered."""
    print(f"\n{summarise(crowd.visits)}")
    if answers(stack.xray_url, "/"):
        print(f"Their traces are at {stack.xray_url}/")
    return 0 if any(visit.status for visit in crowd.visits) else 1


if __name__ == "__main__":
    sys.exit(main())
