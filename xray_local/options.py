"""What can be chosen on the command line."""

import argparse
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from .address import DEFAULT, OTLP_DEFAULT, Address
from .errors import InvalidRequest
from .store.storage import DATABASE_MAX_BYTES, TRACES_MAX

OTLP_OFF = "off"
# A century: more is as good as for ever.
HOURS_MAX = 876_600


@dataclass(frozen=True, slots=True)
class Options:
    """Where to listen, where to keep traces, and how many; None for as many as was set before.

    max_hours: how long; 0 for as long as there is room.
    """

    address: Address
    database: Path
    max_bytes: int | None = None
    max_traces: int | None = None
    max_hours: int | None = None
    forward: bool = False
    otlp_address: Address | None = None

    @property
    def addresses(self) -> list[Address]:
        """All that is listened at."""
        return [each for each in (self.address, self.otlp_address) if each]


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the options, which `manage.py xray_local` has as well."""
    parser.add_argument(
        "--address",
        default=DEFAULT,
        metavar="HOST:PORT",
        help="where to listen, by UDP and by TCP (default: %(default)s)",
    )
    parser.add_argument(
        "--otlp-address",
        default=OTLP_DEFAULT,
        metavar="HOST:PORT",
        help="where to take OpenTelemetry's spans by HTTP as well, at /v1/traces; "
        f"{OTLP_OFF!r} for nowhere (default: %(default)s)",
    )
    parser.add_argument(
        "--database",
        default="xray.sqlite3",
        metavar="PATH",
        help="the SQLite file that keeps the traces (default: %(default)s)",
    )
    parser.add_argument(
        "--max-bytes",
        type=int,
        metavar="BYTES",
        help="how large the file may grow before the oldest traces go (default: what was set in "
        f"the console, else {DATABASE_MAX_BYTES})",
    )
    parser.add_argument(
        "--max-traces",
        type=int,
        metavar="NUMBER",
        help="how many traces to keep before the oldest go (default: what was set in the console, "
        f"else {TRACES_MAX})",
    )
    parser.add_argument(
        "--max-hours",
        type=_read_hours,
        metavar="HOURS",
        help="how long to keep traces after their end, 0 for as long as there is room (default: "
        "what was set in the console, else 0)",
    )
    parser.add_argument(
        "--forward",
        action="store_true",
        help="also send on to AWS X-Ray what arrives, with the region and the credentials that "
        "the AWS CLI would use",
    )
    _add_commands(parser)


def read_hours(text: str) -> int:
    """Read how long to keep traces. Raises InvalidRequest."""
    hours = int(text) if text.isascii() and text.isdigit() and len(text) < 10 else -1
    if not 0 <= hours <= HOURS_MAX:
        raise InvalidRequest(
            f"Expected hours from 0, for as long as there is room, to {HOURS_MAX}, "
            f"got {text[:80]!a}."
        )
    return hours


def _read_hours(text: str) -> int:
    try:
        return read_hours(text)
    except InvalidRequest as error:
        raise argparse.ArgumentTypeError(str(error)) from error


def _add_commands(parser: argparse.ArgumentParser) -> None:
    commands = parser.add_subparsers(
        dest="command",
        metavar="[COMMAND]",
        help="without one, the local X-Ray runs until it is ended",
    )
    export = commands.add_parser(
        "export",
        help="write traces to a file",
        description="Write traces as JSON Lines, the newest first: one trace a line, in the shape "
        "that BatchGetTraces answers. It only reads: an X-Ray may run meanwhile.",
    )
    # What is given before the command holds unless it is given here: hence no defaults.
    export.add_argument(
        "--database",
        default=argparse.SUPPRESS,
        metavar="PATH",
        help="the SQLite file that keeps the traces",
    )
    export.add_argument(
        "--filter", metavar="EXPRESSION", help="only the traces that fit this filter expression"
    )
    export.add_argument(
        "--start",
        metavar="TIME",
        help="only traces that were active at this time or later: ISO 8601, in this machine's time "
        "zone if it names none, or seconds since 1970",
    )
    export.add_argument(
        "--end", metavar="TIME", help="only traces that were active before this time"
    )
    export.add_argument(
        "--output",
        default="-",
        metavar="FILE",
        help="where to write; - is the standard output (default: %(default)s)",
    )
    imports = commands.add_parser(
        "import",
        help="take in the traces of a file",
        description="Take in traces: a file of 'export', what 'aws xray batch-get-traces' has "
        "printed, or segment documents, one a line. They keep their times. Segments that X-Ray has "
        "inferred are left out, as they are made again. Lines that cannot be read are told and "
        "skipped; the exit code is then 1.",
    )
    imports.add_argument("file", metavar="FILE", help="what to read; - is the standard input")
    imports.add_argument(
        "--address",
        default=argparse.SUPPRESS,
        metavar="HOST:PORT",
        help="where the local X-Ray runs that is to take them; if none does, they go straight into "
        "its database",
    )
    imports.add_argument(
        "--database",
        dest="into",
        metavar="PATH",
        help="the SQLite file to write straight into, whatever runs; no X-Ray may be using it",
    )


def write_arguments(chosen: Mapping[str, Any]) -> list[str]:
    """Return the arguments that are read as what was chosen."""
    names = ["address", "otlp_address", "database", "max_bytes", "max_traces", "max_hours"]
    arguments = [
        f"--{name.replace('_', '-')}={chosen[name]}" for name in names if chosen[name] is not None
    ]
    if chosen["forward"]:
        arguments.append("--forward")
    if chosen["command"] == "export":
        arguments.append("export")
        names = ["filter", "start", "end", "output"]
        arguments += [f"--{name}={chosen[name]}" for name in names if chosen[name] is not None]
    elif chosen["command"] == "import":
        arguments.append("import")
        if chosen["into"] is not None:
            arguments.append(f"--database={chosen['into']}")
        arguments += ["--", chosen["file"]]
    return arguments


def read_options(chosen: argparse.Namespace) -> Options:
    """Return the options that were parsed. Raises BadAddress."""
    return Options(
        Address.parse(chosen.address),
        Path(chosen.database),
        chosen.max_bytes,
        chosen.max_traces,
        chosen.max_hours,
        chosen.forward,
        None if chosen.otlp_address == OTLP_OFF else Address.parse(chosen.otlp_address),
    )
