"""What the boards' queries are run against: two Prometheus, one with one exporter and one with three.

A fleet runs under load for a little over a minute, has its mishaps, and comes to rest. Then everything is
stopped but the two Prometheus, and the tests ask about those two moments.
"""

from __future__ import annotations

import json
import re
import time
import urllib.parse
from collections.abc import Iterator, Mapping
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from bioagents_alerts import write_prometheus, write_rules
from support.board_fleet import COPIES, FLEET, BoardFleet
from support.boards import EVERYTHING, Query, fill
from support.monitoring import Prometheus, get
from support.polling import wait_until

#: Seconds between two scrapes.
SCRAPE: Final = 1
#: By which the rules' durations are divided: 5 minutes become 2.5 seconds, a rate of three scrapes.
FASTER: Final = 120
#: Seconds that a graph shows, and between two of its points.
SHOWN, STEP = 90, 5
#: Seconds over which rates are taken under load; at rest over all of the load.
RATE_INTERVAL: Final = 15
LOAD: Final = 120
#: Seconds of load over which means are taken; no load is shorter, since versions are compared over a minute.
MINUTE: Final = 60
#: Seconds without a change that are rest: what the rules look back half an hour for, so much faster.
STILL: Final = 16
#: Replaces an hour, a day or a week ago in a fleet that lives for two minutes.
_LONG_AGO: Final = re.compile(r"offset (5m|\d+[hdw])")
_HALF_A_MINUTE_AGO: Final = "offset 30s"

Series = tuple[dict[str, str], float]


@dataclass(frozen=True, slots=True)
class BoardStage:
    """Two Prometheus that scraped the same fleet, and the moments to ask about, as unix time."""

    one: Prometheus
    three: Prometheus
    exporters: tuple[str, ...]
    load: float
    rest: float

    def under_load(self, query: Query, **values: str) -> list[Series]:
        """The series of a query as Grafana asks for them, each with its last value; three exporters."""
        expression = _LONG_AGO.sub(_HALF_A_MINUTE_AGO, _filled(query, f"{RATE_INTERVAL}s", values))
        if query.instant:
            return instant(self.three, expression, self.load)
        answer = _ask(
            self.three, "query_range", query=expression, start=self.load - SHOWN, end=self.load, step=STEP
        )
        return [(series["metric"], float(series["values"][-1][1])) for series in answer]

    def moment(self, query: Query) -> list[Series]:
        """The series of a query at the end of the load, those of graphs too."""
        return instant(self.three, _filled(query, f"{RATE_INTERVAL}s", {}), self.load)

    def at_rest(self, query: Query, prometheus: Prometheus, before: float = 0.0) -> list[Series]:
        """The series of a query for the one fleet when nothing moved any more, ``before`` seconds earlier."""
        return instant(prometheus, _filled(query, f"{LOAD}s", {"fleet": FLEET}), self.rest - before)

    def mean(self, expression: str, prometheus: Prometheus, *, calm: bool = False) -> list[Series]:
        """Of each series of the one fleet over the last minute of the load, as far as it is there.

        ``calm`` adds the time until rest.
        """
        seconds, end = (MINUTE + round(self.rest - self.load), self.rest) if calm else (MINUTE, self.load)
        mean = f"avg_over_time(({expression})[{seconds}s:{SCRAPE}s])"
        return [found for found in instant(prometheus, mean, end) if found[0]["fleet"] == FLEET]


def instant(prometheus: Prometheus, expression: str, at: float) -> list[Series]:
    """Labels and value of each series of a query for one moment."""
    answer = _ask(prometheus, "query", query=expression, time=at)
    return [(series["metric"], float(series["value"][1])) for series in answer]


def _filled(query: Query, rate_interval: str, values: Mapping[str, str]) -> str:
    return fill(query.expression, {**EVERYTHING, "__rate_interval": rate_interval, **values})


def _ask(prometheus: Prometheus, path: str, **parameters: object) -> list[dict[str, Any]]:
    """Its answer; OSError when it refuses the query, AssertionError when it warns of it."""
    page = f"{prometheus.url}/api/v1/{path}?{urllib.parse.urlencode(parameters)}"
    answer: dict[str, Any] = json.loads(get(page))
    assert "warnings" not in answer, answer["warnings"]
    return list(answer["data"]["result"])


