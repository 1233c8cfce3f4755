"""Compile the package: run by the function's own Python, so it imports nothing of ours.

python package_compile.py FOLDER NAME...: of what the names say, the sources stay; of the rest the
bytecode stands in for them. It lies in one file, for packaged_bytecode to find, but for what has to
be there before that, and for modules that Django looks for by listing a folder.
"""

import importlib.util
import marshal
import py_compile
import sys
from importlib.machinery import SourceFileLoader
from pathlib import Path

# Where Lambda unpacks the zip; it stands in tracebacks where there is no source to tell it.
TASK_ROOT = "/var/task"
BYTECODE = "bytecode.bin"
FIRST = ("lambda_entry.py", "packaged_bytecode.py")
LISTED_FOLDERS = {"commands", "migrations", "templatetags"}


def main(folder: Path, kept: list[str]) -> None:
    codes: dict[str, tuple[bytes, str, bool]] = {}
    for path in sorted(folder.rglob("*.py")):
        relative = path.relative_to(folder)
        has_source = relative.parts[0] in kept
        if str(relative) in FIRST or LISTED_FOLDERS.intersection(relative.parts):
            compile_alone(path, relative, has_source)
        else:
            is_package = path.stem == "__init__"
            name = ".".join((relative.parent if is_package else relative.with_suffix("")).parts)
            codes[name] = (compile_code(path, relative), relative.as_posix(), is_package)
        if not has_source:
            path.unlink()
    (folder / BYTECODE).write_bytes(join(codes))


def compile_alone(path: Path, relative: Path, has_source: bool) -> None:
    """Write a module's bytecode where Python looks for it."""
    target = Path(importlib.util.cache_from_source(str(path), optimization=""))
    py_compile.compile(
        str(path),
        cfile=str(target if has_source else path.with_suffix(".pyc")),
        dfile=f"{TASK_ROOT}/{relative.as_posix()}",
        doraise=True,
        optimize=0,
        # Dates in a zip are not those of the sources, and nobody changes a file on Lambda.
        invalidation_mode=py_compile.PycInvalidationMode.UNCHECKED_HASH,
    )


def compile_code(path: Path, relative: Path) -> bytes:
    """Return a module's bytecode."""
    loader = SourceFileLoader(path.stem, str(path))
    name = f"{TASK_ROOT}/{relative.as_posix()}"
    return marshal.dumps(compile(loader.get_data(str(path)), name, "exec", dont_inherit=True))


def join(codes: dict[str, tuple[bytes, str, bool]]) -> bytes:
    """Return the file: Python's magic number, the index and its length, and the codes."""
    index, start = {}, 0
    for name, (code, file, is_package) in codes.items():
        index[name] = (start, len(code), file, is_package)
        start += len(code)
    head = marshal.dumps(index, 4)  # what every Python since 3.4 reads
    parts = (importlib.util.MAGIC_NUMBER, len(head).to_bytes(4, "little"), head)
    return b"".join((*parts, *(code for code, _, _ in codes.values())))


if __name__ == "__main__":
    main(Path(sys.argv[1]), sys.argv[2:])
