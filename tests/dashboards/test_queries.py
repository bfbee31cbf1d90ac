"""The contract between boards and exporter, and what makes a query right with several copies and fleets."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator

import pytest

from bioagents_dashboards.queries import promql
from bioagents_dashboards.queries.promql import TARGET
from bioagents_dashboards.queries.rules import record_names
from bioagents_dashboards.queries.workers import LISTED
from bioagents_exporter.catalogue import FLEET_LABEL, METRICS
from support.boards import APART, Lines, Query, boards, grouping_labels, lines, panels, queries, selectors
from support.rule_files import names as rule_names
from support.rule_files import published, records

QUERIES = queries()
RECORDS = {record.name: record for record in records()}
TARGET_LABELS = {"job", "instance", "pod", "container", "node", "endpoint", *TARGET}
ALERT_SERIES = {"ALERTS", "ALERTS_FOR_STATE"}
ALERT_LABELS = {"alertname", "alertstate"}
#: What the rules leave of labels that tell queues, actors, exceptions and workers apart.
RECORDED_LABELS = {"queue", "actor", "exception", "worker", "host", "pid", "queues", "version", "threads"}
COPIES = "without (instance, pod, container, node, endpoint)"
#: The beginning of a series that an exporter publishes, and no rule records.
EXPORTED = r"(?<![:\w])(?:bioagents|process|python)_\w+\{"

ON_NO_BOARD = {
    "queue_failures_per_second",  # the counter itself follows the chosen time range
    "process_virtual_memory_bytes",  # the exporter's resident memory tells more
}  # fmt: skip


@pytest.mark.parametrize("query", QUERIES, ids=str)
def test_metrics_and_labels_are_the_exporters(query: Query) -> None:
    """Each metric is in the catalogue, and each label that a query names is one of its metrics' labels."""
    known, used = published(), set(TARGET_LABELS)
    for selector in selectors(query.expression):
        if selector.name in ALERT_SERIES:
            used |= {*ALERT_LABELS, FLEET_LABEL}
            continue
        if selector.name in record_names():
            used |= set(selector.matchers) | RECORDED_LABELS
            continue
        assert selector.name in known
        assert set(selector.matchers) <= known[selector.name] | TARGET_LABELS
        used |= known[selector.name]
    invented = {"part"}  # by label_replace
    assert set(grouping_labels(query.expression)) <= used | invented


def sources(name: str) -> set[str]:
    """The series of the exporter that a recorded one comes from; any other comes from itself."""
    if name not in RECORDS:
        return {name}
    return set().union(*map(sources, rule_names(RECORDS[name].expression).metrics))


def test_every_metric_is_on_a_board_or_excused() -> None:
    """A new metric is put on a board or into the list with its reason; what is on one is not excused."""
    series = {source for q in QUERIES for s in selectors(q.expression) for source in sources(s.name)}
    shown = {re.sub("_(bucket|sum|count)$", "", name) for name in series}
    names = {metric.full_name("bioagents_"): metric.name for metric in METRICS}
    assert {names[name] for name in shown & set(names)} == set(names.values()) - ON_NO_BOARD


@pytest.mark.parametrize("query", QUERIES, ids=str)
def test_copies_of_the_exporter_give_one_answer(query: Query) -> None:
    """Each series stands within a maximum over the copies or a count of them, or rules have made it one."""
    answered = sum(len(re.findall(EXPORTED, part)) for part in answers(query.expression))
    everything = len(re.findall(EXPORTED, query.expression))
    assert answered == (0 if str(query) in APART else everything)


def answers(expression: str) -> Iterator[str]:
    """What stands in the parentheses after each maximum or count over the copies."""
    for start in re.finditer(rf"(?:max|count) {re.escape(COPIES)} \(", expression):
        depth, end = 1, start.end()
        while depth:
            depth += {"(": 1, ")": -1}.get(expression[end], 0)
            end += 1
        yield expression[start.end() : end - 1]


@pytest.mark.parametrize("name", APART)
def test_panels_with_copies_apart_say_so(name: str) -> None:
    """The title speaks of copies, and each line has its copy's name."""
    title, panel_title, _ = name.split(" / ")
    (board,) = [board for board in boards().values() if board["title"] == title]
    (panel,) = [panel for panel in panels(board) if panel["title"] == panel_title]
    assert re.search("each copy|copies", panel_title, re.IGNORECASE)
    assert re.search("each copy", panel["description"], re.IGNORECASE)
    named_by = panel["transformations"] if panel["type"] == "table" else panel["targets"]
    assert "instance" in json.dumps(named_by)


@pytest.mark.parametrize("query", QUERIES, ids=str)
def test_fleets_never_merge(query: Query) -> None:
    """No aggregation drops what tells fleets apart: ``without`` names none of these labels, ``by`` all."""
    for how, names in re.findall(r"\b(by|without) \(([^)]*)\)", query.expression):
        labels = {name.strip() for name in names.split(",")}
        assert labels & set(TARGET) == (set(TARGET) if how == "by" else set())
    for names in re.findall(r"\bon \(([^)]+)\)", query.expression):
        assert set(TARGET) <= {name.strip() for name in names.split(",")}


@pytest.mark.parametrize("query", QUERIES, ids=str)
def test_workers_are_drawn_with_a_top_k(query: Query) -> None:
    """A thousand workers are not a thousand lines: the highest are drawn, or what is left of all together."""
    assert lines(query.expression, by_worker, LISTED) != Lines.EACH_WORKER


def by_worker(name: str) -> bool:
    """Whether a series has the label worker: its name says so where rules record it, else the catalogue."""
    return name.startswith("worker:") if ":" in name else "worker" in published().get(name, ())


@pytest.mark.parametrize(
    ("expression", "expected"),
    [
        ('worker:bioagents_worker_memory_rss_bytes:max{fleet=~"$fleet"}', Lines.EACH_WORKER),
        ("worker:bioagents_worker_info:max", Lines.EACH_WORKER),
        (f"max {COPIES} (rate(bioagents_worker_jobs_total[$__rate_interval])) * 60 > 0", Lines.EACH_WORKER),
        ("max by (fleet, worker) (worker:bioagents_worker_info:max)", Lines.EACH_WORKER),
        ("max without (host, pid) (worker:bioagents_worker_info:max)", Lines.EACH_WORKER),
        ("topk(1000, worker:bioagents_worker_info:max)", Lines.EACH_WORKER),
        ("topk(10, fleet:bioagents_worker_slots:sum) or worker:bioagents_worker_info:max", Lines.EACH_WORKER),
        ("bioagents_worker_slots and on (fleet) topk(10, bioagents_worker_slots)", Lines.EACH_WORKER),
        ("bioagents_worker_slots unless topk(10, bioagents_worker_slots)", Lines.EACH_WORKER),
        ("bioagents_worker_slots and topk(10, role:bioagents_worker_info:count)", Lines.EACH_WORKER),
        ("bottomk(10, worker:bioagents_worker_info:max) * 60 > 0", Lines.FEW),
        ("bioagents_worker_slots and ignoring (host) topk(10, worker:bioagents_worker_info:max)", Lines.FEW),
        ("sum without (worker, host, pid) (worker:bioagents_worker_info:max)", Lines.NOT_BY_WORKER),
        ("sum by (fleet) (bioagents_worker_slots)", Lines.NOT_BY_WORKER),
        ("role:bioagents_worker_info:count", Lines.NOT_BY_WORKER),
    ],
)
def test_a_line_for_each_worker_would_be_found(expression: str, expected: Lines) -> None:
    """What the test above refuses, and what it lets pass."""
    assert lines(expression, by_worker, LISTED) == expected


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