@contextmanager
def board_stage(folder: Path) -> Iterator[BoardStage]:
    """About two minutes of a fleet's life; only the two Prometheus still run when the tests begin."""
    with ExitStack() as cleanup:
        with ExitStack() as fleets:
            fleet = BoardFleet(folder, fleets)
            addresses = [f"127.0.0.1:{exporter.port}" for exporter in fleet.exporters]
            standby = f"127.0.0.1:{fleet.standby.port}"
            one = _prometheus(folder / "one", [addresses[0], standby], cleanup)
            three = _prometheus(folder / "three", [*addresses, standby], cleanup)
            load = _live(fleet, three)
            rest = _rest(fleet, three)
        yield BoardStage(one, three, tuple(addresses), load, rest)


def _prometheus(folder: Path, targets: list[str], cleanup: ExitStack) -> Prometheus:
    rules = write_rules(folder / "rules", factor=FASTER)
    prometheus = Prometheus(folder, write_prometheus(folder, targets, rules, [], scrape_interval=SCRAPE))
    cleanup.callback(prometheus.stop)
    return prometheus


#: What has happened before the tests look, each with the query that shows it.
_EVENTS: Final = {
    "a failure ratio of each busy queue from each copy":
        f'count(bioagents_queue_failure_ratio{{fleet="{FLEET}", queue!="archive"}}) >= {2 * COPIES}',
    "a failure": "bioagents_queue_failure_ratio > 0",
    "a firing alert": 'ALERTS{alertstate="firing"}',
    "a new version": 'bioagents_worker_info{version="1.1"}',
    "two missing workers": "bioagents_workers_missing >= 2",
    "a draining worker": "bioagents_queue_draining_workers > 0",
    "jobs that a dead worker holds": "bioagents_queue_orphaned_jobs > 0",
    "an overdue job": "bioagents_queue_overdue_delayed_jobs > 0",
    "a job that its worker lost": "bioagents_queue_stuck_jobs > 0",
    "a job that no worker holds": "bioagents_queue_unheld_jobs > 0",
    "jobs given to another worker": "sum(bioagents_jobs_redelivered_total) > 0",
    "skipped jobs": "sum(bioagents_jobs_skipped_total) > 0",
    "dead letters": "bioagents_queue_dead_expiring_jobs > 0",
}  # fmt: skip


def _live(fleet: BoardFleet, prometheus: Prometheus) -> float:
    """Load and mishaps; the moment at which all of them can be seen."""
    fleet.spoil_redis()
    busy = 'bioagents_queue_running_jobs{queue="reports"} >= 4'
    wait_until(lambda: prometheus.query(busy), timeout=60, what=busy)
    fleet.lose_workers()
    # The boards compare versions with those of a minute ago.
    before = "count(bioagents_worker_info offset 1m) >= 6"
    wait_until(lambda: prometheus.query(before), timeout=90, what=before)
    fleet.deploy()
    for event, query in _EVENTS.items():
        wait_until(lambda query=query: prometheus.query(query), timeout=180, what=event)  # type: ignore[misc]
    return _after(3 * SCRAPE)


def _rest(fleet: BoardFleet, prometheus: Prometheus) -> float:
    """The moment at which no copy has seen a change for a while."""
    fleet.come_to_rest()
    moves = " + ".join(
        f"sum(changes({name}[{STILL}s]))"
        for name in ("bioagents_jobs_processed_total", "bioagents_queue_depth")
    )
    still = "count(bioagents_queue_depth) > 0"
    wait_until(
        lambda: prometheus.query(still) and not prometheus.query(f"{moves} > 0"), timeout=180, what="rest"
    )
    return _after(2 * SCRAPE)


def _after(seconds: float) -> float:
    """Now, once the exporters have been scraped for so long more."""
    now = time.time()
    wait_until(lambda: time.time() > now + seconds, what="scrapes")
    return now + seconds
