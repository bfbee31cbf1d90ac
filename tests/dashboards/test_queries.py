"""The contract between boards and exporter, and what makes a query right with several copies and fleets."""

from __future__ import annotations

import re

import pytest

from bioagents_dashboards.queries import promql
from bioagents_dashboards.queries.promql import TARGET
from bioagents_dashboards.queries.rules import record_names
from bioagents_exporter.catalogue import FLEET_LABEL, METRICS
from support.boards import Query, boards, grouping_labels, queries, selectors

QUERIES = queries()
TARGET_LABELS = {"job", "instance", "pod", "container", "node", "endpoint", *TARGET}
ALERT_SERIES = {"ALERTS", "ALERTS_FOR_STATE"}
ALERT_LABELS = {"alertname", "alertstate"}
HISTOGRAM = ("_bucket", "_sum", "_count")
COPIES = "without (instance, pod, container, node, endpoint)"

ON_NO_BOARD = {
    # The overview answers whether, where and since when. What follows belongs to boards that explain it.
    "queue_dead_oldest_age_seconds", "queue_orphaned_jobs", "queue_unheld_jobs", "queue_stuck_jobs",
    "queue_overdue_delayed_jobs", "queue_draining_held_jobs", "queue_longest_running_job_seconds",
    "queue_job_duration_limit_seconds", "jobs_redelivered_total",  # why a queue is slow
    "jobs_processed_total",  # an input of the failure ratio, which is on the board
    "redis_round_trip_seconds", "redis_replica_link_up", "redis_replica_lag_seconds",
    "redis_memory_used_bytes", "redis_memory_max_bytes", "redis_evicted_keys_total",
    "redis_info",  # is Redis sound
    "worker_boots_total", "metrics_dropped_total", "middleware_errors_total", "worker_threads",
    "worker_consumer_threads", "worker_cpu_seconds_total", "worker_jobs_total", "worker_start_time_seconds",
    "worker_last_heartbeat_timestamp_seconds", "worker_clock_skew_seconds",
    "worker_flush_age_seconds",  # one worker's health
    "queue_failures_per_second",  # the counter itself follows the chosen time range
    "queue_load_ratio", "queue_desired_workers", "queue_max_workers", "queue_drain_limit_seconds",  # capacity
    "exporter_build_info", "exporter_scrape_duration_seconds", "exporter_scrape_errors_total",
    "exporter_source_age_seconds", "exporter_source_duration_seconds", "exporter_source_success",
    "process_cpu_seconds_total", "process_resident_memory_bytes", "process_virtual_memory_bytes",
    "process_start_time_seconds", "process_open_fds", "process_max_fds", "python_info",  # the exporter itself
}  # fmt: skip


def emitted() -> dict[str, set[str]]:
    """Full name of each series that the exporter emits → its labels."""
    names: dict[str, set[str]] = {}
    for metric in METRICS:
        labels = {FLEET_LABEL, *metric.labels, *metric.optional}
        if metric.type == "histogram":
            names |= {metric.full_name("bioagents_") + suffix: {*labels, "le"} for suffix in HISTOGRAM}
        else:
            names[metric.full_name("bioagents_")] = labels
    return names


@pytest.mark.parametrize("query", QUERIES, ids=str)
def test_metrics_and_labels_are_the_exporters(query: Query) -> None:
    """Each metric is in the catalogue, and each label that a query names is one of its metrics' labels."""
    known, used = emitted(), set(TARGET_LABELS)
    for selector in selectors(query.expression):
        if selector.name in ALERT_SERIES:
            used |= {*ALERT_LABELS, FLEET_LABEL}
            continue
        if selector.name in record_names():
            used |= set(selector.matchers)
            continue
        assert selector.name in known
        assert set(selector.matchers) <= known[selector.name] | TARGET_LABELS
        used |= known[selector.name]
    invented = {"limit"}  # by label_replace
    assert set(grouping_labels(query.expression)) <= used | invented


def test_every_metric_is_on_a_board_or_excused() -> None:
    """A new metric is put on a board or into the list with its reason; what is on one is not excused."""
    shown = {re.sub("_(bucket|sum|count)$", "", s.name) for q in QUERIES for s in selectors(q.expression)}
    names = {metric.full_name("bioagents_"): metric.name for metric in METRICS}
    assert {names[name] for name in shown & set(names)} == set(names.values()) - ON_NO_BOARD


@pytest.mark.parametrize("query", QUERIES, ids=str)
def test_copies_of_the_exporter_give_one_answer(query: Query) -> None:
    """The first thing that happens to a series is the maximum over the copies, or over the copies' rates."""
    answers = re.findall(rf"max {re.escape(COPIES)} \((?:rate\()?bioagents_", query.expression)
    assert len(answers) == query.expression.count("bioagents_")


@pytest.mark.parametrize("query", QUERIES, ids=str)
def test_fleets_never_merge(query: Query) -> None:
    """No aggregation drops the fleet: those with ``without`` do not name it, those with ``by`` do."""
    for how, names in re.findall(r"\b(by|without) \(([^)]*)\)", query.expression):
        labels = [name.strip() for name in names.split(",")]
        assert (FLEET_LABEL in labels) == (how == "by")


@pytest.mark.parametrize("query", QUERIES, ids=str)
def test_workers_are_drawn_with_a_top_k(query: Query) -> None:
    """A thousand workers are not a thousand lines."""
    by_worker = "worker_info" in query.expression and "group_left" in query.expression
    assert not by_worker or query.expression.startswith("topk(")


def test_unknown_names_are_refused() -> None:
    """A typo fails the build of the boards, not a panel in the night."""
    with pytest.raises(ValueError, match="'queue_dept' is no metric"):
        promql.gauge("queue_dept")
    with pytest.raises(ValueError, match=r"queue_depth has no label \['actor'\]"):
        promql.gauge("queue_depth", keep=("actor",))
    with pytest.raises(ValueError, match=r"queue_depth has no label \['kind'\]"):
        promql.gauge("queue_depth", kind="waiting")


def test_alert_names_are_those_of_the_rules() -> None:
    """Boards show our alerts and no other bundle's, and not the one that always fires."""
    for board in boards().values():
        annotation = board["annotations"]["list"][0]
        names = annotation["expr"].split('alertname=~"')[1].split('"')[0].split("|")
        assert {"HighJobFailureRate", "HighQueueDepth", "NoActiveWorkers"} <= set(names)
        assert "Watchdog" not in names
