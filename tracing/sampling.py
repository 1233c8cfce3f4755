"""Decide which requests are traced: by X-Ray's sampling rules, as the daemon passes them on.

One thread for each process asks for the rules and reports what was sampled, from the first decision
on. Without a daemon, local rules decide. Importing this module loads neither botocore nor HTTP.

Source: https://docs.aws.amazon.com/xray/latest/devguide/xray-api-sampling.html
"""

import json
import logging
import math
import os
import random
import sys
import threading
import time
import weakref
from collections.abc import Callable, Iterable
from typing import Any

from aws_xray_sdk import global_sdk_config

from .sampling_rules import (
    DEFAULT_LOCAL_RULES,
    REPORT_INTERVAL_SECONDS,
    Counts,
    RuleSet,
    Tally,
    as_number,
    read_central_rule,
    read_local_rules,
)

log = logging.getLogger(__name__)

RULES_PATH = "/GetSamplingRules"
TARGETS_PATH = "/SamplingTargets"
RULES_INTERVAL_SECONDS = 300.0
RULES_LIFETIME_SECONDS = 3600.0
RETRY_SECONDS = 10.0
# Spreads the processes of a host over the interval, as a part of it.
JITTER = 0.02
TIMEOUT_SECONDS = 2.0
MAX_ANSWER_BYTES = 4 * 1024 * 1024
# https://docs.aws.amazon.com/xray/latest/api/API_GetSamplingTargets.html
MAX_REPORTS = 25
MAX_PAGES = 100


