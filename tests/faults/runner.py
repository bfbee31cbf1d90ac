"""Runs the scenarios of faults, several at a time, and a normal day at the same time.

One fault: a fleet without alerts, the fault, its alerts and time for others, the repair, no more alerts.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from typing import Final

from faults.fleet import Fleet, Options, SentinelFleet
from faults.monitor import Monitor, Receipt
from faults.scenarios import Scenario
from support.polling import wait_until

#: Scales all durations in the rules and in Alertmanager's configuration.
FAST: Final = 60.0
#: For faults in which a worker stops sending heartbeats: the exporter's 15 seconds are not scaled, and must
#: be short compared with the minutes of the rules.
SLOW: Final = 10.0
#: For alerts that take hours.
FASTEST: Final = 600.0
#: Seconds that an alert may take to fire or to resolve on a slow machine.
PATIENCE = 240.0
#: Seconds before the fault by default.
REST: Final = 5.0
#: How long a fault stays after its alerts, so that any other alert could fire too: the longest ordinary
#: ``for`` (15 minutes) and Alertmanager's ``group_interval`` (5 minutes).
STAY: Final = 20 * 60.0
#: Bounds of STAY in seconds once it is scaled: evaluations are at least one second apart.
STAYS: Final = (5.0, 60.0)


@dataclass(frozen=True, slots=True)
class Fault:
    """What is broken, and which alerts must fire."""

    name: str
    scenario: Callable[[Fleet], Scenario]
    alerts: tuple[str, ...]
    #: Alerts after the first repair, where that causes a further fault.
    later: tuple[str, ...] = ()
    #: Alerts that may fire too.
    may: tuple[str, ...] = ()
    #: Alerts that may fire too and look back for hours: no test waits until they resolve.
    lasting: tuple[str, ...] = ()
    options: Options = field(default_factory=Options)
    factor: float = FAST
    #: Seconds before the fault, in which no alert may fire.
    rest: float = REST
    #: Prepares the fleet before it is monitored.
    before: Callable[[Fleet], None] | None = None

    @property
    def stay(self) -> float:
        """Seconds from the last of its alerts to the repair."""
        least, most = STAYS
        return min(max(STAY / self.factor, least), most)

    @property
    def phases(self) -> tuple[tuple[str, ...], ...]:
        """The alerts that must fire at each ``yield`` of the scenario."""
        return (self.alerts, self.later) if self.later else (self.alerts,)


@dataclass(slots=True)
class Outcome:
    """The notifications of one fault."""

    receipts: list[Receipt] = field(default_factory=list)
    seconds: dict[str, float] = field(default_factory=dict)  # alert → from the fault to the webhook

    @property
    def names(self) -> set[str]:
        """All alerts that fired. A notification may also hold a resolved alert that was inhibited."""
        return {receipt.notice.name for receipt in self.receipts if receipt.notice.status == "firing"}

    @property
    def story(self) -> str:
        """One line for each notice, with the seconds since the first."""
        notices = [(receipt.at - self.receipts[0].at, receipt.notice) for receipt in self.receipts]
        return "\n".join(f"{at:6.1f} {notice.name} {notice.status}" for at, notice in notices)


def inject(fault: Fault, monitor: Monitor, folder: Path, *, repair: bool = True) -> Outcome:
    """Cause a fault and repair it; AssertionError when an alert does not fire or does not resolve.

    Without ``repair`` it ends as soon as all alerts have fired.
    """
    outcome = Outcome()
    with ExitStack() as cleanup:
        fleet = Fleet(folder / fault.name, fault.options, fault.factor, cleanup)
        if fault.options.traffic:
            cleanup.enter_context(fleet.producer.traffic("answer", per_second=fault.options.traffic))
        if fault.before:
            fault.before(fleet)
        monitor.watch(fault.name, [f"127.0.0.1:{exporter.port}" for exporter in fleet.exporters])
        try:
            scenario = fault.scenario(fleet)
            _break(fault, scenario, monitor, outcome, stay=repair)
            if repair:
                assert next(scenario, "repaired") == "repaired"
                over = partial(monitor.is_over, fault.name, fault.lasting)
                _wait(over, "the end of all alerts", fault, monitor)
            scenario.close()
        finally:
            outcome.receipts = monitor.receipts(fault.name)
            monitor.forget(fault.name)
    return outcome


def _break(fault: Fault, scenario: Scenario, monitor: Monitor, outcome: Outcome, *, stay: bool) -> None:
    time.sleep(fault.rest)
    assert monitor.receipts(fault.name) == [], "alerts before the fault"
    for phase in fault.phases:
        began = time.monotonic()
        next(scenario)
        for name in phase:
            _wait(lambda name=name: monitor.has_fired(fault.name, name), name, fault, monitor)  # type: ignore[misc]
            outcome.seconds[name] = monitor.fired_at(fault.name, name) - began
        if stay:
            time.sleep(fault.stay)


def _wait(check: Callable[[], bool], what: str, fault: Fault, monitor: Monitor) -> None:
    """As wait_until; the error names the alerts that fired and those that are active."""
    try:
        wait_until(check, timeout=PATIENCE, interval=0.1)
    except AssertionError:
        fired, active = sorted(monitor.names(fault.name)), monitor.active(fault.name)
        raise AssertionError(
            f"{fault.name}: no {what} within {PATIENCE:g} s; fired {fired}, active {active}"
        ) from None


#: Fleets at a time: most of their time is spent waiting.
FLEETS: Final = 10
_NORMAL_DAY: Final = "a-normal-day"


@dataclass(frozen=True, slots=True)
class Run:
    """All faults of a test run, injected in the background."""

    monitors: dict[float, Monitor]  # by factor
    outcomes: dict[str, Future[Outcome]]  # by the fault's name
    normal_day: Future[list[Receipt]]


@contextmanager
def run(folder: Path, faults: Iterable[Fault]) -> Iterator[Run]:
    """Start to inject these faults and to run a normal day."""
    with ExitStack() as cleanup:
        factors = {SLOW, *(fault.factor for fault in faults)}
        monitors = {
            factor: Monitor(folder / f"monitor-{factor:g}", factor=factor, cleanup=cleanup)
            for factor in factors
        }
        pool = ThreadPoolExecutor(FLEETS)
        cleanup.callback(pool.shutdown, cancel_futures=True)
        day = pool.submit(normal_day, monitors[SLOW], folder)
        outcomes = {
            fault.name: pool.submit(inject, fault, monitors[fault.factor], folder) for fault in faults
        }
        yield Run(monitors, outcomes, day)


def normal_day(monitor: Monitor, folder: Path) -> list[Receipt]:
    """Bursts, a rolling restart, a restart of the exporter, a failover; the notifications of all that.

    At the smallest factor: a restart takes two seconds, so minutes must not become two seconds.
    """
    with ExitStack() as cleanup:
        options = Options(workers=2, redis={"appendonly": "yes"})
        fleet = SentinelFleet(folder / _NORMAL_DAY, options, SLOW, cleanup)
        monitor.watch(_NORMAL_DAY, [f"127.0.0.1:{fleet.exporters[0].port}"])
        with fleet.producer.traffic("answer", per_second=5):
            for _ in range(3):
                fleet.producer.send("answer", 0.02, times=200)
                time.sleep(5)
            for worker in tuple(fleet.workers):
                fleet.replace_worker(worker)
            fleet.exporters[0].stop()
            fleet.start_exporter(listen=f"127.0.0.1:{fleet.exporters[0].port}")
            time.sleep(10)
        # A job that a worker is fetching when Redis dies may become stuck, a fault of its own. So none is.
        time.sleep(2)
        fleet.fail_over()
        seen = fleet.beats()
        wait_until(lambda: len(seen & fleet.beats()) >= 2, timeout=60, what="heartbeats at the new primary")
        with fleet.producer.traffic("answer", per_second=5):
            time.sleep(600 / SLOW)  # ten minutes of the rules
        receipts = monitor.receipts(_NORMAL_DAY)
        monitor.forget(_NORMAL_DAY)
    return receipts
