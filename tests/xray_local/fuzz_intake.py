"""Whatever bytes come, by UDP or HTTP: the intake goes on, and what it stores is clean.

    nice python -m tests.xray_local.fuzz_intake [--inputs 2000000] [--seconds 3600] [--seed 1]

Half of the inputs, mutated documents, go straight to the code that reads them, and each result is
checked; half go to a running program, all by UDP and one in ten by HTTP as well, which must go on
as before. Of the first, the next and the last it says how quickly they went, what CPU time each
took, and what memory was in use then: neither may grow.
"""

import argparse
import base64
import json
import os
import random
import socket
import sys
import tempfile
import time
import zlib
from collections.abc import Callable, Collection, Iterator
from http.client import HTTPConnection
from itertools import count, islice
from pathlib import Path
from typing import Any
from urllib.parse import urlencode

from tests.xray_local.made import (
    ALL_TRACES,
    HEADER,
    make_id,
    make_late,
    make_segment,
    make_subsegment,
    wait_until,
)
from tests.xray_local.program import Program, run_xray
from xray_local.errors import DocumentRefused
from xray_local.intake.arrivals import check_documents, read_documents
from xray_local.intake.frames import Kind
from xray_local.intake.writer import Batch
from xray_local.traces.documents import load_document

# No input of 64 KB may hold up the others for longer.
INPUT_MAX_SECONDS = 1.0
DATAGRAM_MAX_BYTES = 65_000
# Inputs that are made of the same documents.
SEEDS_LAST = 1000
# Datagrams that are sent before it is looked whether they have been read.
AT_ONCE = 1000
TOKENS = [
    *(
        b'"',
        b"{",
        b"}",
        b"[",
        b"]",
        b",",
        b":",
        b"\\",
        b"\n",
        b" ",
        b"\0",
        b"\xff",
        b"\xed\xa0\x80",
    ),
    *(b"null", b"true", b"NaN", b"-0", b"1e999", b"-1", b"9" * 400, b"9" * 5000, b"0.1e-400"),
    *(b'"\\ud800"', b"\\udc00", b'"\\u0000"', "é😀".encode(), b"[" * 500, b'{"a":' * 500),
    *(b'"subsegment"', b'"type":"subsegment",', b'"id":', b'"subsegments":[', b"T1S", b"M1"),
    *(b'"' + b"x" * 300 + b'"', b'"x y":1,', b"<script>", b"'; DROP TABLE segments; --"),
]
VALUES = [None, True, 0, -1, 1e300, 10**350, "", "x" * 1001, "\ud800", [], {}, [{}]]


def make_seeds() -> list[bytes]:
    """Return documents of every kind, alone and several together."""
    full = make_segment(
        user="ada",
        origin="AWS::Lambda",
        annotations={"a.b": "x", "n": 1.5, "b": True},
        metadata={"x": {"y": [1, {"z": None}]}},
        http={"request": {"method": "GET", "url": "/"}, "response": {"status": 200}},
        aws={"account_id": "1", "ec2": {"instance_id": "i"}, "resource_names": ["r"]},
        links=[{"trace_id": make_segment()["trace_id"], "id": make_id()}],
        cause={"exceptions": [{"id": make_id(), "stack": [{"path": "p", "line": 1}]}]},
        subsegments=[
            make_subsegment("S3", namespace="aws", aws={"bucket_name": "b"}),
            make_subsegment("db", namespace="remote", sql={"sanitized_query": "SELECT 1"}),
        ],
    )
    documents = [
        full,
        make_segment(),
        make_segment(end_time=None, in_progress=True),
        make_late(full, namespace="remote", fault=True),
        [full, make_segment()],
    ]
    seeds = [json.dumps(each).encode() for each in documents]
    spans = base64.b64encode(bytes(range(10, 200)))
    return [*seeds, b"\n".join(seeds), b"".join(seeds[:3]), b"T1S" + spans, b"M1" + spans]


