"""What can be chosen on the command line."""

import argparse
from dataclasses import dataclass
from pathlib import Path

from .address import DEFAULT, OTLP_DEFAULT, Address
from .pipeline import Limits
from .storage import DATABASE_MAX_BYTES, TRACES_MAX

OTLP_OFF = "off"


@dataclass(frozen=True, slots=True)
class Options:
    """Where to listen, where to keep traces, and how many."""

    address: Address
    database: Path
    limits: Limits
    forward: bool = False
    otlp_address: Address | None = None


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
        default=DATABASE_MAX_BYTES,
        metavar="BYTES",
        help="how large the file may grow before the oldest traces go (default: %(default)s)",
    )
    parser.add_argument(
        "--max-traces",
        type=int,
        default=TRACES_MAX,
        metavar="NUMBER",
        help="how many traces to keep before the oldest go (default: %(default)s)",
    )
    parser.add_argument(
        "--forward",
        action="store_true",
        help="also send on to AWS X-Ray what arrives, with the region and the credentials that "
        "the AWS CLI would use",
    )


def read_options(chosen: argparse.Namespace) -> Options:
    """Return the options that were parsed. Raises BadAddress."""
    return Options(
        Address.parse(chosen.address),
        Path(chosen.database),
        Limits(chosen.max_bytes, chosen.max_traces),
        chosen.forward,
        None if chosen.otlp_address == OTLP_OFF else Address.parse(chosen.otlp_address),
    )
