"""The contract of boards with exporter and rules; queries are right with several copies and fleets."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator

import pytest

from bioagents_alerts.promql import COPIES
from bioagents_boards import queries as promql
from bioagents_boards.queries import TARGET
from bioagents_boards.workers import LISTED
from bioagents_exporter.catalogue import FLEET_LABEL, METRICS
from support.boards import (
    APART,
    Json,
    Lines,
    Query,
    annotation_queries,
    boards,
    grouping_labels,
    hold,
    lines,
    panels,
    queries,
    selectors,
    variable_queries,
)
from support.rule_files import names as rule_names
from support.rule_files import published, recorded, records

QUERIES = queries()
RECORDS = {record.name: record for record in records()}
ALERT_SERIES = {"ALERTS", "ALERTS_FOR_STATE"}
ALERT_LABELS = {"alertname", "alertstate", "severity", "product", "board", "queue", "queues"}
#: Labels of every series of a target, as far as the user's Prometheus sets them.
COMMON = {"job", FLEET_LABEL, *TARGET, *COPIES}
AWAY = f"without ({', '.join(COPIES)})"
#: The beginning of a series that an exporter publishes, and no rule records.
EXPORTED = r"(?<![:\w])(?:bioagents|process|python)_\w+\{"
#: Labels that queries make themselves: by label_replace and label_join.
MADE = {"part", "name"}
#: All labels that a series of ours may have.
LABELS = COMMON | ALERT_LABELS | {"le"} | set().union(*published().values())

ON_NO_BOARD = {
    "queue_load_ratio",  # calculated from the numbers next to it, which rules record at one moment
    "queue_failures_per_second",  # the counter itself follows the chosen time range
    "process_virtual_memory_bytes",  # the exporter's resident memory shows more
}  # fmt: skip


def test_metrics_and_labels_exist() -> None:
    """Each series is the exporter's or a rule's, and each label that a query names is one of its series'."""
    known, of_rules = published(), recorded()

    def check(query: Query) -> None:
        used = COMMON | MADE
        for selector in selectors(query.expression):
            if selector.name in ALERT_SERIES:
                labels = ALERT_LABELS
            elif ":" in selector.name:
                labels = of_rules[selector.name]
            else:
                labels = known[selector.name]
            assert set(selector.matchers) <= labels | COMMON
            used = used | labels
        assert set(grouping_labels(query.expression)) <= used

    hold((*QUERIES, *annotation_queries(), *variable_queries()), check)


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


def test_recorded_gauges_are_read_by_their_names() -> None:
    """No query joins the copies of a gauge that the rules record as one value."""
    gauges = {part for rule in RECORDS.values() for part in joined_gauges(rule.expression, whole=True)}

    def check(query: Query) -> None:
        assert not gauges & set(joined_gauges(query.expression))

    assert ("bioagents_queue_depth", 'state="waiting"') in gauges
    hold(QUERIES, check)


def joined_gauges(expression: str, *, whole: bool = False) -> Iterator[tuple[str, str]]:
    """Name and fixed matchers of each gauge of which the copies are joined; ``whole``: and nothing else."""
    pattern = re.compile(r"max without \(instance, [^)]*\)\s*\(\s*(\w+)(?:\{([^}]*)\})?\s*\)")
    found = [pattern.fullmatch(expression.strip())] if whole else pattern.finditer(expression)
    for match in filter(None, found):
        matchers = [one for one in (match[2] or "").split(",") if one and '"$' not in one]
        yield match[1], ",".join(matchers)


def test_copies_of_the_exporter_give_one_answer() -> None:
    """Each series is within a maximum over the copies or a count of them, or rules have joined the copies."""

    def check(query: Query) -> None:
        answered = sum(len(re.findall(EXPORTED, part)) for part in answers(query.expression))
        everything = len(re.findall(EXPORTED, query.expression))
        assert answered == (0 if str(query) in APART else everything)

    hold((*QUERIES, *annotation_queries()), check)


