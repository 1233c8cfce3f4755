"""The local X-Ray as a program: python -m xray_local [OPTIONS] [export | import]."""

import argparse
import sys

from . import server
from .options import add_arguments
from .transfer import exports, imports

COMMANDS = {None: server.run, "export": exports.run, "import": imports.run}


def main(arguments: list[str]) -> int:
    """Run the local X-Ray, or what was chosen instead; return the exit code."""
    parser = argparse.ArgumentParser(
        prog="python -m xray_local",
        description="Receive segments by UDP, serve the X-Ray API and a console by TCP, on the "
        "same port; or export or import traces.",
    )
    add_arguments(parser)
    chosen = parser.parse_args(arguments)
    return COMMANDS[chosen.command](chosen)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
