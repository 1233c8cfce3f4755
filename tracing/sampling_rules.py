"""Sampling rules: read from the service or from settings, matched with requests, and counted.

Source: https://docs.aws.amazon.com/xray/latest/devguide/xray-console-sampling.html
"""

import math
import random
import re
import threading
from collections.abc import Callable
from typing import Any, NamedTuple

REPORT_INTERVAL_SECONDS = 10.0
# Key of a request, field of a rule. What differs most between requests is compared first.
CENTRAL_FIELDS = {
    "path": "URLPath",
    "method": "HTTPMethod",
    "host": "Host",
    "service": "ServiceName",
    "service_type": "ServiceType",
}
# The first version calls the host service_name.
LOCAL_FIELDS = {
    1: {"path": "url_path", "method": "http_method", "host": "service_name"},
    2: {"path": "url_path", "method": "http_method", "host": "host"},
}
DEFAULT_LOCAL_RULES = {"version": 2, "default": {"fixed_target": 1, "rate": 0.05}, "rules": []}

Matcher = Callable[[str], object]


class Counts(NamedTuple):
    """What a rule has decided since the last report; borrowed ones are not among the sampled."""

    requests: int
    sampled: int
    borrowed: int


class Tally:
    """The reservoir and the counts of a rule, which outlive its renewals."""

    def __init__(self, rate: float, fixed_quota: int | None = None) -> None:
        self.rate = rate
        self.interval_seconds = REPORT_INTERVAL_SECONDS
        self._fixed_quota = fixed_quota
        self.begin_anew()

    def begin_anew(self) -> None:
        """Forget everything but the rate: another process has its own counts and quota."""
        self._lock = threading.Lock()
        self._quota = self._fixed_quota
        self._quota_ends = -math.inf if self._fixed_quota is None else math.inf
        self._second = self._used = 0
        self._requests = self._sampled = self._borrowed = 0
        self.report_due = -math.inf

    def decide(self, now: float, can_borrow: bool) -> bool:
        """Return whether to trace one more request, and count it."""
        with self._lock:
            self._requests += 1
            second = int(now)
            if second != self._second:
                self._second, self._used = second, 0
            if self._quota is not None and now < self._quota_ends:
                if self._used < self._quota:
                    self._used += 1
                    self._sampled += 1
                    return True
            elif can_borrow and not self._used:
                self._used = 1
                self._borrowed += 1
                return True
            if random.random() < self.rate:  # noqa: S311
                self._sampled += 1
                return True
            return False

    def take_counts(self) -> Counts:
        """Return the counts and set them to zero."""
        with self._lock:
            counts = Counts(self._requests, self._sampled, self._borrowed)
            self._requests = self._sampled = self._borrowed = 0
            return counts

    def give_back(self, counts: Counts) -> None:
        """Add counts that could not be reported to those since."""
        with self._lock:
            self._requests += counts.requests
            self._sampled += counts.sampled
            self._borrowed += counts.borrowed

    def set_target(self, rate: float | None, quota: float | None, ends: float | None) -> None:
        """Take what the service allots; what it does not say stays. ends: on the clock of `now`."""
        with self._lock:
            if rate is not None:
                self.rate = rate
            if quota is not None:
                self._quota = int(quota)
            if ends is not None:
                self._quota_ends = ends


class Rule(NamedTuple):
    """A rule ready for use. answer: its name; True for a local rule, which has none."""

    priority: float
    answer: str | bool
    can_borrow: bool
    conditions: tuple[tuple[str, Matcher], ...]
    tally: Tally


class RuleSet(NamedTuple):
    """All rules of one moment, in the order in which they apply; replaced, never changed."""

    rules: tuple[Rule, ...]
    ends: float = math.inf

    def find(self, request: dict[str, Any]) -> Rule | None:
        """Return the first rule that applies; what the request does not say matches."""
        for rule in self.rules:
            for key, matches in rule.conditions:
                value = request.get(key)
                if value and not matches(value):
                    break
            else:
                return rule
        return None


