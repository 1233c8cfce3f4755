"""The local settings, with a folder of their own for what a run leaves behind."""

import atexit
import os
import shutil
import tempfile

# Before the import: settings read the environment once. Each xdist worker has its own folder.
os.environ["LOCAL_DIR"] = tempfile.mkdtemp(prefix="movies-tests-")
os.environ.setdefault("XRAY_CONSOLE_URL", "http://127.0.0.1:2000")
# Nothing listens there: a test that wants a daemon brings one (the `daemon` fixture).
os.environ.setdefault("AWS_XRAY_DAEMON_ADDRESS", "127.0.0.1:9")
os.environ["REMOTE_URL"] = os.environ["REMOTE_URL_SECOND"] = "http://127.0.0.1:9/"
os.environ["REMOTE_TIMEOUT_SECONDS"] = "1"

from movies_site.settings_local import *  # noqa: F403

atexit.register(shutil.rmtree, os.environ["LOCAL_DIR"], ignore_errors=True)

# Hashing passwords as slowly as a real site should would be most of the time of the tests.
PASSWORD_HASHERS = ["django.contrib.auth.hashers.MD5PasswordHasher"]
# WhiteNoise warns where there is no such folder.
STATIC_ROOT = os.environ["LOCAL_DIR"]
WHITENOISE_AUTOREFRESH = False
WHITENOISE_USE_FINDERS = False
