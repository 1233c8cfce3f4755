"""Traces for the benchmarks of the local X-Ray: five services, each with a segment of 2 KB.

    shop -> api -> orders -> stock -> prices, which also call tables, queues, a database and a host.

A segment has three subsegments, two of which call something, as aws-xray-sdk makes them. One trace
in 50 fails, one in 2,000 has a rare customer, one in 20,000 a fault of the last service.
"""

import json
import random
from collections.abc import Iterator
from typing import Any

SERVICES = ("shop", "api", "orders", "stock", "prices")
SEGMENT_BYTES = 2048
TARGETS: dict[str, dict[str, Any]] = {
    "shop": {"name": "DynamoDB", "namespace": "aws", "aws": {"table_name": "carts"}},
    "api": {"name": "sessions.example", "namespace": "remote"},
    "orders": {"name": "SQS", "namespace": "aws", "aws": {"queue_url": "https://q/1/orders"}},
    "stock": {"name": "stock@db", "namespace": "remote", "sql": {"database_type": "PostgreSQL"}},
    "prices": {"name": "S3", "namespace": "aws", "aws": {"bucket_name": "prices"}},
}
PAGES = 1000
CUSTOMERS = 5000
RARE_CUSTOMER = "the-rare-one"


def make_traces(count: int, start: float, seconds: float, seed: int = 1) -> Iterator[list[bytes]]:
    """Yield the documents of each trace; their starts are spread evenly over the seconds."""
    chance = random.Random(seed)
    layouts = [_Layout(service) for service in SERVICES]
    for number in range(count):
        time = start + seconds * number / count
        trace_id = f"1-{int(time):08x}-{chance.getrandbits(96):024x}"
        is_failed = chance.random() < 0.02
        is_rare = number % 2000 == 1000
        customer = RARE_CUSTOMER if is_rare else f"customer-{chance.randrange(CUSTOMERS)}"
        took = chance.lognormvariate(-2.5, 0.6)
        parent_id = ""
        documents: list[bytes] = []
        for place, layout in enumerate(layouts):
            # Each takes most of the time of its caller.
            begin, end = time + took * 0.05 * place, time + took * (1 - 0.05 * place)
            has_fault = (is_failed and place == 0) or (number % 20_000 == 10_000 and place == 4)
            document, parent_id = layout.fill(
                chance,
                trace_id,
                parent_id,
                begin,
                end,
                has_fault,
                customer,
            )
            documents.append(document)
        yield documents


class _Layout:
    """A segment of a service as text, with gaps where segments differ."""

    def __init__(self, service: str) -> None:
        next_place = SERVICES.index(service) + 1
        callee = SERVICES[next_place] if next_place < len(SERVICES) else "mail.example"
        call = {
            "id": "%(call)s",
            "name": callee,
            "namespace": "remote",
            "start_time": "%(begin)s",
            "end_time": "%(end)s",
            "http": {
                "request": {"method": "GET", "url": f"https://{callee}.example/v1/items"},
                "response": {"status": 200, "content_length": 1234},
            },
        }
        target = TARGETS[service] | {
            "id": "%(target)s",
            "start_time": "%(begin)s",
            "end_time": "%(middle)s",
        }
        if target["namespace"] == "aws":
            target["aws"] = target["aws"] | {
                "operation": "Query",
                "region": "eu-west-1",
                "request_id": "%(target)s-request",
            }
        segment = {
            "trace_id": "%(trace_id)s",
            "id": "%(id)s",
            "name": service,
            "start_time": "%(begin)s",
            "end_time": "%(end)s",
            "origin": "AWS::ECS::Container",
            "http": {
                "request": {
                    "method": "GET",
                    "url": f"https://{service}.example/films/%(page)s/",
                    "user_agent": "Mozilla/5.0 (X11; Linux x86_64; rv:130.0) Gecko/20100101",
                    "client_ip": "203.0.113.7",
                },
                "response": {"status": "%(status)s", "content_length": 5120},
            },
            "aws": {"account_id": "123456789012", "xray": {"sdk": "X-Ray", "sdk_version": "2.15"}},
            "annotations": {
                "route": "film",
                "customer": "%(customer)s",
                "is_cold": False,
                "items": 3,
            },
            "subsegments": [
                {
                    "id": "%(work)s",
                    "name": "render",
                    "start_time": "%(begin)s",
                    "end_time": "%(end)s",
                    "subsegments": [target],
                },
                call,
            ],
            "metadata": {"default": {"notes": "%(notes)s"}},
        }
        text = (
            json.dumps(segment).replace('"%(begin)s"', "%(begin)r").replace('"%(end)s"', "%(end)r")
        )
        text = text.replace('"%(middle)s"', "%(middle)r").replace('"%(status)s"', "%(status)d")
        self._text = text.replace('"origin"', '%(more)s"origin"')

    def fill(
        self,
        chance: random.Random,
        trace_id: str,
        parent_id: str,
        begin: float,
        end: float,
        has_fault: bool,
        customer: str,
    ) -> tuple[bytes, str]:
        """Return a segment, and the id of its call to the next service."""
        ids = f"{chance.getrandbits(256):064x}"
        call = ids[:16]
        values = {
            "trace_id": trace_id,
            "id": ids[16:32],
            "call": call,
            "target": ids[32:48],
            "work": ids[48:],
            "begin": round(begin, 6),
            "end": round(end, 6),
            "middle": round(begin + (end - begin) / 3, 6),
            "page": chance.randrange(PAGES),
            "status": 500 if has_fault else 200,
            "customer": customer,
            "more": ('"fault": true, ' if has_fault else "")
            + (f'"parent_id": "{parent_id}", ' if parent_id else ""),
            "notes": "",
        }
        text = self._text % values
        return (self._text % (values | {"notes": "x" * (SEGMENT_BYTES - len(text))})).encode(), call