def mutate(chance: random.Random, seeds: list[bytes]) -> bytes:
    """Return one of the seeds with a few changes."""
    data = bytearray(chance.choice(seeds))
    for _ in range(chance.choice((0, 1, 1, 2, 3, 8))):
        place = chance.randrange(len(data) + 1)
        end = min(len(data), place + chance.choice((1, 2, 8, 64)))
        kind = chance.randrange(7)
        if kind == 0:
            data[place:place] = chance.choice(TOKENS)
        elif kind == 1:
            data[place:end] = chance.choice(TOKENS)
        elif kind == 2:
            del data[place:end]
        elif kind == 3 and place < len(data):
            data[place] = chance.randrange(256)
        elif kind == 4:
            data[place:place] = data[place:end] * chance.choice((1, 2, 50))
        elif kind == 5:
            other = chance.choice(seeds)
            data[place:] = other[chance.randrange(len(other) + 1) :]
        else:
            _change_member(chance, data)
    return bytes(data[:DATAGRAM_MAX_BYTES])


def _change_member(chance: random.Random, data: bytearray) -> None:
    """Put another value in the place of a member's, so that the JSON stays whole."""
    try:
        document = json.loads(data)
    except (ValueError, RecursionError):
        return
    part = document
    while isinstance(part, dict | list) and part:
        keys: list[Any] = list(part) if isinstance(part, dict) else list(range(len(part)))
        key = chance.choice(keys)
        if not isinstance(part[key], dict | list) or chance.random() < 0.3:
            part[key] = chance.choice(
                [
                    None,
                    True,
                    0,
                    -1,
                    1e300,
                    10**350,
                    "",
                    "x" * 1001,
                    "\ud800",
                    [],
                    {},
                    [{}],
                    part[key],
                ]
            )
            break
        part = part[key]
    data[:] = json.dumps(document).encode()


def check_reading(data: bytes) -> int:
    """Read the input in every way it can come; return how many documents it held."""
    batch = Batch()
    batch.add(Kind.DATAGRAM, data)
    batch.add(Kind.DATAGRAM, HEADER + data)
    for document in batch.documents:
        content = load_document(document.body)
        json.dumps(content, allow_nan=False).encode()
        (again,) = read_documents(document.body)
        assert not isinstance(again, DocumentRefused), document.body
        assert (again.body, again.facts) == (document.body, document.facts)
    assert all(str(refusal).isascii() for refusal in batch.refusals)
    bodies, _ = check_documents(data.decode(errors="replace"))
    for body in bodies:
        (stored,) = read_documents(body)
        assert not isinstance(stored, DocumentRefused), body
    return len(batch.documents)


def fuzz_reading(inputs: Iterator[bytes], seconds: float) -> int:
    """Check the reading of inputs until they or the time end; return how many there were."""
    deadline = time.monotonic() + seconds
    number = 0
    for data in inputs:
        number += 1
        began = time.process_time()
        try:
            check_reading(data)
        except Exception as error:
            error.add_note(f"The input was {data!r}.")
            raise
        took = time.process_time() - began
        assert took < INPUT_MAX_SECONDS, f"{took:.1f} s for {data[:2000]!r}"
        if time.monotonic() > deadline:
            break
    return number


def fuzz_program(program: Program, inputs: Iterator[bytes], seconds: float) -> int:
    """Send inputs to the program until they or the time end; return how many.

    Checks that the program goes on.
    """
    family = program.children()
    deadline = time.monotonic() + seconds
    taken = _count_taken(program)
    number = 0
    connection = HTTPConnection("127.0.0.1", program.port, timeout=60)
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as udp:
        for data in inputs:
            udp.sendto(HEADER + data, ("127.0.0.1", program.port))
            number += 1
            if number % 10 == 0:
                status = _post(connection, data, number)
                assert status in (200, 400, 411, 413, 429), (status, data)
            if number % AT_ONCE == 0:
                # What finds the program busy would be dropped unread.
                wait_until(lambda: _count_taken(program) >= taken + number, 60)  # noqa: B023
            if time.monotonic() > deadline:
                break
    connection.close()
    segment = make_segment(name=f"still here {make_id()}")
    # Inputs of the year 9999 fill the first page without a filter.
    chosen = urlencode({"filter": f'service("{segment["name"]}")'})
    program.send(segment)
    # What was sent before it is stored before it.
    wait_until(lambda: segment["trace_id"] in program.fetch(f"{ALL_TRACES}&{chosen}"), 60)
    assert program.children() == family
    assert "Traceback" not in program.output()
    return number


