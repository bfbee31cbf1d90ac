"""Many faults performed at a time, since most of their time is spent waiting."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path

from faults.monitor import Monitor, Receipt
from faults.silence import ordinary_day
from faults.stage import SLOW, Fault, Outcome, perform

#: Fleets at a time.
STAGES = 10


@dataclass(frozen=True, slots=True)
class Season:
    """What is under way, over or yet to come."""

    monitors: dict[float, Monitor]  # by factor
    outcomes: dict[str, Future[Outcome]]  # by the fault's name
    silence: Future[list[Receipt]]


@contextmanager
def season(folder: Path, faults: Iterable[Fault]) -> Iterator[Season]:
    """Begin to perform these faults, and an ordinary day beside them."""
    with ExitStack() as cleanup:
        factors = {SLOW, *(fault.factor for fault in faults)}
        monitors = {
            factor: Monitor(folder / f"monitor-{factor:g}", factor=factor, cleanup=cleanup)
            for factor in factors
        }
        pool = ThreadPoolExecutor(STAGES)
        cleanup.callback(pool.shutdown, cancel_futures=True)
        silence = pool.submit(ordinary_day, monitors[SLOW], folder)
        outcomes = {
            fault.name: pool.submit(perform, fault, monitors[fault.factor], folder) for fault in faults
        }
        yield Season(monitors, outcomes, silence)
