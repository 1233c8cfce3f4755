import os
import stat
import zipfile
from pathlib import Path

import pytest

from scripts import package
from scripts.package_python import PythonNotFound

REQUIREMENTS = """\
# A comment
apig-wsgi==2.20.0 \\
    --hash=sha256:aa
    # via movies
psycopg2-binary==2.9.13 \\
    --hash=sha256:bb \\
    --hash=sha256:cc
    # via movies
requests==2.34.2 \\
    --hash=sha256:dd
"""


@pytest.fixture
def folder(tmp_path):
    folder = tmp_path / "function"
    (folder / "movies").mkdir(parents=True)
    (folder / "movies" / "views.py").write_text("views = 1\n")
    (folder / "entry.py").write_text("entry = 1\n")
    return folder


def test_write_zip_makes_the_same_bytes_of_the_same_input(folder, tmp_path):
    package.write_zip(folder, tmp_path / "one.zip")
    os.utime(folder / "entry.py", (1, 1))
    (folder / "entry.py").chmod(0o700)

    count = package.write_zip(folder, tmp_path / "two.zip")

    assert count == 2
    assert (tmp_path / "one.zip").read_bytes() == (tmp_path / "two.zip").read_bytes()


def test_write_zip_makes_files_that_lambda_may_read(folder, tmp_path):
    """Lambda runs the function as a user that owns nothing."""
    package.write_zip(folder, tmp_path / "one.zip")

    with zipfile.ZipFile(tmp_path / "one.zip") as archive:
        assert archive.namelist() == ["entry.py", "movies/views.py"]
        for entry in archive.infolist():
            assert stat.S_IMODE(entry.external_attr >> 16) == 0o644


def test_copy_sources_leaves_caches_behind(tmp_path):
    package.copy_sources(tmp_path)

    names = {path.name for path in tmp_path.iterdir()}
    assert names == set(package.SHIPPED)
    assert list(tmp_path.rglob("__pycache__")) == []


def test_without_requirement_takes_its_hashes_along():
    left = package.without_requirement(REQUIREMENTS, "psycopg2-binary")

    assert "psycopg2" not in left
    assert [line[-2:] for line in left.splitlines() if "sha256" in line] == ["aa", "dd"]


def test_without_requirement_unknown():
    with pytest.raises(ValueError, match=r"Expected 'psycopg' once .* got it 0 times"):
        package.without_requirement(REQUIREMENTS, "psycopg")


def test_requirements_hold_the_driver_once():
    text = (package.ROOT / "requirements.txt").read_text()

    assert len(package.without_requirement(text, package.POSTGRESQL_DRIVER)) < len(text)


@pytest.mark.parametrize(
    ("path", "name"),
    [
        ("django/db/models/base.pyc", "django"),
        ("django-5.2.19.dist-info/METADATA", "django"),
        ("psycopg2_binary.libs/libpq.so.5", "psycopg2_binary"),
        ("six.pyc", "six"),
        ("lambda_entry.py", "lambda_entry"),
    ],
)
def test_name_package(path, name):
    assert package.name_package(path) == name


def test_report_sums_up_what_is_small(folder, tmp_path, capsys, monkeypatch):
    monkeypatch.setattr(package, "REPORTED_BYTES", 100)
    (folder / "movies" / "films.json").write_bytes(os.urandom(1000))
    count = package.write_zip(folder, tmp_path / "one.zip")

    package.report(tmp_path / "one.zip", count)

    lines = [line.split() for line in capsys.readouterr().out.splitlines()]
    assert [line[0] for line in lines] == ["package", "movies", "the", lines[-1][0]]
    assert lines[-1][-2:] == ["3", "files."]


def test_budget(tmp_path):
    (tmp_path / "one.zip").write_bytes(bytes(1_250_000))

    package.check_budget(tmp_path / "one.zip", 1_250_000)
    with pytest.raises(package.BudgetExceeded, match=r"has 1\.25 MB, .* budget is 1\.20 MB"):
        package.check_budget(tmp_path / "one.zip", 1_200_000)


def test_main_ends_with_the_reason(tmp_path, monkeypatch):
    def fail(options):
        raise package.BudgetExceeded(8_000_000, package.BUDGET_BYTES)

    monkeypatch.setattr(package, "build", fail)

    with pytest.raises(SystemExit, match=r"8\.00 MB, and its budget is 7\.00 MB"):
        package.main([])


def test_build_with_a_wrong_python_changes_nothing(folder, tmp_path):
    options = package.read_options(
        ["--folder", str(folder), "--python", "/bin/false", "--artifact", str(tmp_path / "no.zip")]
    )

    with pytest.raises(PythonNotFound, match=r"uv python install 3\.13"):
        package.build(options)

    assert (folder / "entry.py").exists()
    assert not Path(options.artifact).exists()
