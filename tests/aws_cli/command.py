"""Has a process that has imported the AWS CLI run a command: command.py SOCKET ARGUMENTS

Imports next to nothing itself, for it stands for `aws` in scripts.
"""

import json
import os
import re
import socket
import sys
from collections.abc import Mapping, Sequence


def run(
    path: str,
    arguments: Sequence[str],
    environment: Mapping[str, str],
    files: Mapping[int, int],
    timeout_seconds: float | None = None,
) -> int:
    """Run a command in this folder; return its exit code. Raises TimeoutError.

    path: the socket's. files: the open files of this process, by what their numbers are there.
    """
    wanted = {
        "arguments": arguments,
        "environment": dict(environment),
        "files": list(files),
        "folder": os.getcwd(),
    }
    with socket.socket(socket.AF_UNIX) as server:
        server.settimeout(timeout_seconds)
        server.connect(path)
        socket.send_fds(server, [json.dumps(wanted).encode() + b"\n"], list(files.values()))
        return int(server.recv(16))


def main() -> int:
    """Run it with this process's files, those that its arguments name too: <(...) in a shell."""
    path, *arguments = sys.argv[1:]
    named = map(int, re.findall(r"/dev/fd/(\d+)", " ".join(arguments)))
    return run(path, arguments, os.environ, {number: number for number in (0, 1, 2, *named)})


if __name__ == "__main__":
    sys.exit(main())
