"""Who may import whom, as docs/architecture.md says."""

import ast
from collections.abc import Iterator
from pathlib import Path

import pytest

import tracing

ROOT = Path(__file__).resolve().parent.parent
OURS = {
    "movies_site",
    "movies",
    "gateway",
    "packaged_bytecode",
    "tracing",
    "xray_local",
    "lambda_local",
    "scripts",
    "benchmarks",
    "tests",
}
ALLOWED = {
    "lambda_entry": {"gateway", "movies_site", "packaged_bytecode"},
    "packaged_bytecode": set(),
    "movies_site": {"movies", "gateway", "tracing"},
    "movies": {"tracing"},
    "gateway": {"tracing"},
    "tracing": set(),
    "xray_local": set(),
    "lambda_local": set(),
}

MAKERS_OF_CLIENTS = {
    ROOT / "movies" / "aws.py",
    ROOT / "xray_local" / "forwarding" / "forwarder.py",
}


def list_imports(path: Path) -> Iterator[tuple[str, str | None]]:
    """Yield module and name of every absolute import in a file, those within functions too."""
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.Import):
            yield from ((alias.name, None) for alias in node.names)
        elif isinstance(node, ast.ImportFrom) and node.level == 0 and node.module:
            yield from ((node.module, alias.name) for alias in node.names)


def list_files(package: str) -> list[Path]:
    folder = ROOT / package
    return sorted(folder.rglob("*.py")) if folder.is_dir() else [ROOT / f"{package}.py"]


@pytest.mark.parametrize("package", sorted(ALLOWED))
def test_packages_import_only_what_they_may(package: str) -> None:
    files = list_files(package)
    assert files

    for path in files:
        for module, _ in list_imports(path):
            top = module.partition(".")[0]
            if top in OURS and top != package:
                assert top in ALLOWED[package], f"{path.relative_to(ROOT)} imports {module}."


@pytest.mark.parametrize("package", ["movies", "gateway", "movies_site"])
def test_only_public_names_of_tracing_are_used(package: str) -> None:
    for path in list_files(package):
        for module, name in list_imports(path):
            if module.partition(".")[0] == "tracing":
                assert module == "tracing", f"{path} imports {module}."
                assert name is None or name in tracing.__all__, f"{path} imports {name}."


@pytest.mark.parametrize(
    ("library", "package"),
    [("aws_xray_sdk", "tracing"), ("wrapt", "tracing"), ("apig_wsgi", "gateway")],
)
def test_a_library_stays_in_its_package(library: str, package: str) -> None:
    for other in sorted(ALLOWED.keys() - {package}):
        for path in list_files(other):
            for module, _ in list_imports(path):
                assert module.partition(".")[0] != library, f"{path} imports {module}."


def test_only_one_module_of_each_makes_clients() -> None:
    for package in ALLOWED:
        for path in list_files(package):
            for module, _ in list_imports(path):
                if module.partition(".")[0] == "boto3":
                    assert path in MAKERS_OF_CLIENTS, f"{path} imports boto3."


def test_nothing_heavy_is_imported_at_start() -> None:
    """boto3 and requests are paid for by the first request that needs them, not by every start."""
    import os
    import subprocess
    import sys

    program = (
        "import movies_site.wsgi, sys; from django.urls import get_resolver; "
        "get_resolver().url_patterns; "
        "print([name for name in ('boto3', 'requests') if name in sys.modules])"
    )
    result = subprocess.run(
        [sys.executable, "-c", program],
        cwd=ROOT,
        env={"PATH": os.environ["PATH"], "DJANGO_SETTINGS_MODULE": "movies_site.settings_local"},
        capture_output=True,
        text=True,
        check=True,
    )

    assert result.stdout.strip() == "[]"
