"""Make the function's zip: python -m scripts.package (`npx serverless deploy` calls it).

The same input gives the same bytes. Everything is for the function's Python and processor, whatever
this machine's are. docs/decisions/0006-a-package-of-what-is-used.md tells what is left out.
"""

import argparse
import json
import os
import shutil
import subprocess
import sys
import zipfile
from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from packaged_bytecode import split
from scripts.package_compile import BYTECODE
from scripts.package_python import PythonNotFound, find_python, is_python
from scripts.package_trim import SiteSettings, trim, trim_static_files

ROOT = Path(__file__).resolve().parent.parent
FUNCTION_DIR = ROOT / "build" / "function"
ARTIFACT = ROOT / "build" / "movies.zip"

# As in serverless.yml: runtime python3.13 (Amazon Linux 2023, glibc 2.34), architecture arm64.
PYTHON_VERSION = "3.13"
ARCHITECTURE = "arm64"
PLATFORMS = {"arm64": "aarch64-manylinux_2_28", "x86_64": "x86_64-manylinux_2_28"}
SHIPPED = (
    "movies",
    "movies_site",
    "gateway",
    "tracing",
    "lambda_entry.py",
    "packaged_bytecode.py",
)
POSTGRESQL_DRIVER = "psycopg2-binary"
# What a cold start fetches and unpacks. PostgreSQL's client, in C with OpenSSL and Kerberos, has a
# budget of its own: nothing of it can be left out.
BUDGET_BYTES = 7_000_000
POSTGRESQL_BUDGET_BYTES = 6_500_000
# The report sums up packages smaller than this.
REPORTED_BYTES = 50_000
# The oldest date that a zip entry can have.
DATE = (1980, 1, 1, 0, 0, 0)
FILE_MODE = 0o100644

READ_SETTINGS = """
import json
from django.conf import settings
from django.utils.translation import to_locale
is_chosen = "django.middleware.locale.LocaleMiddleware" in settings.MIDDLEWARE
codes = [code for code, _ in settings.LANGUAGES] if is_chosen else [settings.LANGUAGE_CODE]
locales = {to_locale(code) for code in codes}
# The first is Django's own language; a country's is a change to its language's.
locales |= {"en"} | {name.partition("_")[0] for name in locales}
print(json.dumps([list(settings.INSTALLED_APPS), sorted(locales)]))
"""


class BudgetExceeded(Exception):
    """The zip is larger than what was allowed."""

    def __init__(self, size_bytes: int, budget_bytes: int) -> None:
        super().__init__(
            f"The zip has {size_bytes / 1e6:.2f} MB, and its budget is {budget_bytes / 1e6:.2f} "
            "MB. Leave something out (scripts/package_trim.py), or raise the budget in "
            "scripts/package.py and say why."
        )


@dataclass(slots=True)
class Size:
    """What a package takes, in bytes."""

    zipped: int = 0
    unpacked: int = 0


def main(arguments: Sequence[str] | None = None) -> None:
    """Make the zip; say where it is, how large, and what takes how much of it."""
    options = read_options(arguments)
    try:
        build(options)
    except (PythonNotFound, BudgetExceeded) as error:
        sys.exit(str(error))


def read_options(arguments: Sequence[str] | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        prog="python -m scripts.package", description="Make the function's zip."
    )
    add = parser.add_argument
    add("--postgresql", action="store_true", help="with PostgreSQL's driver (5.9 MB more)")
    add("--architecture", choices=sorted(PLATFORMS), default=ARCHITECTURE)
    add("--python-version", default=PYTHON_VERSION, metavar="X.Y", help="the function's Python")
    add("--python", type=Path, metavar="PATH", help="a Python of that version; found, unless given")
    add("--folder", type=Path, default=FUNCTION_DIR, help="what is zipped; it is emptied first")
    add("--artifact", type=Path, default=ARTIFACT, help="the zip")
    return parser.parse_args(arguments)


def build(options: argparse.Namespace) -> None:
    """Copy, collect, install, trim, compile, zip and report.

    Raises PythonNotFound, before anything is changed, and BudgetExceeded, when the zip is made.
    """
    version = options.python_version
    python = options.python or find_python(version)
    if not is_python(python, version):
        raise PythonNotFound(version)
    folder = options.folder.resolve()
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(parents=True)
    copy_sources(folder)
    # With this machine's Django: the function's, which comes next, may be for another processor.
    settings = read_settings(folder)
    collect_static_files(folder)
    trim_static_files(folder / "staticfiles", settings)
    install_requirements(
        folder, version, PLATFORMS[options.architecture], with_postgresql=options.postgresql
    )
    trim(folder, settings)
    compile_sources(folder, python)
    count = write_zip(folder, options.artifact)
    report(options.artifact, count)
    budget = BUDGET_BYTES + (POSTGRESQL_BUDGET_BYTES if options.postgresql else 0)
    check_budget(options.artifact, budget)


def copy_sources(folder: Path) -> None:
    """Copy what of this repository runs on Lambda."""
    for name in SHIPPED:
        source = ROOT / name
        if source.is_dir():
            shutil.copytree(source, folder / name, ignore=shutil.ignore_patterns("__pycache__"))
        else:
            shutil.copy(source, folder)


def make_environment(folder: Path) -> dict[str, str]:
    """Return an environment in which the settings in the folder can be read."""
    return os.environ | {
        "DJANGO_SETTINGS_MODULE": "movies_site.settings",
        "DJANGO_SECRET_KEY": "only-to-collect-static-files",
        "PYTHONDONTWRITEBYTECODE": "1",
        # Nothing asks it: where there is SQL there is the administration, whose files are wanted.
        "DATABASE_URL": "sqlite://:memory:",
        # Whatever the terminal names: the zip must hold them.
        "STATIC_ROOT": str(folder / "staticfiles"),
    }


