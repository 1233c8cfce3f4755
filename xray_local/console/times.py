"""Times and durations, written for people."""

from datetime import UTC, datetime


def write_moment(seconds: float) -> str:
    """Return a time since 1970 as this machine's clock shows it, to the millisecond."""
    moment = _as_local(seconds)
    return f"{moment:%Y-%m-%d %H:%M:%S}.{moment.microsecond // 1000:03d} {moment:%Z}".strip()


def write_clock(seconds: float) -> str:
    """Return the hour of a time since 1970, with the day unless that is today."""
    moment = _as_local(seconds)
    clock = f"{moment:%H:%M:%S}.{moment.microsecond // 1000:03d}"
    is_today = moment.date() == datetime.now(moment.tzinfo).date()
    return clock if is_today else f"{moment:%Y-%m-%d} {clock}"


def write_iso(seconds: float) -> str:
    """Return a time since 1970 as HTML's <time> reads it."""
    return datetime.fromtimestamp(seconds, UTC).isoformat(timespec="milliseconds")


def write_local(seconds: float) -> str:
    """Return a time as a form's field of a local time has it, to the second."""
    return _as_local(seconds).strftime("%Y-%m-%dT%H:%M:%S")


def write_duration(milliseconds: float) -> str:
    """Return a duration in the unit that suits it, to three digits or so."""
    if milliseconds < 9.995:
        return f"{milliseconds:.2f} ms"
    if milliseconds < 999.5:
        return f"{milliseconds:.0f} ms"
    seconds = milliseconds / 1000
    if seconds < 59.995:
        return f"{seconds:.2f} s"
    minutes, seconds = divmod(round(seconds), 60)
    hours, minutes = divmod(minutes, 60)
    return f"{hours:,} h {minutes} min" if hours else f"{minutes} min {seconds} s"


def write_offset(milliseconds: float) -> str:
    """Return a time after the start of the trace."""
    return f"+{write_duration(milliseconds)}"


def write_difference(milliseconds: float) -> str:
    """Return a duration with its sign; 0 without one."""
    if not milliseconds:
        return "0"
    sign = "+" if milliseconds > 0 else "\N{MINUS SIGN}"
    return f"{sign}{write_duration(abs(milliseconds))}"


def _as_local(seconds: float) -> datetime:
    moment = datetime.fromtimestamp(seconds, UTC)
    try:
        return moment.astimezone()
    except (OverflowError, ValueError):  # the edges of the calendar
        return moment
