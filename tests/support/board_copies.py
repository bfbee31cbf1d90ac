"""How far the answers of one exporter and of three may be apart, and what they differ in."""

from __future__ import annotations

import math
import re
from dataclasses import dataclass
from typing import Final

from support.board_stage import Series

#: By how large a share of the larger one two means may differ: a doubled one differs by half, a tripled by
#: two thirds. Rates are those of three scrapes here: the highest of three copies' is up to a fifth higher.
MEANS_SHARE: Final = 1 / 3
#: Differences of means that are too small to judge, by the first pattern that is in a series' name. What
#: happens less than once a second differs by up to a half: each event is a peak, and each copy sees its own.
MEANS_AMOUNT: Final = (
    (r"^host:", 0.02),  # one start, which is seen for a third of the time
    (r"cpu_seconds", 0.01),  # of a processor; the kernel counts in hundredths of a second
    (r":(ratio|share)_rate|:p\d\d_", 0.05),
    (r":increase", 1.5),  # one job, as Prometheus extrapolates it
    (r"_bucket:", 2.0),  # between the first and the last bucket there is little
    (r"", 1.0),  # jobs, or jobs in a second
)


@dataclass(frozen=True, slots=True)
class Allowance:
    """How far two copies may be apart in what a query names, although no job moves, and why."""

    pattern: str
    reason: str
    share: float = 0.1
    amount: float = 0.0


ALLOWED: Final = (
    Allowance(
        r"rate\(", "the first and the last scrape of a range are each up to a second apart", amount=0.1
    ),
    Allowance(
        r":(rate|ratio|avg|p\d\d)",
        "recorded over ranges of 2.5 s and more, by each Prometheus at moments of its own",
        share=0.25,
        amount=0.3,
    ),
    # A new counter's first rate depends on its first value, which Prometheus extrapolates towards 0.
    Allowance(r":increase", "the same, in jobs", amount=5),
    Allowance(r"time\(\)|_age_|_running_job_sec|clock|flush", "idle workers beat every 5 s", amount=10),
    Allowance(r"jobs_hanging", "recorded by each Prometheus at moments of its own", amount=2),
    Allowance(
        r"failure_ratio|failures_per|drain_sec", "each copy samples at moments of its own", amount=0.05
    ),
    Allowance(r"memory|worker_cpu", "measured again at each moment"),
    Allowance(r"ALERTS_FOR_STATE", "each copy audits Redis at moments of its own", share=math.inf),
    Allowance(r":deriv", "a slope of what hardly moves is noise", share=math.inf),
    Allowance(r"exporter_|round_trip|process_", "each copy measures itself", share=math.inf),
)


def differences(expression: str, one: list[Series], three: list[Series]) -> list[str]:
    """Series that are in one answer alone, and values further apart than they may be."""
    ours, theirs = by_labels(one), by_labels(three)
    found = []
    if not expression.startswith("topk("):  # its last places may go to others whose values are as high
        found += [f"{labels} once" for labels in ours.keys() ^ theirs.keys()]
    elif bool(ours) != bool(theirs):
        found += [f"{len(ours)} series and {len(theirs)}"]
    allowed = [allowance for allowance in ALLOWED if re.search(allowance.pattern, expression)]
    share = max((allowance.share for allowance in allowed), default=0.0)
    amount = max((allowance.amount for allowance in allowed), default=0.0)
    for labels in ours.keys() & theirs.keys():
        a, b = ours[labels], theirs[labels]
        if not (math.isclose(a, b, rel_tol=share, abs_tol=amount) or (math.isnan(a) and math.isnan(b))):
            found.append(f"{labels} {a} and {b}")
    return found


def of_fleets(series: list[Series]) -> list[Series]:
    """The same values with the fleet as their only label."""
    return [({"fleet": labels["fleet"]}, value) for labels, value in series]


def means_apart(name: str, one: list[Series], three: list[Series]) -> list[str]:
    """Means further apart than they may be. A series that is in one answer alone is at 0 in the other."""
    ours, theirs = by_labels(one), by_labels(three)
    amount = next(amount for pattern, amount in MEANS_AMOUNT if re.search(pattern, name))
    pairs = {labels: (ours.get(labels, 0.0), theirs.get(labels, 0.0)) for labels in ours | theirs}
    return [
        f"{labels} {a} and {b}"
        for labels, (a, b) in pairs.items()
        if not math.isclose(a, b, rel_tol=MEANS_SHARE, abs_tol=amount)
    ]


def by_labels(series: list[Series]) -> dict[str, float]:
    """Labels as text → value; AssertionError when two series have the same ones."""
    found = {str(sorted(labels.items())): value for labels, value in series}
    assert len(found) == len(series)
    return found
