"""Time series: the statistics of chosen services or edges, period by period.

https://docs.aws.amazon.com/xray/latest/api/API_TimeSeriesServiceStatistics.html

A period is told if anything was counted in it. The forecast of a period is what its faults may be
if they go on as in the hour before: their mean a period, three standard deviations up and down.
X-Ray's own forecast is not documented (doubtful).
"""

import math
import statistics
from collections.abc import Iterable, Iterator
from typing import Any

from xray_local.traces.tallies import Tally

from .selector import Selector

FORECAST_SECONDS = 3600
DEVIATIONS = 3

Period = tuple[float, list[Tally]]


def write_series(
    periods: Iterable[Period],
    selector: Selector,
    start: float,
    *,
    forecast_period_seconds: int | None = None,
) -> Iterator[dict[str, Any]]:
    """Yield each period from the start on, in the shape TimeSeriesServiceStatistics.

    periods: in their order, those of the hour before the start too where there is a forecast.
    forecast_period_seconds: how long a period is; None without a forecast.
    """
    kind = "EdgeSummaryStatistics" if selector.is_of_edges else "ServiceSummaryStatistics"
    faults: dict[float, int] = {}
    for time, tallies in periods:
        found = selector.sum_up(tallies)
        faults[time] = found.faults
        if time < start or not found.total:
            continue
        written = {
            "Timestamp": time,
            kind: found.to_api(),
            "ResponseTimeHistogram": found.histogram_to_api(),
        }
        if forecast_period_seconds is not None:
            low, high = forecast_faults(faults, time, forecast_period_seconds)
            written["ServiceForecastStatistics"] = {"FaultCountHigh": high, "FaultCountLow": low}
        yield written


def forecast_faults(faults: dict[float, int], time: float, period_seconds: int) -> tuple[int, int]:
    """Return the least and the greatest number of faults to expect in the period of this time.

    faults: by period, as far as known; periods that are not there had none.
    """
    number = max(1, FORECAST_SECONDS // period_seconds)
    before = [faults.get(time - period_seconds * step, 0) for step in range(1, number + 1)]
    mean, deviation = statistics.fmean(before), statistics.pstdev(before)
    low = max(0, math.floor(mean - DEVIATIONS * deviation))
    return low, math.ceil(mean + DEVIATIONS * deviation)
