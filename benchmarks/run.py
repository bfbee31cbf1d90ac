"""Measure ourselves against other tools on this machine and print one table.

    python benchmarks/run.py                    every row, about forty minutes
    python benchmarks/run.py hooks redis-cpu    some rows
    python benchmarks/run.py --quick            small and few repetitions: does it run at all?

Figures are medians of interleaved repetitions; a target is a ratio within one run.
"""

from __future__ import annotations

import argparse
import importlib
import sys
from collections.abc import Callable
from pathlib import Path

HERE = Path(__file__).resolve().parent

#: Row → module and function.
ROWS = {
    "hooks": "rows.hooks:measure",
    "worker-cpu": "rows.worker_cpu:measure",
    "scrape-small": "rows.scrape:small",
    "scrape-200": "rows.scrape:middling",
    "scrape-10000": "rows.large:measure",
    "freshness": "rows.freshness:measure",
    "redis-cpu": "rows.redis_cpu:measure",
    "memory": "rows.memory:measure",
    "panels": "rows.panels:measure",
}


def main(argv: list[str] | None = None) -> int:
    """Exit status: 0 all targets met, 1 a target missed, 2 bad input."""
    args = _arguments(argv)
    # As pytest's "pythonpath": the servers and programs of the tests are used here too.
    sys.path[:0] = [str(HERE), str(HERE.parent / "tests")]
    from harness.bench import Bench, Effort
    from harness.result import Result, table

    effort = Effort(args.repetitions or (2 if args.quick else 5), args.quick)
    results: list[Result] = []
    for row in args.rows or ROWS:
        print(f"measuring {row} ...", file=sys.stderr, flush=True)
        with Bench(effort) as bench:
            found = _function(ROWS[row])(bench)
        print(table(found), flush=True)
        results += found
    if len(args.rows) != 1:
        print(f"\n{table(results)}")
    return int(any(result.met is False for result in results))


def _function(name: str) -> Callable[..., list[object]]:
    module, _, function = name.partition(":")
    return getattr(importlib.import_module(module), function)  # type: ignore[no-any-return]


def _arguments(argv: list[str] | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        prog="run.py", description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("rows", nargs="*", metavar="ROW", help=f"one of {', '.join(ROWS)}; all by default")
    parser.add_argument("--quick", action="store_true", help="a tenth of the work, two repetitions")
    parser.add_argument("--repetitions", type=int, metavar="N", help="interleaved repetitions; 5 by default")
    args = parser.parse_args(argv)
    unknown = [row for row in args.rows if row not in ROWS]
    if unknown:
        parser.error(f"no row {unknown[0]!r}; expected one of {', '.join(ROWS)}")
    if args.repetitions is not None and args.repetitions < 1:
        parser.error(f"--repetitions must be at least 1, got {args.repetitions}")
    return args


if __name__ == "__main__":
    raise SystemExit(main())