def read_central_rule(record: Any, tallies: dict[str | bool, Tally]) -> Rule | None:
    """Return the rule of a SamplingRuleRecord, with its tally so far; None if it is not for us."""
    try:
        fields = record["SamplingRule"]
        if fields["Version"] != 1 or fields["ResourceARN"] != "*" or fields.get("Attributes"):
            return None
        name, rate = fields["RuleName"], as_number(fields["FixedRate"])
        priority, reservoir = as_number(fields["Priority"]), as_number(fields["ReservoirSize"])
        if rate is None or priority is None or reservoir is None or not isinstance(name, str):
            return None
        conditions = () if name == "Default" else make_conditions(fields, CENTRAL_FIELDS)
    except (KeyError, TypeError, AttributeError):
        return None
    tally = tallies.get(name)
    if tally is None:
        tally = Tally(rate)
    else:
        tally.set_target(rate, None, None)
    return Rule(priority, name, reservoir > 0, conditions, tally)


def read_local_rules(rules: Any) -> RuleSet:
    """Return local rules, the default last. Raises ValueError if they are not well-formed."""
    if not isinstance(rules, dict):
        raise ValueError(f"Expected sampling rules as a dict, got {rules!r}.")
    version, listed = rules.get("version"), rules.get("rules", [])
    if version not in (1, 2):
        raise ValueError(f"Expected 1 or 2 as the version of the sampling rules, got {version!r}.")
    if "default" not in rules:
        raise ValueError(
            "Expected a default among the sampling rules, as in "
            f"{{'default': {{'fixed_target': 1, 'rate': 0.05}}}}; got {sorted(map(str, rules))}."
        )
    if not isinstance(listed, (list, tuple)):
        raise ValueError(f"Expected a list as rules of the sampling rules, got {listed!r}.")
    names = LOCAL_FIELDS[version]
    made = [
        _read_local_rule(f"sampling rule {number}", rule, names)
        for number, rule in enumerate(listed, start=1)
    ]
    made.append(_read_local_rule("default sampling rule", rules["default"], {}))
    unwanted = [name for name in names.values() if rules["default"].get(name)]
    if unwanted:
        raise ValueError(
            "Expected only fixed_target and rate in the default sampling rule, since it applies to "
            f"every request; got {', '.join(unwanted)} too."
        )
    return RuleSet(tuple(made))


def _read_local_rule(which: str, rule: Any, names: dict[str, str]) -> Rule:
    if not isinstance(rule, dict):
        raise ValueError(f"Expected the {which} as a dict, got {rule!r}.")
    for name in names.values():
        if not isinstance(rule.get(name), str) or not rule[name]:
            raise ValueError(
                f"Expected a pattern like '*' as {name} of the {which}, got {rule.get(name)!r}."
            )
    target, rate = as_number(rule.get("fixed_target")), as_number(rule.get("rate"))
    if target is None or target < 0 or target != int(target):
        raise ValueError(
            "Expected a whole number of requests a second, 0 or more, as fixed_target of the "
            f"{which}, got {rule.get('fixed_target')!r}."
        )
    if rate is None or not 0 <= rate <= 1:
        raise ValueError(
            f"Expected a number from 0 to 1, like 0.05 for 5 %, as rate of the {which}, "
            f"got {rule.get('rate')!r}."
        )
    return Rule(0, True, False, make_conditions(rule, names), Tally(rate, int(target)))


def make_conditions(
    fields: dict[str, Any], names: dict[str, str]
) -> tuple[tuple[str, Matcher], ...]:
    """Return a condition for each pattern that does not match everything. names: by key."""
    return tuple(
        (key, make_matcher(fields[name]))
        for key, name in names.items()
        if set(fields[name]) != {"*"}
    )


def make_matcher(pattern: str) -> Matcher:
    """Return a test for a pattern: `*` for any text, `?` for a character, in either case."""
    first, *others = (
        ".".join(map(re.escape, part.split("?"))) for part in re.split(r"\*+", pattern)
    )
    # Atomic groups: each part is sought once, whatever follows, so no path takes long.
    sought = "".join(f"(?>.*?{part})" for part in others[:-1])
    last = f".*{others[-1]}" if others else ""
    return re.compile(first + sought + last, re.IGNORECASE | re.DOTALL).fullmatch


def as_number(value: Any) -> float | None:
    """Return a finite number, or None for anything else."""
    if isinstance(value, bool) or not isinstance(value, (int, float)):
        return None
    try:
        number = float(value)
    except OverflowError:
        return None
    return number if math.isfinite(number) else None
