"""Compile the package: run by the function's own Python, so it imports nothing of ours.

python package_compile.py FOLDER NAME...: of what the names say, the sources stay beside the
bytecode; of the rest the bytecode stands in for them.
"""

import importlib.util
import py_compile
import sys
from pathlib import Path

# Where Lambda unpacks the zip; it stands in tracebacks where there is no source to tell it.
TASK_ROOT = "/var/task"


def main(folder: Path, kept: list[str]) -> None:
    for path in sorted(folder.rglob("*.py")):
        relative = path.relative_to(folder)
        has_source = relative.parts[0] in kept
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
        if not has_source:
            path.unlink()


if __name__ == "__main__":
    main(Path(sys.argv[1]), sys.argv[2:])
