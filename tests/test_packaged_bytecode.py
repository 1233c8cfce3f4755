"""Modules are found in the package's one file of bytecode, and Python tells all of them."""

import importlib
import importlib.resources
import importlib.util
import inspect
import os
import pkgutil
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

import packaged_bytecode
from packaged_bytecode import Finder
from scripts.package_compile import BYTECODE
from scripts.package_compile import main as compile_package

FILES = {
    "ours_once/__init__.py": "",
    "ours_once/views.py": "from theirs_once.deep import calls\ndef show():\n return calls.NAME\n",
    "theirs_once/__init__.py": "",
    "theirs_once/deep/calls.py": "NAME = __name__\n",
    "theirs_once/deep/rare.py": "import theirs_once\ntheirs_once.is_loaded = True\nNAME = 1\n",
    "theirs_once/commands/__init__.py": "",
    "theirs_once/commands/seed.py": "NAME = __name__\n",
}


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A package, compiled by this Python."""
    for name, source in FILES.items():
        path = tmp_path / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(source)
    (tmp_path / "theirs_once" / "words.txt").write_text("film")
    compile_package(tmp_path, ["ours_once"])
    return tmp_path


@pytest.fixture
def finder(folder: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Finder]:
    monkeypatch.syspath_prepend(folder)
    finder = Finder(folder / BYTECODE)
    monkeypatch.setattr(sys, "meta_path", [finder, *sys.meta_path])
    yield finder
    for name in [name for name in sys.modules if name.startswith(("ours_once", "theirs_once"))]:
        del sys.modules[name]


def test_modules_are_found_by_each_other(finder: Finder):
    views = importlib.import_module("ours_once.views")

    assert views.show() == "theirs_once.deep.calls"


def test_module_tells_where_it_lies(finder: Finder, folder: Path):
    views = importlib.import_module("ours_once.views")
    theirs = importlib.import_module("theirs_once")

    assert views.__file__ == str(folder / "ours_once" / "views.py")
    assert list(theirs.__path__) == [str(folder / "theirs_once")]
    assert theirs.__spec__ is not None
    assert theirs.__spec__.has_location
    assert theirs.__spec__.cached == str(folder / BYTECODE)


def test_standard_library_is_looked_for_in_its_own_folder(finder: Finder, folder: Path):
    (folder / "colorsys.py").write_text("")

    found = finder.find_spec("colorsys")

    assert found is not None
    assert found.origin == str(Path(os.__file__).with_name("colorsys.py"))
    assert finder.find_spec("sys") is None
    assert finder.find_spec("nobodys_once") is None


def test_postponed_module_is_loaded_when_it_is_used(
    finder: Finder, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setattr(packaged_bytecode, "POSTPONED", {"theirs_once.deep.rare"})
    theirs = importlib.import_module("theirs_once")

    rare = importlib.import_module("theirs_once.deep.rare")

    assert not hasattr(theirs, "is_loaded")
    assert rare.NAME == 1
    assert theirs.is_loaded


@pytest.mark.parametrize("name", sorted(packaged_bytecode.POSTPONED))
def test_postponed_modules_outside_the_file_are_postponed_too(finder: Finder, name: str):
    package = name.rpartition(".")[0]
    found = finder.find_spec(name, sys.modules[package].__path__ if package else None)

    assert found is not None
    assert isinstance(found.loader, importlib.util.LazyLoader)


def test_postponed_module_that_is_missing_is_missed(
    finder: Finder, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setattr(packaged_bytecode, "POSTPONED", {"nobodys_once"})

    with pytest.raises(ModuleNotFoundError, match="nobodys_once"):
        importlib.import_module("nobodys_once")


def test_source_is_shown_where_there_is_one(finder: Finder):
    views = importlib.import_module("ours_once.views")
    calls = importlib.import_module("theirs_once.deep.calls")

    assert "return calls.NAME" in inspect.getsource(views.show)
    with pytest.raises(OSError, match="source code"):
        inspect.getsource(calls)


def test_files_beside_modules_are_read(finder: Finder):
    words = importlib.resources.files("theirs_once") / "words.txt"

    assert words.read_text() == "film"


def test_folders_that_are_listed_still_can_be(finder: Finder):
    commands = importlib.import_module("theirs_once.commands")

    assert [module.name for module in pkgutil.iter_modules(commands.__path__)] == ["seed"]
    assert importlib.import_module("theirs_once.commands.seed").NAME == "theirs_once.commands.seed"


def test_bytecode_of_another_python_is_refused(folder: Path):
    path = folder / BYTECODE
    path.write_bytes(b"\0\0\r\n" + path.read_bytes()[4:])

    with pytest.raises(ImportError, match="has the bytecode of another Python than"):
        Finder(path)


def test_nothing_happens_beside_the_sources():
    assert not [finder for finder in sys.meta_path if isinstance(finder, Finder)]
