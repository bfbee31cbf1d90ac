"""Measure how long each alert takes from its fault to the webhook.

``python tests/faults/measure.py scaled`` at the factors of the tests, ``measure.py real`` at full
duration and with all faults at once. This takes an hour and 7 GB of memory, and leaves out what works
scaled only. Names of faults after that measure those alone.
"""

from __future__ import annotations

import sys
import tempfile
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor, as_completed
from contextlib import ExitStack
from dataclasses import replace
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[1]))

from faults import runner
from faults.monitor import Monitor
from faults.table import FAULTS, SCALED_ONLY


def main(names: Sequence[str], *, real: bool) -> None:
    """Print ``fault alert seconds`` for each alert, as soon as its fault is over."""
    runner.PATIENCE = 4200.0 if real else runner.PATIENCE
    faults = [fault for fault in FAULTS if not names or fault.name in names]
    if real:
        faults = [replace(fault, factor=1.0) for fault in faults if fault.name not in SCALED_ONLY]
    with tempfile.TemporaryDirectory() as name, ExitStack() as cleanup:
        folder = Path(name)
        monitors = {
            factor: Monitor(folder / f"monitor-{factor:g}", factor=factor, cleanup=cleanup)
            for factor in {fault.factor for fault in faults}
        }
        pool = cleanup.enter_context(ThreadPoolExecutor(len(faults) if real else runner.FLEETS))
        runs = {
            pool.submit(runner.inject, fault, monitors[fault.factor], folder, repair=False): fault.name
            for fault in faults
        }
        for run in as_completed(runs):
            if error := run.exception():
                sys.stdout.write(f"{runs[run]} failed: {error}\n")
            else:
                seconds = run.result().seconds.items()
                sys.stdout.writelines(f"{runs[run]} {alert} {taken:.1f}\n" for alert, taken in seconds)
            sys.stdout.flush()


if __name__ == "__main__":
    main(sys.argv[2:], real=sys.argv[1] == "real")
