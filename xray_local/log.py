"""The lines that the program says to whoever started it."""

import sys


def tell(line: str) -> None:
    """Write a line to the standard error, at once."""
    sys.stderr.write(f"X-Ray: {line}\n")
    sys.stderr.flush()
