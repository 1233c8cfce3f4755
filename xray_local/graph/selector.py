"""Which services or which edges a time series is of.

service("x"), edge("a", "b") and id(name: "x", type: "t"), several with OR between them. The client
of a service is a node of the type `client`.
https://docs.aws.amazon.com/xray/latest/api/API_GetTimeSeriesServiceStatistics.html

Without an expression the edges of the clients are meant: each request counts once, and Grafana's
data source takes the sum for the number of traces (doubtful: X-Ray's documents say no more than
"edge statistics").
"""

from collections.abc import Iterable
from dataclasses import dataclass

from xray_local.filters.parser import parse_selector
from xray_local.filters.syntax import EdgeTest, Id, ServiceTest
from xray_local.traces.services import Service
from xray_local.traces.tallies import Tally

from .model import CLIENT, list_sources
from .statistics import Statistics


@dataclass(frozen=True, slots=True)
class Selector:
    """Services or edges; is_exact says whether each is named by an id with name and type."""

    services: tuple[Id, ...]
    edges: tuple[tuple[Id, Id], ...]

    @property
    def is_of_edges(self) -> bool:
        """Whether it is edges that it chooses."""
        return bool(self.edges)

    @property
    def has_id(self) -> bool:
        """Whether every service is named by more than its name."""
        return bool(self.services) and all(each.name and each.type for each in self.services)

    def sum_up(self, tallies: Iterable[Tally]) -> Statistics:
        """Return the statistics of what is chosen, all together."""
        statistics = Statistics()
        for tally in tallies:
            if tally.shape.is_node and any(
                _fits(each, tally.shape.service) for each in self.services
            ):
                statistics.add(tally)
            for source in list_sources(tally.shape) if self.edges else ():
                if any(
                    _fits(start, source) and _fits(end, tally.shape.service)
                    for start, end in self.edges
                ):
                    statistics.add(tally)
        return statistics


def read_selector(text: str | None) -> Selector:
    """Return what the text chooses, the edges of clients if there is none. Raises BadFilter."""
    if text is None:
        return Selector((), ((Id(type=CLIENT), Id()),))
    tests = parse_selector(text)
    return Selector(
        tuple(test.id for test in tests if isinstance(test, ServiceTest)),
        tuple((test.source, test.target) for test in tests if isinstance(test, EdgeTest)),
    )


def _fits(wanted: Id, service: Service) -> bool:
    """Whether the service is all that is wanted of it."""
    return (
        wanted.name in (None, service.name)
        and wanted.type in (None, service.type)
        and wanted.account_id in (None, service.account_id)
    )
