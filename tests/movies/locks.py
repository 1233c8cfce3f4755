"""Vote on, move or delete a film while AWS hangs; print how long another writer of SQL waits.

Then print what was raised. A program of its own: the tests' SQLite is in memory, where writers
don't wait for each other.
"""

import os
import sys
import threading
import time
from concurrent.futures import ThreadPoolExecutor

import django

sys.path.insert(0, os.getcwd())
os.environ["DJANGO_SETTINGS_MODULE"] = "movies_site.settings_local"
django.setup()

from django.contrib.auth.models import User  # noqa: E402
from django.core.management import call_command  # noqa: E402

from movies import catalogue, edits, reviews  # noqa: E402
from movies.aws import ONCE  # noqa: E402
from movies.fields import MovieFields  # noqa: E402
from movies.transactions import BESIDE_SQL  # noqa: E402
from tests.movies.films import hanging  # noqa: E402

call_command("migrate", verbosity=0)
user = User.objects.create_user("trinity")
film = catalogue.add_movie(MovieFields(1999, "The Matrix"))
ACTS = {
    "vote": lambda: reviews.cast_vote(user, film.key, 5),
    "move": lambda: edits.change_movie(film.key, MovieFields(2000, "x"), version=film.version),
    "delete": lambda: edits.delete_movie(film.key, version=film.version),
}


def write_meanwhile(was_asked: threading.Event) -> float:
    """Return how many seconds a write takes that begins once AWS was asked."""
    was_asked.wait(10)
    started = time.monotonic()
    User.objects.create_user("morpheus")
    return time.monotonic() - started


with (
    hanging("TransactWriteItems", BESIDE_SQL) as written,
    hanging("UpdateItem", ONCE) as counted,
    ThreadPoolExecutor(1) as pool,
):
    act = sys.argv[1]
    job = pool.submit(ACTS[act])
    waited_seconds = write_meanwhile(counted if act == "vote" else written)
    raised = job.exception()
sys.stdout.write(f"{waited_seconds:.3f} {type(raised).__name__}\n")