def read_settings(folder: Path) -> SiteSettings:
    """Return what trimming must know of the settings in the folder."""
    done = subprocess.run(
        [sys.executable, "-c", READ_SETTINGS],
        cwd=folder,
        env=make_environment(folder),
        check=True,
        stdout=subprocess.PIPE,
    )
    return SiteSettings(*json.loads(done.stdout))


def collect_static_files(folder: Path) -> None:
    """Collect static files into the folder, hashed and compressed, by the settings in it."""
    command = [sys.executable, "-m", "django", "collectstatic", "--no-input", "--verbosity", "0"]
    subprocess.run(command, cwd=folder, env=make_environment(folder), check=True)


def install_requirements(
    folder: Path, version: str, platform: str, *, with_postgresql: bool
) -> None:
    """Install what requirements.txt pins, as wheels for the function's machine."""
    command: list[str | Path] = [sys.executable, "-m", "uv", "pip", "install", "--quiet"]
    command += ["--target", folder, "--python-version", version, "--python-platform", platform]
    command += ["--only-binary", ":all:", "--require-hashes", "--link-mode", "copy"]
    # requirements.txt is complete; without the driver it would still be resolved.
    command += ["--no-deps", "-r", "-"]
    requirements = (ROOT / "requirements.txt").read_text()
    if not with_postgresql:
        requirements = without_requirement(requirements, POSTGRESQL_DRIVER)
    subprocess.run(command, input=requirements, text=True, cwd=ROOT, check=True)


def without_requirement(requirements: str, name: str) -> str:
    """Return the text of a requirements file without one requirement and its hashes."""
    lines = requirements.splitlines(keepends=True)
    starts = [index for index, line in enumerate(lines) if line.startswith(f"{name}==")]
    if len(starts) != 1:
        raise ValueError(f"Expected {name!r} once in requirements.txt, got it {len(starts)} times.")
    [start] = starts
    end = start + 1
    while end < len(lines) and lines[end].startswith(" "):
        end += 1
    return "".join(lines[:start] + lines[end:])


def compile_sources(folder: Path, python: Path) -> None:
    """Compile all sources by the function's Python; drop those that are not ours."""
    command: list[str | Path] = [python, "-s", "-S", "-W", "ignore", "-B"]
    command += [ROOT / "scripts" / "package_compile.py", folder, *SHIPPED]
    # The order of sets in the bytecode follows the seed.
    subprocess.run(command, env={"PYTHONHASHSEED": "0"}, check=True)


def write_zip(folder: Path, artifact: Path) -> int:
    """Zip a folder's files in order, with one date and mode; return how many."""
    paths = sorted(path for path in folder.rglob("*") if path.is_file())
    with zipfile.ZipFile(artifact, "w") as archive:
        for path in paths:
            entry = zipfile.ZipInfo(path.relative_to(folder).as_posix(), DATE)
            entry.external_attr = FILE_MODE << 16
            entry.create_system = 3  # Unix, for the mode to count
            archive.writestr(entry, path.read_bytes(), zipfile.ZIP_DEFLATED, compresslevel=9)
    return len(paths)


def measure(artifact: Path) -> dict[str, Size]:
    """Return what each package takes in a zip, the largest first."""
    sizes: defaultdict[str, Size] = defaultdict(Size)
    with zipfile.ZipFile(artifact) as archive:
        for entry in archive.infolist():
            if entry.filename != BYTECODE:
                size = sizes[name_package(entry.filename)]
                size.zipped += entry.compress_size
                size.unpacked += entry.file_size
                continue
            # Compressed as one: each package has its share.
            index, _ = split(memoryview(archive.read(entry)))
            for name, (_start, length, _file, _is_package) in index.items():
                size = sizes[name.partition(".")[0]]
                size.zipped += length * entry.compress_size // entry.file_size
                size.unpacked += length
    return dict(sorted(sizes.items(), key=lambda item: (-item[1].zipped, item[0])))


def name_package(path: str) -> str:
    """Return the package of a path in the zip: "django" for "django-5.2.19.dist-info/METADATA"."""
    top = path.partition("/")[0]
    for ending in (".dist-info", ".libs", ".py", ".pyc"):
        if top.endswith(ending):
            top = top.removesuffix(ending)
            return top.rpartition("-")[0].lower() if ending == ".dist-info" else top
    return top


def report(artifact: Path, count: int) -> None:
    """Print a zip's size, and what takes how much of it."""
    sizes: Mapping[str, Size] = measure(artifact)
    rest = Size()
    print(f"{'package':28}{'zipped kB':>10}{'unpacked kB':>13}")
    for name, size in sizes.items():
        if size.zipped >= REPORTED_BYTES:
            print(f"{name:28}{size.zipped / 1e3:10.0f}{size.unpacked / 1e3:13.0f}")
        else:
            rest.zipped += size.zipped
            rest.unpacked += size.unpacked
    print(f"{'the others':28}{rest.zipped / 1e3:10.0f}{rest.unpacked / 1e3:13.0f}")
    megabytes = artifact.stat().st_size / 1e6
    print(f"{os.path.relpath(artifact, ROOT)}: {megabytes:.2f} MB, {count} files.")


def check_budget(artifact: Path, budget_bytes: int) -> None:
    """Raise BudgetExceeded if a zip is too large."""
    size_bytes = artifact.stat().st_size
    if size_bytes > budget_bytes:
        raise BudgetExceeded(size_bytes, budget_bytes)


if __name__ == "__main__":
    main()