class Sampler:
    """Decides by central sampling rules, else by local ones; in place of the SDK's DefaultSampler.

    clock: seconds that only grow.
    """

    _thread: threading.Thread | None

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._address = ("127.0.0.1", 2000)
        self._has_settings = False
        self._context: Any = None
        self._origin: str | None = None
        self._rules = RuleSet((), -math.inf)
        self._local_rules = read_local_rules(DEFAULT_LOCAL_RULES)
        self._has_failed = False
        # When a rule was last changed, on the service's clock.
        self._rules_modified = 0.0
        self._begin_anew()
        _samplers.add(self)

    def should_trace(self, sampling_req: dict[str, Any] | None = None) -> str | bool:
        """Return the name of the central rule that samples the request, True for a local, or False.

        sampling_req: any of host, method, path, service and service_type. Never raises.
        """
        if not global_sdk_config.sdk_enabled():
            return False
        try:
            if self._thread is None:
                self.start()
            request = sampling_req or {}
            if self._origin and not request.get("service_type"):
                request = {**request, "service_type": self._origin}
            now = self._clock()
            rules = self._rules
            rule = rules.find(request) if now < rules.ends else None
            if rule is None:
                rule = self._local_rules.find(request)
            # The last local rule applies to everything.
            return rule.answer if rule and rule.tally.decide(now, rule.can_borrow) else False
        except Exception:
            if not self._has_failed:
                self._has_failed = True
                log.warning("Could not sample a request; not traced. Said once.", exc_info=True)
            return False

    def load_local_rules(self, rules: dict[str, Any]) -> None:
        """Decide by these rules while there are no central ones.

        rules: the SDK's format, version 1 or 2. Raises ValueError if they are not.
        Source: https://docs.aws.amazon.com/xray-sdk-for-python/latest/reference/configurations.html
        """
        self._local_rules = read_local_rules(rules)

    def load_settings(self, daemon_config: Any, context: Any, origin: str | None = None) -> None:
        """Ask the daemon at its TCP address; `origin` is the service type of all requests."""
        address = (daemon_config.tcp_ip, daemon_config.tcp_port)
        self._has_settings = True
        self._context, self._origin = context, origin
        if address != self._address:
            self._address = address
            self._rules_due = -math.inf
            self._wake.set()

    def start(self) -> None:
        """Start asking for rules, unless that runs already or the SDK is switched off."""
        if not global_sdk_config.sdk_enabled():
            return
        with self._lock:
            if self._thread is not None:
                return
            self._wake, self._stopped = threading.Event(), threading.Event()
            self._thread = threading.Thread(
                target=self._run,
                args=(self._wake, self._stopped),
                name="xray-sampling",
                daemon=True,
            )
            try:
                self._thread.start()
            except RuntimeError as exception:
                # There can be no more threads; not tried again for each request.
                log.warning("Local sampling rules apply: no thread can be started: %s", exception)

    def stop(self) -> None:
        """Stop asking; the next decision starts it again."""
        with self._lock:
            self._stopped.set()
            self._wake.set()
            self._thread = None

    def _begin_anew(self) -> None:
        """Be the sampler of this process; threads left behind by a fork may still hold locks."""
        self._lock = threading.Lock()
        self._wake = threading.Event()
        self._stopped = threading.Event()
        self._thread = None
        self._client_id = os.urandom(12).hex()
        self._failing: str | None = None
        self._rules_due = self._targets_due = -math.inf
        for rule in (*self._rules.rules, *self._local_rules.rules):
            rule.tally.begin_anew()

    def _run(self, wake: threading.Event, stopped: threading.Event) -> None:
        self._use_default_address()
        self._hide_from_instrumentation()
        while not stopped.is_set():
            wake.clear()
            enabled = global_sdk_config.sdk_enabled()
            wake.wait(self._poll() if enabled else RETRY_SECONDS)

    def _use_default_address(self) -> None:
        """Ask the daemon that AWS_XRAY_DAEMON_ADDRESS names, unless there are settings."""
        if self._has_settings:
            return
        from aws_xray_sdk.core.daemon_config import DaemonConfig

        try:
            config = DaemonConfig()
        except Exception as exception:
            log.warning("Sampling rules are asked for at 127.0.0.1:2000: %s", exception)
            return
        if not self._has_settings:
            self._address = (config.tcp_ip, config.tcp_port)

    def _hide_from_instrumentation(self) -> None:
        """Open an unsampled segment in this thread, lest a patched http.client traces the calls."""
        core = sys.modules.get("aws_xray_sdk.core.models.dummy_entities")
        if core is not None and self._context is not None:
            try:
                self._context.set_trace_entity(core.DummySegment())
            except Exception:
                # The SDK's context for asyncio needs a loop; there nothing is traced in threads.
                log.debug("The context takes no segment in this thread.", exc_info=True)

    def _poll(self) -> float:
        """Do what is due; return the seconds until something is due again."""
        now = self._clock()
        if now >= self._rules_due:
            self._rules_due = retry = now + jitter(RETRY_SECONDS)
            loaded = self._attempt(RULES_PATH, self._load_rules)
            # Unless there is a new address meanwhile, which is asked at once.
            if loaded and self._rules_due == retry:
                self._rules_due = now + jitter(RULES_INTERVAL_SECONDS)
            if self._targets_due == -math.inf:
                self._targets_due = now + REPORT_INTERVAL_SECONDS
        if now >= self._targets_due:
            self._attempt(TARGETS_PATH, self._report)
            intervals = [rule.tally.interval_seconds for rule in self._rules.rules]
            self._targets_due = now + jitter(min(intervals, default=REPORT_INTERVAL_SECONDS))
        return max(0.0, min(self._rules_due, self._targets_due) - self._clock())

    def _attempt(self, path: str, action: Callable[[], bool]) -> bool:
        """Return whether the daemon answered; say so when it ceases to, and when it does again."""
        url = "http://{}:{}{}".format(*self._address, path)
        try:
            answered = action()
        except Exception as exception:
            if self._failing is None:
                self._failing = path
                log.warning(
                    "No answer about sampling from %s: %r. The last rules apply for an hour, then "
                    "the local ones. Said once, until there is an answer again.",
                    url,
                    exception,
                )
            return False
        if answered and self._failing == path:
            self._failing = None
            log.info("Answers about sampling come from %s again.", url)
        return answered

    def _load_rules(self) -> bool:
        """Replace all rules by those of the service. Raises if it does not answer as it should."""
        records: list[Any] = []
        fields: dict[str, Any] = {}
        for _ in range(MAX_PAGES):
            answer = self._call(RULES_PATH, fields)
            records.extend(answer["SamplingRuleRecords"])
            if not answer.get("NextToken"):
                break
            fields = {"NextToken": answer["NextToken"]}
        tallies = {rule.answer: rule.tally for rule in self._rules.rules}
        rules = [rule for record in records if (rule := read_central_rule(record, tallies))]
        rules.sort(key=lambda rule: (rule.priority, rule.answer))
        self._rules = RuleSet(tuple(rules), self._clock() + RULES_LIFETIME_SECONDS)
        for record in records:
            modified = as_number(record.get("ModifiedAt")) if isinstance(record, dict) else None
            self._rules_modified = max(self._rules_modified, modified or 0.0)
        return True

    def _report(self) -> bool:
        """Report what was sampled and take the targets; False if there was nothing to report."""
        now = self._clock()
        due = {
            str(rule.answer): rule.tally
            for rule in self._rules.rules
            if now >= rule.tally.report_due
        }
        taken = {name: tally.take_counts() for name, tally in due.items()}
        reports = [(name, counts) for name, counts in taken.items() if counts.requests]
        answered = False
        try:
            while reports:
                answer = self._call(TARGETS_PATH, self._make_report(reports[:MAX_REPORTS]))
                del reports[:MAX_REPORTS]
                self._take_targets(answer, due)
                answered = True
        finally:
            for name, counts in reports:
                due[name].give_back(counts)
        return answered

    def _make_report(self, reports: Iterable[tuple[str, Counts]]) -> dict[str, Any]:
        return {
            "SamplingStatisticsDocuments": [
                {
                    "RuleName": name,
                    "ClientID": self._client_id,
                    "Timestamp": int(time.time()),
                    "RequestCount": counts.requests,
                    "SampledCount": counts.sampled,
                    "BorrowCount": counts.borrowed,
                }
                for name, counts in reports
            ]
        }

    def _take_targets(self, answer: dict[str, Any], tallies: dict[str, Tally]) -> None:
        now, wall_time = self._clock(), time.time()
        for target in answer["SamplingTargetDocuments"]:
            tally = tallies.get(target.get("RuleName"))
            if tally is None:
                continue
            ends = as_number(target.get("ReservoirQuotaTTL"))
            tally.set_target(
                as_number(target.get("FixedRate")),
                as_number(target.get("ReservoirQuota")),
                # From the calendar to a clock that nobody sets.
                None if ends is None else now + ends - wall_time,
            )
            interval = as_number(target.get("Interval"))
            if interval is not None:
                tally.interval_seconds = min(max(interval, 1.0), RULES_INTERVAL_SECONDS)
            tally.report_due = now + tally.interval_seconds
        modified = as_number(answer.get("LastRuleModification")) or 0.0
        if modified > self._rules_modified:
            self._rules_modified = modified
            self._rules_due = -math.inf

    def _call(self, path: str, fields: dict[str, Any]) -> dict[str, Any]:
        """Post to the daemon, which signs the call and passes it on; return the answer."""
        # Costs milliseconds, which the start of the site need not wait for.
        from http.client import HTTPConnection, HTTPException

        connection = HTTPConnection(*self._address, timeout=TIMEOUT_SECONDS)
        try:
            body = json.dumps(fields)
            connection.request("POST", path, body, {"Content-Type": "application/json"})
            response = connection.getresponse()
            answer = response.read(MAX_ANSWER_BYTES)
        finally:
            connection.close()
        if response.status != 200:
            raise HTTPException(f"Expected the status 200, got {response.status}: {answer[:200]!r}")
        decoded = json.loads(answer)
        if not isinstance(decoded, dict):
            raise HTTPException(f"Expected a JSON object, got {answer[:200]!r}")
        return decoded


def jitter(seconds: float) -> float:
    """Return the seconds and up to 2 % more."""
    return seconds * (1 + JITTER * random.random())  # noqa: S311


def _begin_anew_in_child() -> None:
    for sampler in list(_samplers):
        sampler._begin_anew()


_samplers: "weakref.WeakSet[Sampler]" = weakref.WeakSet()
if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_begin_anew_in_child)


# The name under which the SDK asks for it (tracing/__init__.py).
DefaultSampler = Sampler
