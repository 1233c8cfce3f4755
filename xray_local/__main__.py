"""The local X-Ray as a program: python -m xray_local [--address HOST:PORT] [--database PATH]."""

import argparse
import sys

from .options import add_arguments
from .server import run


def main(arguments: list[str]) -> int:
    """Run the local X-Ray; return the exit code."""
    parser = argparse.ArgumentParser(prog="xray_local", description=__doc__)
    add_arguments(parser)
    return run(parser.parse_args(arguments))


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
