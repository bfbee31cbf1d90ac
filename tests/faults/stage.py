"""Performs a fault: a fleet at rest, the fault, its alerts and time for others, the mend, silence."""

from __future__ import annotations

import time
from collections.abc import Callable
from contextlib import ExitStack
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from typing import Final

from faults.fleet import Fleet, Options
from faults.monitor import Monitor, Receipt
from faults.plays import Play
from support.polling import wait_until

#: By which all durations in the rules and in Alertmanager's configuration are divided.
FAST: Final = 60.0
#: For faults in which 15 seconds of silence, the exporter's own and undivided, must be short beside
#: the minutes of the rules.
SLOW: Final = 10.0
#: For alerts that take hours.
FASTEST: Final = 600.0
#: Seconds that an alert may take to come or to go, on a slow machine.
PATIENCE = 240.0
#: Seconds of a fleet to which nothing has happened yet.
REST: Final = 5.0
#: How long a fault stays once its alerts have come, so that others could come too: the longest ordinary
#: ``for``, a quarter of an hour, and what Alertmanager waits before it tells more of a group, five minutes.
STAY: Final = 20 * 60.0
#: Its bounds in seconds: evaluations are never less than one apart, and at SLOW the alerts took long already.
STAYS: Final = (5.0, 60.0)


@dataclass(frozen=True, slots=True)
class Fault:
    """What is broken, and who must hear of it."""

    name: str
    play: Callable[[Fleet], Play]
    alerts: tuple[str, ...]
    #: After the first mend, where that brings a fault of its own to light.
    later: tuple[str, ...] = ()
    #: What may come besides, with the reason beside it.
    may: tuple[str, ...] = ()
    #: What may come besides and looks back for hours: its end is not awaited.
    lasting: tuple[str, ...] = ()
    options: Options = field(default_factory=Options)
    factor: float = FAST
    #: What has been so for long when the fault begins.
    before: Callable[[Fleet], None] | None = None

    @property
    def stay(self) -> float:
        """Seconds from the last of its alerts to the mend."""
        least, most = STAYS
        return min(max(STAY / self.factor, least), most)

    @property
    def phases(self) -> tuple[tuple[str, ...], ...]:
        """What is awaited at each ``yield`` of the play."""
        return (self.alerts, self.later) if self.later else (self.alerts,)


@dataclass(slots=True)
class Outcome:
    """What the webhook heard of one fault."""

    receipts: list[Receipt] = field(default_factory=list)
    seconds: dict[str, float] = field(default_factory=dict)  # alert → from the fault to the webhook

    @property
    def names(self) -> set[str]:
        """All alerts that fired: a message may also tell the end of one that was silenced all the time."""
        return {receipt.notice.name for receipt in self.receipts if receipt.notice.status == "firing"}

    @property
    def story(self) -> str:
        """One line for each notice, with the seconds since the first."""
        notices = [(receipt.at - self.receipts[0].at, receipt.notice) for receipt in self.receipts]
        return "\n".join(f"{at:6.1f} {notice.name} {notice.status}" for at, notice in notices)


def perform(fault: Fault, monitor: Monitor, folder: Path, *, mend: bool = True) -> Outcome:
    """From silence to silence; AssertionError when an alert does not come or does not go.

    Without ``mend`` it ends as soon as all alerts have come.
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
            play = fault.play(fleet)
            _break(fault, play, monitor, outcome, stay=mend)
            if mend:
                assert next(play, "mended") == "mended"
                over = partial(monitor.is_over, fault.name, fault.lasting)
                _wait(over, "the end of all alerts", fault, monitor)
            play.close()
        finally:
            outcome.receipts = monitor.receipts(fault.name)
            monitor.forget(fault.name)
    return outcome


def _break(fault: Fault, play: Play, monitor: Monitor, outcome: Outcome, *, stay: bool) -> None:
    time.sleep(REST)
    assert monitor.receipts(fault.name) == [], "alerts before the fault"
    for phase in fault.phases:
        began = time.monotonic()
        next(play)
        for name in phase:
            _wait(lambda name=name: monitor.is_told(fault.name, name), name, fault, monitor)  # type: ignore[misc]
            outcome.seconds[name] = monitor.told_at(fault.name, name) - began
        if stay:
            time.sleep(fault.stay)


def _wait(check: Callable[[], bool], what: str, fault: Fault, monitor: Monitor) -> None:
    """As wait_until, but tells what was active when it gave up."""
    try:
        wait_until(check, timeout=PATIENCE, interval=0.1)
    except AssertionError:
        told, active = sorted(monitor.names(fault.name)), monitor.active(fault.name)
        raise AssertionError(
            f"{fault.name}: no {what} within {PATIENCE:g} s; told {told}, active {active}"
        ) from None
