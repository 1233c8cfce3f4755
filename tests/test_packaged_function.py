"""The zip, unpacked and run: by the real runtime client, with the Python that it was made for."""

import json
import os
import platform
import re
import shutil
import subprocess
import sys
import uuid
import zipfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from packaged_bytecode import split
from scripts import package
from scripts.package_compile import BYTECODE
from scripts.package_python import PythonNotFound, find_python
from tests.gateway.examples import Event, make_event
from tests.lambda_runtime import Function, run_function
from tests.movies.remotes import answering, serving
from tests.postgresql import find_initdb, run_postgresql
from tests.processes import ROOT

# Lambda's wheels run on Linux only.
pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="The package is for Linux.")

ARCHITECTURE = "arm64" if platform.machine() in ("aarch64", "arm64") else "x86_64"
# A pyc's second word: hash-based, and the source is not looked at.
# https://peps.python.org/pep-0552/
UNCHECKED_HASH = 0b01

# With the function's environment, as `{"manage": ["migrate"]}` would.
SET_UP = """
import django; django.setup()
from django.core.management import call_command
from movies.catalogue import add_movie
from movies.fields import MovieFields
call_command("check", fail_level="WARNING")
call_command("migrate", verbosity=0)
call_command("set_up")
add_movie(MovieFields.from_untrusted({"year": 1999, "title": "The Matrix"}))
"""
MIGRATE = """
from django.core.management import execute_from_command_line
execute_from_command_line(["django-admin", "migrate"])
"""
# Prints what cannot be imported, as name and what it lacks.
IMPORT_ALL = """
import importlib, json, sys
import django; django.setup()
lacking = {}
for name in json.load(sys.stdin):
    try:
        importlib.import_module(name)
    except ModuleNotFoundError as error:
        lacking[name] = error.name
    except Exception:
        # Models of apps that are not installed, modules for other systems.
        pass
print(json.dumps(lacking))
"""


@dataclass
class Package:
    """A zip, where it was unpacked, and the Python that it is for."""

    archive: zipfile.ZipFile
    task_dir: Path
    python: Path
    version: str
    said: str

    def run(self, code: str, variables: dict[str, str], text: str = "") -> str:
        """Run code in the function's folder, with nothing of this machine's packages."""
        done = subprocess.run(
            [self.python, "-S", "-W", "error", "-c", f"import packaged_bytecode\n{code}"],
            cwd=self.task_dir,
            env={"PATH": os.environ["PATH"], "PYTHONDONTWRITEBYTECODE": "1"} | variables,
            input=text,
            capture_output=True,
            text=True,
        )
        assert done.returncode == 0, done.stderr
        return done.stdout


def build(checkout: Path, folder: Path, python: Path, version: str, *flags: str, seed: str) -> str:
    """Make the zip as `make package` does, but elsewhere; return what that said."""
    command: list[str | Path] = [sys.executable, "-m", "scripts.package", *flags]
    command += ["--architecture", ARCHITECTURE, "--python-version", version, "--python", python]
    command += ["--folder", folder / "function", "--artifact", folder / "movies.zip"]
    done = subprocess.run(
        command,
        cwd=checkout,
        env=os.environ | {"PYTHONHASHSEED": seed},
        capture_output=True,
        text=True,
    )
    assert done.returncode == 0, done.stderr
    return done.stdout


@pytest.fixture(scope="module")
def interpreter() -> tuple[Path, str]:
    """The function's Python; where there is none, the one that runs these tests."""
    try:
        return find_python(package.PYTHON_VERSION), package.PYTHON_VERSION
    except PythonNotFound:
        return Path(sys.executable), "{}.{}".format(*sys.version_info)


