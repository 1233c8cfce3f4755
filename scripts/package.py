"""Make the function's zip: python -m scripts.package (`npx serverless deploy` calls it).

The same input gives the same bytes. Everything is for the function's Python and processor, whatever
this machine's are.
"""

import os
import shutil
import subprocess
import sys
import zipfile
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
FUNCTION_DIR = ROOT / "build" / "function"
ARTIFACT = ROOT / "build" / "movies.zip"

# As in serverless.yml: runtime python3.13 (Amazon Linux 2023, glibc 2.34), architecture arm64.
PYTHON_VERSION = "3.13"
PLATFORM = "aarch64-manylinux_2_28"
SHIPPED = ("movies", "movies_site", "gateway", "tracing", "lambda_entry.py")
# Commands, which a function has no shell for, and what uv leaves behind.
UNWANTED = ("bin", ".lock")
# The oldest date that a zip entry can have.
DATE = (1980, 1, 1, 0, 0, 0)
FILE_MODE = 0o100644


def main() -> None:
    """Copy, collect, install, zip; say where it is and how large."""
    shutil.rmtree(FUNCTION_DIR, ignore_errors=True)
    FUNCTION_DIR.mkdir(parents=True)
    copy_sources(FUNCTION_DIR)
    # With this machine's Django: the function's, which comes next, may be for another processor.
    collect_static_files(FUNCTION_DIR)
    install_requirements(FUNCTION_DIR)
    count = write_zip(FUNCTION_DIR, ARTIFACT)
    megabytes = ARTIFACT.stat().st_size / 1e6
    print(f"{ARTIFACT.relative_to(ROOT)}: {megabytes:.1f} MB, {count} files.")


def copy_sources(folder: Path) -> None:
    """Copy what of this repository runs on Lambda."""
    for name in SHIPPED:
        source = ROOT / name
        if source.is_dir():
            shutil.copytree(source, folder / name, ignore=shutil.ignore_patterns("__pycache__"))
        else:
            shutil.copy(source, folder)


def collect_static_files(folder: Path) -> None:
    """Collect static files into the folder, hashed and compressed, by the settings in it."""
    environment = os.environ | {
        "DJANGO_SETTINGS_MODULE": "movies_site.settings",
        "DJANGO_SECRET_KEY": "only-to-collect-static-files",
        "PYTHONDONTWRITEBYTECODE": "1",
        # Whatever the terminal names: the zip must hold them.
        "STATIC_ROOT": str(folder / "staticfiles"),
    }
    command = [sys.executable, "-m", "django", "collectstatic", "--no-input", "--verbosity", "0"]
    subprocess.run(command, cwd=folder, env=environment, check=True)


def install_requirements(folder: Path) -> None:
    """Install what requirements.txt pins, as wheels for the function's machine."""
    command: list[str | Path] = [sys.executable, "-m", "uv", "pip", "install", "--quiet"]
    command += ["--target", folder, "--python-version", PYTHON_VERSION]
    command += ["--python-platform", PLATFORM]
    command += ["--only-binary", ":all:", "--require-hashes", "--link-mode", "copy"]
    subprocess.run([*command, "-r", ROOT / "requirements.txt"], check=True)
    for name in UNWANTED:
        path = folder / name
        if path.is_dir():
            shutil.rmtree(path)
        else:
            path.unlink(missing_ok=True)


def write_zip(folder: Path, artifact: Path) -> int:
    """Zip a folder's files in order, with one date and mode; return how many."""
    paths = sorted(path for path in folder.rglob("*") if path.is_file())
    with zipfile.ZipFile(artifact, "w") as archive:
        for path in paths:
            entry = zipfile.ZipInfo(path.relative_to(folder).as_posix(), DATE)
            entry.external_attr = FILE_MODE << 16
            entry.create_system = 3  # Unix, for the mode to count
            archive.writestr(entry, path.read_bytes(), zipfile.ZIP_DEFLATED)
    return len(paths)


if __name__ == "__main__":
    main()