def answers(expression: str) -> Iterator[str]:
    """The argument of each maximum or count over the copies."""
    for start in re.finditer(r"(?:max|count) without \(([^)]*)\) \(", expression):
        if set(COPIES) <= set(start[1].split(", ")):
            depth, end = 1, start.end()
            while depth:
                depth += {"(": 1, ")": -1}.get(expression[end], 0)
                end += 1
            yield expression[start.end() : end - 1]


def test_panels_with_copies_apart_say_so() -> None:
    """The title names copies, and each line has its copy's name."""

    def check(name: str) -> None:
        title, panel_title, _ = name.split(" / ")
        (board,) = [board for board in boards().values() if board["title"] == title]
        (panel,) = [panel for panel in panels(board) if panel["title"] == panel_title]
        assert re.search("each copy|copies", panel_title, re.IGNORECASE)
        assert re.search("each copy", panel["description"], re.IGNORECASE)
        named_by = panel["transformations"] if panel["type"] == "table" else panel["targets"]
        assert "instance" in json.dumps(named_by)

    hold(APART, check)


def test_fleets_never_merge() -> None:
    """No aggregation drops what keeps fleets apart: ``without`` names none of these labels, ``by`` all."""

    def check(query: Query) -> None:
        for how, names in re.findall(r"\b(by|without) \(([^)]*)\)", query.expression):
            labels = {name.strip() for name in names.split(",")}
            assert labels & set(TARGET) == (set(TARGET) if how == "by" else set())
        for names in re.findall(r"\bon \(([^)]+)\)", query.expression):
            assert set(TARGET) <= {name.strip() for name in names.split(",")}

    hold((*QUERIES, *annotation_queries()), check)


def test_workers_are_drawn_with_a_top_k() -> None:
    """A thousand workers are not a thousand lines: the highest are drawn, or all of them joined."""

    def check(query: Query) -> None:
        assert lines(query.expression, by_worker, LISTED) != Lines.EACH_WORKER

    hold(QUERIES, check)


def by_worker(name: str) -> bool:
    """Whether a series has the label worker: its name says so where rules record it, else the catalogue."""
    return name.startswith("worker:") if ":" in name else "worker" in published().get(name, ())


@pytest.mark.parametrize(
    ("expression", "expected"),
    [
        ('worker:bioagents_worker_memory_rss_bytes:max{fleet=~"$fleet"}', Lines.EACH_WORKER),
        ("worker:bioagents_worker_info:max", Lines.EACH_WORKER),
        (f"max {AWAY} (rate(bioagents_worker_jobs_total[$__rate_interval])) * 60 > 0", Lines.EACH_WORKER),
        ("max by (fleet, worker) (worker:bioagents_worker_info:max)", Lines.EACH_WORKER),
        ("max without (host, pid) (worker:bioagents_worker_info:max)", Lines.EACH_WORKER),
        ("topk(1000, worker:bioagents_worker_info:max)", Lines.EACH_WORKER),
        ("topk(10, fleet:bioagents_worker_slots:sum) or worker:bioagents_worker_info:max", Lines.EACH_WORKER),
        ("bioagents_worker_slots and on (fleet) topk(10, bioagents_worker_slots)", Lines.EACH_WORKER),
        ("bioagents_worker_slots unless topk(10, bioagents_worker_slots)", Lines.EACH_WORKER),
        ("bioagents_worker_slots and topk(10, role:bioagents_worker_info:count)", Lines.EACH_WORKER),
        ("bottomk(10, worker:bioagents_worker_info:max) * 60 > 0", Lines.FEW),
        ("bioagents_worker_slots and ignoring (host) topk(10, worker:bioagents_worker_info:max)", Lines.FEW),
        ("topk without (worker, host) (1, worker:bioagents_worker_info:max)", Lines.FEW),
        ("topk by (fleet) (1, worker:bioagents_worker_info:max)", Lines.FEW),
        ("topk by (fleet, worker) (1, worker:bioagents_worker_info:max)", Lines.EACH_WORKER),
        ("sum without (worker, host, pid) (worker:bioagents_worker_info:max)", Lines.NOT_BY_WORKER),
        ("sum by (fleet) (bioagents_worker_slots)", Lines.NOT_BY_WORKER),
        ("role:bioagents_worker_info:count", Lines.NOT_BY_WORKER),
    ],
)
def test_a_line_for_each_worker_would_be_found(expression: str, expected: Lines) -> None:
    """What the test above refuses, and what it accepts."""
    assert lines(expression, by_worker, LISTED) == expected


