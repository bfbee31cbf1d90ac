"""The cost of the boards' panels on a Prometheus with one day of a large fleet.

Every query as Grafana asks it with everything chosen: a graph over the day in about a thousand points, a table
at its end. A panel takes as long as all its queries one after the other, although Grafana asks them at once.
"""

from __future__ import annotations

import functools
import re
import statistics
import sys
import time
import urllib.error
from collections import defaultdict
from collections.abc import Callable, Iterator

import yaml

from bioagents_alerts import rules_folder, write_prometheus
from harness.asking import Asker, Cost
from harness.bench import Bench
from harness.history import HistoryShape, recorded_labels, write
from harness.result import Result
from support.boards import annotation_queries, boards, queries, variable_query
from support.monitoring import Prometheus, get
from support.polling import wait_until

WORKERS, QUEUES = 1_000, 100
REACH = 1.0  # second
#: A query that takes longer (seconds) runs twice more; the minimum counts, as other load only adds time.
AGAIN = (0.2, 3.0)
#: The slowest panels of each board in the table, besides those above the target.
NAMED = 2
#: Step of an annotation's query in seconds.
ANNOTATED = 60
NOT_ANSWERED = Cost(float("inf"), float("inf"))

#: Panel, query, kind of query, and its arguments.
Question = tuple[str, str, Callable[..., Cost], *tuple[str | int, ...]]
Costs = dict[str, dict[str, Cost]]  # panel → query → its cost


def measure(bench: Bench) -> list[Result]:
    """The slowest panels of each board, and all that are slower than the target."""
    workers, queues_ = bench.effort.of(WORKERS), bench.effort.of(QUEUES)
    fleet = HistoryShape(workers, queues_, end=int(time.time()) // 60 * 60)
    prometheus = _prometheus(bench, fleet)
    asker = Asker(prometheus.url, prometheus.program.pid, fleet)
    _check_recorded(asker)
    costs: Costs = defaultdict(dict)
    least = functools.cache(_least)  # a query of several boards runs once
    for panel, query, *question in _questions(asker):
        costs[panel][query] = least(*question)
    return list(_results(costs, f"{workers:,} workers, {queues_} queues, 24 h"))


def _prometheus(bench: Bench, fleet: HistoryShape) -> Prometheus:
    """A Prometheus with the day, compacted except for the last hours, as after scraping it."""
    folder = bench.subfolder("prometheus")
    config = write_prometheus(folder, [], [], [], scrape_interval=fleet.scrape)
    prometheus = bench.keep(Prometheus(folder, config, "--web.enable-remote-write-receiver"))
    began = time.monotonic()
    series = write(fleet, prometheus.url)
    wait_until(lambda: _head_hours(prometheus) < 3.1, timeout=120, interval=1, what="compaction")  # noqa: PLR2004
    print(f"  {series:,} series written in {time.monotonic() - began:.0f} s", file=sys.stderr, flush=True)
    return prometheus


def _head_hours(prometheus: Prometheus) -> float:
    """The number of samples that are not in blocks yet."""
    page = get(f"{prometheus.url}/metrics")
    found = dict(re.findall(r"^prometheus_tsdb_head_(min|max)_time_seconds (\S+)$", page, re.MULTILINE))
    return (float(found["max"]) - float(found["min"])) / 3600


def _check_recorded(asker: Asker) -> None:
    """AssertionError unless the written series have the labels that the rules would give them."""
    for file in sorted(rules_folder().glob("*.yml")):
        for rule in (rule for group in yaml.safe_load(file.read_text())["groups"] for rule in group["rules"]):
            if "record" in rule and not rule["record"].endswith("_bucket:rate5m"):
                for labels in asker.labels(rule["expr"])[:1]:
                    own = set(labels) - {"__name__", "job", "fleet"}
                    if own != set(recorded_labels(rule["record"])):
                        raise AssertionError(f"{rule['record']} has {own}")


def _questions(asker: Asker) -> Iterator[Question]:
    """The queries of all boards; variables and annotations count as panels."""
    for query in queries():
        panel = f"{query.board} / {query.panel}"
        yield panel, query.ref, asker.table if query.instant else asker.graph, query.expression
    for query in annotation_queries():
        yield f"{query.board} / {query.panel}", "", asker.graph, query.expression, ANNOTATED
    for board in boards().values():
        for variable in (one for one in board["templating"]["list"] if one["type"] == "query"):
            panel = f"{board['title']} / variable {variable['name']}"
            expression, label = variable_query(variable)
            if variable["query"]["query"].startswith("label_values"):
                yield panel, "", asker.values, expression, label
            else:
                yield panel, "", asker.table, expression


def _least(ask: Callable[..., Cost], *asked: str | int) -> Cost:
    """The minimal time of a query in several runs."""
    try:
        first = ask(*asked)
        shortest, longest = AGAIN
        again = [ask(*asked) for _ in range(2)] if shortest < first.wall < longest else []
    except (urllib.error.HTTPError, TimeoutError):
        return NOT_ANSWERED
    return Cost(min(cost.wall for cost in (first, *again)), min(cost.cpu for cost in (first, *again)))


def _results(costs: Costs, where: str) -> Iterator[Result]:
    totals = {panel: sum(cost.wall for cost in of.values()) for panel, of in costs.items()}
    seen: dict[str, int] = defaultdict(int)
    for panel in sorted(totals, key=lambda panel: totals[panel], reverse=True):
        board = panel.partition(" / ")[0]
        seen[board] += 1
        if seen[board] <= NAMED or totals[panel] > REACH:
            cpu = sum(cost.cpu for cost in costs[panel].values())
            ref = max(costs[panel], key=lambda ref: costs[panel][ref].wall)
            most = f", {ref} {costs[panel][ref].wall:.2f} s" if len(costs[panel]) > 1 else ""
            yield Result(
                "panels", panel, f"{totals[panel]:.2f} s", f"CPU {cpu:.2f} s{most}", None, f"≤ {REACH:g} s",
                totals[panel] <= REACH,
            )  # fmt: skip
    median = statistics.median(totals.values())
    yield Result("panels", f"median of {len(totals)}, {where}", f"{median:.3f} s")
