"""Find modules in one file, where the package has nearly all bytecode: the first import of a start.

A start imports 500 modules. On a cold disk, reading as many files takes longer than all the rest.
scripts/package_compile.py makes the file; beside the sources there is none, and nothing happens.
"""

import importlib.util
import marshal
import mmap
import os
import sys
from collections.abc import Sequence
from importlib.machinery import ModuleSpec, PathFinder, SourceFileLoader
from importlib.util import LazyLoader
from pathlib import Path
from types import CodeType

FILE = Path(__file__).with_name("bytecode.bin")
# Where Python looks for what is its own.
STANDARD_LIBRARY = [(folder := os.path.dirname(os.__file__)), f"{folder}/lib-dynload"]
# Django imports the one to split SQL scripts, wrapt the other to look for plugins.
POSTPONED = {"sqlparse", "importlib.metadata"}
# Python's magic number for bytecode, and the length of the index.
MAGIC_LENGTH, HEAD_LENGTH = 4, 8

# By module: where its code begins behind the index, its length, its file, whether it is a package.
Index = dict[str, tuple[int, int, str, bool]]


def split(content: memoryview) -> tuple[Index, memoryview]:
    """Return the file's index, and its code. Needs no certain Python, as loading the code does."""
    end = HEAD_LENGTH + int.from_bytes(content[MAGIC_LENGTH:HEAD_LENGTH], "little")
    index: Index = marshal.loads(content[HEAD_LENGTH:end])  # noqa: S302  # the package's own file
    return index, content[end:]


def postpone(spec: ModuleSpec | None) -> ModuleSpec | None:
    """Let a module be loaded when it is used, and not when it is imported."""
    if spec and spec.loader:
        spec.loader = LazyLoader(spec.loader)
    return spec


class Finder:
    """A finder for sys.meta_path, and the loader of what it finds."""

    def __init__(self, path: Path) -> None:
        with path.open("rb") as file:
            # What is not imported is not read.
            content = memoryview(mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ))
        if content[:MAGIC_LENGTH] != importlib.util.MAGIC_NUMBER:
            raise ImportError(f"{path} has the bytecode of another Python than {sys.version}.")
        self.index, self._code = split(content)
        self._path, self._folder = str(path), f"{path.parent}/"

    def find_spec(
        self, name: str, path: Sequence[str] | None = None, target: object = None
    ) -> ModuleSpec | None:
        """Return where a module is; None where Python's own finders have to look."""
        found = self.index.get(name)
        if found is None:
            # Half of a start's modules are Python's own: they are not in the package's folders.
            if path is None and name in sys.stdlib_module_names:
                return PathFinder.find_spec(name, STANDARD_LIBRARY)
            return postpone(PathFinder.find_spec(name, path)) if name in POSTPONED else None
        file = self._folder + found[2]
        spec = ModuleSpec(name, Loader(name, file, self), origin=file, is_package=found[3])
        spec.has_location = True
        spec.cached = self._path  # else Python makes up a name for each
        if found[3]:
            spec.submodule_search_locations = [file.rpartition("/")[0]]
        return postpone(spec) if name in POSTPONED else spec

    def load_code(self, name: str) -> CodeType:
        """Return a module's code."""
        start, length, _, _ = self.index[name]
        code: CodeType = marshal.loads(self._code[start : start + length])  # noqa: S302  # as above
        return code


class Loader(SourceFileLoader):
    """Python's own loader of files, for all but the code; where there is a source, it shows it."""

    def __init__(self, name: str, path: str, finder: Finder) -> None:
        super().__init__(name, path)
        self._finder = finder

    def get_code(self, fullname: str) -> CodeType:
        """Return the module's code."""
        return self._finder.load_code(fullname)


if FILE.exists():
    sys.meta_path.insert(0, Finder(FILE))
