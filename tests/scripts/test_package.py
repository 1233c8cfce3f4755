import os
import stat
import zipfile

import pytest

from scripts import package


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