def _count_taken(program: Program) -> int:
    """Return how many datagrams the program has read or lost."""
    counts = program.counts()
    return counts["datagrams"] + counts["dropped"] + (counts["kernel_dropped"] or 0)


def _post(connection: HTTPConnection, data: bytes, number: int) -> int:
    """Post the input as a document, as the body, or packed; return the status."""
    headers = {}
    body = data
    if number % 3 == 0:
        text = data.decode(errors="replace")
        body = json.dumps({"TraceSegmentDocuments": [text, text[:100]]}).encode()
    elif number % 3 == 1:
        headers["Content-Encoding"] = "gzip"
        packer = zlib.compressobj(wbits=zlib.MAX_WBITS | 16)
        body = packer.compress(data) + packer.flush()
    connection.request("POST", "/TraceSegments", body, headers)
    response = connection.getresponse()
    response.read()
    return response.status


def make_inputs(seed: int) -> Iterator[bytes]:
    """Yield mutated documents without an end."""
    chance = random.Random(seed)
    seeds: list[bytes] = []
    for number in count():
        if number % SEEDS_LAST == 0:
            seeds = make_seeds()  # other traces
        yield mutate(chance, seeds)


def read_usage(pids: Collection[int]) -> tuple[float, float]:
    """Return the seconds of CPU time that processes have used, and the megabytes they have."""
    seconds = megabytes = 0.0
    for pid in pids:
        fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
        seconds += (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")
        megabytes += int(fields[21]) * os.sysconf("SC_PAGE_SIZE") / 1_000_000
    return seconds, megabytes


def fuzz(name: str, try_some: Callable[[int], int], number: int, pids: Collection[int]) -> None:
    """Try so many inputs: the first ones, most of them, the last ones; tell how each went."""
    few = max(1, number // 20)
    for part, many in (("first", few), ("next", number - 2 * few), ("last", few)):
        began, (used, _) = time.monotonic(), read_usage(pids)
        done = try_some(many)
        took, (used_then, megabytes) = time.monotonic() - began, read_usage(pids)
        sys.stdout.write(
            f"{name}, the {part} {done:,} inputs: {done / took:,.0f}/s, "
            f"{(used_then - used) / done * 1e6:.0f} us of CPU each, then {megabytes:.0f} MB\n"
        )
        sys.stdout.flush()


def main() -> None:
    """Try as many inputs as asked for and say how that went."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--inputs", type=int, default=2_000_000)
    parser.add_argument("--seconds", type=float, default=3600, help="no part of six takes longer")
    parser.add_argument("--seed", type=int, default=int(time.time()))
    chosen = parser.parse_args()
    inputs = make_inputs(chosen.seed)
    sys.stdout.write(f"Seed {chosen.seed}\n")
    fuzz(
        "Read here",
        lambda many: fuzz_reading(islice(inputs, many), chosen.seconds),
        chosen.inputs // 2,
        [os.getpid()],
    )
    with tempfile.TemporaryDirectory() as folder, run_xray(Path(folder)) as program:
        fuzz(
            "Sent to the program",
            lambda many: fuzz_program(program, islice(inputs, many), chosen.seconds),
            chosen.inputs // 2,
            [program.process.pid, *program.children().values()],
        )
        counts = program.counts()
    sys.stdout.write(f"The program counts {json.dumps(counts)}.\n")


if __name__ == "__main__":
    main()