@pytest.fixture(scope="module")
def checkout(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A copy of what packaging reads, so that nobody edits it between two builds."""
    checkout = tmp_path_factory.mktemp("checkout")
    package.copy_sources(checkout)
    shutil.copytree(ROOT / "scripts", checkout / "scripts")
    shutil.copy(ROOT / "requirements.txt", checkout)
    return checkout


@pytest.fixture(scope="module")
def packaged(
    checkout: Path, interpreter: tuple[Path, str], tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Package]:
    """The zip for this machine's processor, unpacked."""
    with unpack(checkout, tmp_path_factory.mktemp("package"), interpreter, seed="1") as packaged:
        yield packaged


@pytest.fixture(scope="module")
def with_driver(
    checkout: Path, interpreter: tuple[Path, str], tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Package]:
    """The zip for a site with PostgreSQL, made in another folder and another order of sets."""
    folder = tmp_path_factory.mktemp("with_driver")
    with unpack(checkout, folder, interpreter, "--postgresql", seed="2") as packaged:
        yield packaged


@contextmanager
def unpack(
    checkout: Path, folder: Path, interpreter: tuple[Path, str], *flags: str, seed: str
) -> Iterator[Package]:
    said = build(checkout, folder, *interpreter, *flags, seed=seed)
    task_dir = folder / "var" / "task"
    with zipfile.ZipFile(folder / "movies.zip") as archive:
        archive.extractall(task_dir)
        yield Package(archive, task_dir, *interpreter, said)


@pytest.fixture(scope="module")
def variables(embedded_aws: str, tmp_path_factory: pytest.TempPathFactory) -> dict[str, str]:
    """The environment that serverless.yml gives the function, with SQL."""
    suffix = uuid.uuid4().hex[:12]
    return {
        "DJANGO_SETTINGS_MODULE": "movies_site.settings",
        "DJANGO_SECRET_KEY": "a-long-random-string-for-the-tests-of-the-package-and-no-more",
        "DJANGO_ALLOWED_HOSTS": ".execute-api.eu-west-1.amazonaws.com",
        "DATABASE_URL": f"sqlite:///{tmp_path_factory.mktemp('sql')}/site.sqlite3",
        "MOVIES_TABLE": f"Movies-{suffix}",
        "MOVIES_TERMS_TABLE": f"MovieTerms-{suffix}",
        "POSTERS_BUCKET": f"posters-{suffix}",
        "AWS_ENDPOINT_URL": embedded_aws,
        "AWS_REGION": "eu-west-1",
        "AWS_ACCESS_KEY_ID": "test",
        "AWS_SECRET_ACCESS_KEY": "test",
        "STAGE": "dev",
    }


@pytest.fixture(scope="module")
def runtime_client(packaged: Package, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder with awslambdaric for the function's Python, which the runtime brings along."""
    folder = tmp_path_factory.mktemp("runtime")
    command: list[str | Path] = [sys.executable, "-m", "uv", "pip", "install", "--quiet"]
    command += ["--target", folder, "--python-version", packaged.version, "--only-binary", ":all:"]
    command += ["--python-platform", package.PLATFORMS[ARCHITECTURE]]
    command += ["-c", ROOT / "requirements-dev.txt", "awslambdaric"]
    subprocess.run(command, check=True)
    return folder


@pytest.fixture(scope="module")
def function(
    packaged: Package,
    variables: dict[str, str],
    runtime_client: Path,
    tmp_path_factory: pytest.TempPathFactory,
) -> Iterator[Function]:
    packaged.run(SET_UP, variables)
    log_path = tmp_path_factory.mktemp("log") / "function.log"
    with (
        serving(answering("HTTP/1.1 200 OK\nContent-Length: 2\nConnection: close\n\nok")) as remote,
        run_function(
            packaged.task_dir,
            log_path,
            python=(packaged.python, "-S"),
            PYTHONPATH=str(runtime_client),
            REMOTE_URL=remote,
            REMOTE_URL_SECOND=remote,
            **variables,
        ) as function,
    ):
        yield function


def make_request(path: str) -> Event:
    event = make_event("rest_api_get", path=path, httpMethod="GET")
    event |= {"queryStringParameters": None, "multiValueQueryStringParameters": None}
    event["requestContext"] |= {"path": f"/dev{path}", "httpMethod": "GET"}
    return event


def ask(function: Function, path: str) -> dict[str, Any]:
    response: dict[str, Any] = function.invoke(make_request(path))
    return response


@pytest.mark.parametrize(
    ("path", "text"),
    [
        ("/", "<h1"),
        ("/app", '"s3"'),
        ("/movies/", "<h1"),
        ("/movies/1999/The%20Matrix/", "The Matrix"),
        ("/api/movies/1999/The%20Matrix/", "The Matrix"),
        ("/accounts/sign-up/", "csrfmiddlewaretoken"),
        ("/admin/login/", "Username"),
        ("/readyz", ""),
    ],
)
def test_pages(function: Function, path: str, text: str):
    response = ask(function, path)

    assert response["statusCode"] == 200, function.read_log()
    assert text in response["body"]


@pytest.mark.parametrize("page", ["/movies/", "/admin/login/"])
def test_every_static_file_of_a_page(function: Function, page: str):
    links = re.findall(r'(?:href|src)="/dev(/static/[^"]*)"', ask(function, page)["body"])

    assert links
    for link in links:
        response = ask(function, link)
        assert response["statusCode"] == 200, link
        assert "immutable" in response["multiValueHeaders"]["Cache-Control"][0]


def test_nothing_that_is_left_imports_what_is_left_out(
    packaged: Package, variables: dict[str, str]
):
    names = sorted(list_modules(packaged.archive))

    lacking = json.loads(packaged.run(IMPORT_ALL, variables, json.dumps(names)))

    tops = {name.partition(".")[0] for name in names}
    assert len(names) > 900
    assert {
        name: missing for name, missing in lacking.items() if missing.partition(".")[0] in tops
    } == {}


def list_modules(archive: zipfile.ZipFile) -> set[str]:
    """Return the names of the modules in a zip that are made to be imported."""
    packed, _ = split(memoryview(archive.read(BYTECODE)))
    paths = [Path(name) for name in archive.namelist() if "__pycache__" not in name]
    modules = {
        ".".join(path.with_suffix("").parts).removesuffix(".__init__")
        for path in paths
        if path.suffix in (".py", ".pyc")
    }
    return {name for name in modules | packed.keys() if not name.endswith("__main__")}


def read_codes(archive: zipfile.ZipFile) -> dict[str, bytes]:
    """Return each module's bytecode in the one file."""
    index, code = split(memoryview(archive.read(BYTECODE)))
    return {
        name: bytes(code[start : start + length]) for name, (start, length, _, _) in index.items()
    }


def test_bytecode_is_the_functions_and_never_stale(packaged: Package):
    magic = packaged.run(
        "import importlib.util; print(importlib.util.MAGIC_NUMBER.hex())", variables={}
    )

    names = [name for name in packaged.archive.namelist() if name.endswith(".pyc")]
    content = packaged.archive.read(BYTECODE)

    assert content[:4].hex() == magic.strip()
    assert len(split(memoryview(content))[0]) > 900
    assert names
    for name in names:
        head = packaged.archive.read(name)[:8]
        assert head[:4].hex() == magic.strip(), name
        assert int.from_bytes(head[4:], "little") == UNCHECKED_HASH, name


def test_our_own_sources_stay_beside_their_bytecode(packaged: Package, checkout: Path):
    names = set(packaged.archive.namelist())
    sources = {name for name in names if name.endswith(".py")}

    expected = {
        path.relative_to(checkout).as_posix()
        for name in package.SHIPPED
        for path in ([checkout / name] if name.endswith(".py") else (checkout / name).rglob("*.py"))
    }
    assert sources == expected
    tag = f"cpython-{packaged.version.replace('.', '')}"
    packed = {
        file for _, _, file, _ in split(memoryview(packaged.archive.read(BYTECODE)))[0].values()
    }
    for source in map(Path, sources - packed):
        assert f"{source.parent / '__pycache__' / source.stem}.{tag}.pyc" in names


def test_traceback_shows_our_line(packaged: Package, variables: dict[str, str]):
    code = """
import traceback
from movies_site.environment import read_number
import os; os.environ["N"] = "many"
try:
    read_number("N", 1.0)
except Exception:
    print(traceback.format_exc())
"""
    assert "movies_site/environment.py" in (said := packaged.run(code, variables))
    assert re.search(r'environment\.py", line \d+, in read_number\n    \w+', said)


def test_the_same_input_makes_the_same_bytes(packaged: Package, with_driver: Package):
    """All that is in both zips is equal; only the driver is in one."""
    ours, theirs = (
        {
            entry.filename: (entry.CRC, entry.date_time, entry.external_attr)
            for entry in one.archive.infolist()
            if not entry.filename.startswith("psycopg2") and entry.filename != BYTECODE
        }
        for one in (packaged, with_driver)
    )
    codes, their_codes = (
        {name: code for name, code in read_codes(one.archive).items() if "psycopg2" not in name}
        for one in (packaged, with_driver)
    )

    assert ours == theirs
    assert codes == their_codes
    assert len(with_driver.archive.namelist()) > len(theirs)


@pytest.mark.skipif(find_initdb() is None, reason="needs PostgreSQL: apt-get install postgresql")
def test_migrate_on_postgresql(with_driver: Package, variables: dict[str, str]):
    with run_postgresql() as url:
        said = with_driver.run(MIGRATE, variables | {"DATABASE_URL": url})

    assert "Applying movies.0001_initial... OK" in said


def test_report_names_packages_and_the_whole(packaged: Package):
    lines = packaged.said.splitlines()

    assert re.fullmatch(r"django +\d+ +\d+", lines[1])
    assert re.fullmatch(r".*movies\.zip: \d\.\d\d MB, \d+ files\.", lines[-1])


def test_metadata_tells_versions(packaged: Package, variables: dict[str, str]):
    code = "import importlib.metadata as m; print(m.version('Django'), m.version('django-csp'))"
    requirements = (ROOT / "requirements.txt").read_text()

    django, csp = packaged.run(code, variables).split()

    assert f"django=={django} " in requirements
    assert f"django-csp=={csp} " in requirements