def test_unknown_names_are_refused() -> None:
    """A typo fails the build of the boards, not a panel at night."""
    with pytest.raises(ValueError, match="'queue_dept' is not a series"):
        promql.gauge("queue_dept")
    with pytest.raises(ValueError, match=r"queue_depth has no label \['actor'\]"):
        promql.gauge("queue_depth", keep=("actor",))
    with pytest.raises(ValueError, match="queue_depth has no label kind"):
        promql.gauge("queue_depth", kind="waiting")
    with pytest.raises(ValueError, match="is not recorded by any rule"):
        promql.recorded("queue:bioagents_queue_dept:max")


def test_only_alerts_of_this_product_that_mean_a_fault() -> None:
    """Boards show no other bundle's alerts, and not the Watchdog; each board's own query has its uid."""

    def check(query: Query) -> None:
        for selector in selectors(query.expression):
            if selector.name in ALERT_SERIES and selector.matchers.get("alertname") != ("=", "Watchdog"):
                assert selector.matchers["product"] == ("=", "bioagents")
                assert selector.matchers["severity"] == ("!=", "none")
                assert selector.matchers.get("board", ("=", uids[query.board])) == ("=", uids[query.board])

    uids = {board["title"]: board["uid"] for board in boards().values()}
    hold((*QUERIES, *annotation_queries()), check)


def test_words_in_braces_are_labels() -> None:
    """Legends and annotations fill in labels that some series of ours has."""

    def check(board: Json) -> None:
        legends = [t.get("legendFormat", "") for panel in panels(board) for t in panel["targets"]]
        notes = board["annotations"]["list"]
        texts = [note.get(key, "") for note in notes for key in ("titleFormat", "textFormat")]
        tags = {tag for note in notes for tag in note.get("tagKeys", "").split(",")} - {""}
        named = set(re.findall(r"\{\{\s*(\w+)\s*\}\}", " ".join([*legends, *texts])))
        assert named | tags <= LABELS

    hold(boards().values(), check)


def test_columns_are_labels_or_values() -> None:
    """A column of a table is a label of some series, one that its queries make, or a value."""

    def check(panel: Json) -> None:
        (options,) = [t["options"] for t in panel["transformations"] if t["id"] == "organize"]
        known = set(options["renameByName"]) | set(options["excludeByName"])
        made: set[str] = {"Time", "__name__"}
        for target in panel["targets"]:
            made |= set(re.findall(r'label_(?:join|replace)\(.*?, "(\w+)", "', target["expr"]))
        assert {name for name in known if not name.startswith("Value")} <= LABELS | made

    hold([panel for board in boards().values() for panel in panels(board) if panel["type"] == "table"], check)


def test_what_is_empty_without_the_rules_says_so() -> None:
    """A user who has not loaded them must not read "no exporter" or "nothing failed"."""

    def check(panel: Json) -> None:
        needs_rules = all(
            any(selector.name.startswith("ALERTS") or ":" in selector.name for selector in asked)
            for asked in (selectors(target["expr"]) for target in panel["targets"])
        )
        assert not needs_rules or "rules" in panel["fieldConfig"]["defaults"]["noValue"]

    hold([panel for board in boards().values() for panel in panels(board)], check)
