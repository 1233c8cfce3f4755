"""Load films into the catalogue: those that ship with the site, or those of a file."""

import argparse
import json
import sys
import threading
import time
from collections.abc import Callable, Iterable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor, as_completed
from pathlib import Path
from typing import Any, TextIO, TypeVar

from django.core.management.base import BaseCommand, CommandError

from movies import indexing, seeding
from movies.errors import AWSRefused, BadInput, Throttled
from movies.fields import MovieFields

FILMS = Path(__file__).resolve().parents[2] / "data" / "films.json"
THREADS = 8
# The films' table takes about one film a second for ever, and more at first.
THROTTLED_ATTEMPTS, THROTTLED_PAUSE_SECONDS = 60, 1
BAR_CHARS = 40

F = TypeVar("F")
T = TypeVar("T")


class Command(BaseCommand):
    help = (
        "Loads films into the catalogue. Safe to repeat: films that were loaded once are left as "
        "editors made them, even where they were deleted or renamed."
    )
    requires_system_checks = ()

    def add_arguments(self, parser: argparse.ArgumentParser) -> None:
        parser.add_argument(
            "--file",
            type=Path,
            default=FILMS,
            help="a JSON list of films, each with year and title at least (default: our own list)",
        )

    def handle(self, *args: Any, **options: Any) -> None:
        started = time.monotonic()
        films = read_films(options["file"])
        if options["file"] == FILMS:
            films.append(seeding.SAMPLE)
        try:
            self._complete_index()
            seeded = seeding.find_seeded()
            missing = [film for film in films if film.key not in seeded]
            results = _do_all(seeding.seed_movie, missing)
            added = sum(show_progress(results, len(missing), "Loading", sys.stderr))
        except AWSRefused as error:
            raise CommandError(error.details) from error
        self.stdout.write(
            f"Films: {added} added, {len(films) - added} left as they were "
            f"({time.monotonic() - started:.1f} s)."
        )

    def _complete_index(self) -> None:
        """Have every film found again where the table MovieTerms was lost."""
        if indexing.is_complete():
            return
        movies = list(indexing.scan_movies())
        results = _do_all(indexing.index_movie, movies)
        for _ in show_progress(results, len(movies), "Indexing", sys.stderr):
            pass
        indexing.mark_complete()
        if movies:
            self.stdout.write(f"Films: {len(movies)} indexed again.")


def read_films(path: Path) -> list[MovieFields]:
    """Return the films of a file. Raises CommandError that names every wrong one."""
    try:
        entries = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        raise CommandError(f"Could not read films from {path}: {error}") from error
    if not isinstance(entries, list):
        raise CommandError(f"Expected a JSON list of films in {path}.")
    films: dict[tuple[int, str], MovieFields] = {}
    wrong: list[str] = []
    for place, entry in enumerate(entries):
        try:
            film = MovieFields.from_untrusted(entry)
        except BadInput as error:
            wrong.append(f"Film {place} is wrong: {error}")
        else:
            films[film.year, film.title] = film
    if wrong:
        raise CommandError(f"Nothing was loaded from {path}.\n" + "\n".join(wrong))
    return list(films.values())


def _do_all(act: Callable[[F], T], films: Sequence[F]) -> Iterator[T]:
    """Do something to all films, several at once; yield what each gave, as it is done."""
    # Set by whoever is refused: the others need not be refused too.
    refused = threading.Event()

    def do(film: F) -> list[T]:
        if refused.is_set():
            return []
        try:
            return [_do_patiently(act, film)]
        except BaseException:
            refused.set()
            raise

    with ThreadPoolExecutor(THREADS) as pool:
        jobs = [pool.submit(do, film) for film in films]
        try:
            for job in as_completed(jobs):
                yield from job.result()
        finally:
            # After a refusal or Ctrl-C, what has not begun never will.
            pool.shutdown(wait=True, cancel_futures=True)


def _do_patiently(act: Callable[[F], T], film: F) -> T:
    """Do something to a film; where the table has no capacity left, wait until it has."""
    for _ in range(THROTTLED_ATTEMPTS - 1):
        try:
            return act(film)
        except Throttled:
            time.sleep(THROTTLED_PAUSE_SECONDS)
    return act(film)


def show_progress(results: Iterable[T], total: int, verb: str, stream: TextIO) -> Iterator[T]:
    """Pass the results on, with a bar on the stream where it is a terminal."""
    for done, result in enumerate(results, start=1):
        if stream.isatty():
            filled = BAR_CHARS * done // total
            bar = "#" * filled + "." * (BAR_CHARS - filled)
            end = "\n" if done == total else ""
            stream.write(f"\r{verb} films [{bar}] {done}/{total}{end}")
            stream.flush()
        yield result
