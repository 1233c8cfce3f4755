"""Makes the program `aws` fork a process of itself for each command that comes by a socket.

Its Python imports this before the program begins, if this folder is on PYTHONPATH. What it returns
from, with what the command came with, is such a process: there the program goes on as ever.
"""

import contextlib
import functools
import gc
import importlib
import json
import os
import socket
import sys


def serve(path: str) -> None:
    """Answer each command with its exit code; return in the process that is to run one."""
    from awscli.clidriver import create_clidriver

    # Of version 1 or 2. Each process would read the descriptions of CLI and services anew.
    session = sys.modules[type(create_clidriver().session).__mro__[-2].__module__]
    session.create_loader = functools.cache(session.create_loader)
    with contextlib.suppress(SystemExit):
        create_clidriver().main(["--version"])
    # Else the first collection of each process would copy all of the memory that they share.
    gc.freeze()
    with socket.socket(socket.AF_UNIX) as server:
        server.bind(path)
        server.listen()
        while True:
            caller, _ = server.accept()
            if take(caller):
                return


def take(caller: socket.socket) -> bool:
    """Run one command, and answer; return True in the process that is to run it."""
    with caller:
        message, files, _, _ = socket.recv_fds(caller, 1 << 16, 16)
        while not message.endswith(b"\n"):
            message += caller.recv(1 << 16)
        pid = os.fork()
        if pid:
            for file in files:
                os.close(file)
            code = os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1])
            # Who asked may have given up.
            with contextlib.suppress(OSError):
                caller.sendall(str(code).encode())
            return False
    wanted = json.loads(message)
    for number, file in zip(wanted["files"], files, strict=True):
        os.dup2(file, number)
    os.chdir(wanted["folder"])
    os.environ.clear()
    os.environ.update(wanted["environment"])
    sys.argv[1:] = wanted["arguments"]
    # It has put where its descriptions are into the environment.
    importlib.reload(sys.modules["awscli"])
    return True


if path := os.environ.get("TEST_AWS_CLI"):
    serve(path)
