"""Properties that every rule must have, whatever it monitors."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import Final

import promql_parser

from bioagents_alerts import boards, record_names, rules_folder
from bioagents_alerts.builder import Variant
from bioagents_alerts.emit import prometheus_files
from bioagents_alerts.promql import RECORDED_GAUGES
from bioagents_alerts.source import build
from support.checkout import ROOT
from support.rule_files import (
    COPIES,
    Alert,
    Rule,
    alerts,
    board_expressions,
    keeps_copies,
    metric_of,
    names,
    parts,
    recorded,
    records,
    rules,
)

ALERTS, RECORDS, RULES = alerts(), {record.name: record for record in records()}, rules()
OF_TARGETS = {"up": {"job"}}  # what Prometheus itself writes, and the labels that its selectors may use
HEADINGS = ["## Meaning", "## Impact", "## Diagnosis", "## Mitigation"]
DASHBOARD = "http://127.0.0.1:3000/d/"
MOST_RULES = 20
DROPS_ALL = "MetricsLabelConflict"  # compares a series with itself without any label of ours
COUNTS_SERIES = "HistogramsMissing"  # whatever their values are
UIDS = {value for name, value in vars(boards).items() if name.isupper()}

#: Labels that people put on their targets: an alert has them, or has them not.
OF_PLACES = ("region", "cluster", "environment")

#: Alerts whose event is the alert: with `for` they would come late or never.
EVENTS = {"DeadLetters", "PoisonJob", "RedisEvicting", "Watchdog"}


def _labels(name: str) -> set[str]:
    """Which labels a series may have, in addition to those of its target."""
    if name in RECORDS:
        return set(recorded()[name])
    if name in OF_TARGETS:
        return OF_TARGETS[name]
    metric = metric_of(name)
    return {"fleet", *metric.labels, *metric.optional} | ({"le"} if name.endswith("_bucket") else set())


def _annotations(alert: Alert) -> dict[str, str]:
    return dict(alert.rule["annotations"])


def test_the_committed_files_are_those_of_the_source() -> None:
    """`make generate` writes exactly these files."""
    committed = {path.name: path.read_text(encoding="utf-8") for path in rules_folder().glob("*")}
    generated = prometheus_files(build(Variant()))
    assert committed.keys() == generated.keys()
    assert [name for name in generated if committed[name] != generated[name]] == [], "run `make generate`"


def test_the_alerts_of_the_original_design_exist() -> None:
    """Each once, under its own name, in a group of its own concern."""
    groups = {alert.name: alert.group for alert in ALERTS}
    assert groups["HighJobFailureRate"] == "bioagents-jobs"
    assert groups["HighQueueDepth"] == "bioagents-queues"
    assert groups["NoActiveWorkers"] == "bioagents-workers"


def test_each_name_is_there_once_in_a_group_of_its_file() -> None:
    """Nothing is recorded twice, no alert hides another of its name, and no group is long."""
    assert {name: n for name, n in Counter(rule.name for rule in RULES).items() if n > 1} == {}
    assert [
        rule.group for rule in RULES if not rule.group.startswith(f"bioagents-{Path(rule.file).stem}")
    ] == []
    sizes = Counter((rule.file, rule.group) for rule in RULES)
    assert {group: size for group, size in sizes.items() if size > MOST_RULES} == {}
    assert len(sizes) == len({group for _, group in sizes})


def test_recorded_series_come_before_what_uses_them() -> None:
    """In a group from top to bottom, so that nothing lags there; alerts come last."""
    for group in {rule.group for rule in RULES}:
        mine = [rule for rule in RULES if rule.group == group]
        own, seen = {rule.name for rule in mine}, set[str]()
        kinds = [isinstance(rule, Alert) for rule in mine]
        assert kinds == sorted(kinds), f"{group}: an alert comes before a recording rule"
        for rule in mine:
            assert names(rule.expression).metrics & own <= seen, rule.name
            seen.add(rule.name)


#: Recorded differences of what other groups record, each with the reason why a stale operand does no harm.
OF_OTHER_GROUPS: Final = {
    "worker:bioagents_worker_threads_lost:sum": "WorkerThreadsLost waits for minutes of it",
}


def test_a_recorded_difference_is_of_one_evaluation() -> None:
    """Its operands are recorded in its own group: groups run side by side, one interval apart at worst."""
    stale = {
        name
        for name, rule in RECORDS.items()
        for node in parts(rule.expression)
        if isinstance(node, promql_parser.BinaryExpr) and str(node.op) == "-"
        for operand in names(node.prettify()).metrics & RECORDS.keys()
        if RECORDS[operand].group != rule.group
    }
    assert stale == OF_OTHER_GROUPS.keys()


def test_recorded_series_are_named_for_what_they_hold() -> None:
    """``level:metric:operation``, with the prefix where another one can take its place."""
    assert [name for name in RECORDS if not re.fullmatch(r"[a-z]+:bioagents_\w+:\w+", name)] == []
    assert record_names() == RECORDS.keys()
    assert set(RECORDED_GAUGES.values()) <= RECORDS.keys()


def test_every_recorded_series_is_used() -> None:
    """By an alert, a board or another recorded series."""
    texts = [str(alert.rule) for alert in ALERTS] + [rule.expression for rule in RECORDS.values()]
    used = set(re.findall(r"[\w:]+", " ".join([*texts, *board_expressions()])))
    assert [name for name in RECORDS if name not in used] == []


def _over_copies(expression: str) -> Iterator[str]:
    """Each part that makes one value of all copies, without spaces and a board's own matchers."""
    for node in parts(expression):
        if isinstance(node, promql_parser.AggregateExpr) and node.modifier:
            text = re.sub(r"\s", "", node.prettify())
            if set(node.modifier.labels) >= COPIES:
                text = re.sub(r'\w+=~"[^"]*\$\w+[^"]*",?', "", text)
                yield text.replace(",}", "}").replace("{}", "")


def test_a_shared_input_is_recorded_once_and_read_by_its_name() -> None:
    """No two rules, and no rule and panel, make the same value of the copies."""
    in_rules = Counter(part for rule in RULES for part in set(_over_copies(rule.expression)))
    assert {part: count for part, count in in_rules.items() if count > 1} == {}
    in_boards = {part for expression in board_expressions() for part in _over_copies(expression)}
    assert in_boards & in_rules.keys() == set()


def test_every_metric_and_label_is_in_the_catalogue() -> None:
    """A rule never waits for a series that the exporter does not publish."""
    for rule in RULES:
        used = names(rule.expression)
        assert used.metrics or rule.name == "Watchdog"
        for name, label in [*used.matched, *((name, "fleet") for name in used.metrics - OF_TARGETS.keys())]:
            assert label in _labels(name), rule.name


def test_copies_make_one_answer_and_fleets_never_merge() -> None:
    """Aggregations drop labels by name, the copies' all together, and never one in which fleets differ."""
    for rule in RULES:
        used = names(rule.expression)
        own = set().union(*map(_labels, used.metrics)) - {"fleet", "job"}
        for by, labels in used.grouped:
            assert not by, f"{rule.name}: `by` drops region, cluster and whatever else targets have"
            assert labels & COPIES in (set(), COPIES), rule.name
            assert labels - COPIES <= own or rule.name == DROPS_ALL, rule.name
        assert not keeps_copies(rule.expression), rule.name


def test_counters_are_rated_before_copies_are_joined() -> None:
    """A rate over a maximum of copies would see resets that never were; a gauge has no rate at all."""
    for rule in RULES:
        used = names(rule.expression)
        counters = {name for name in used.metrics if _is_counter(name)}
        assert used.plain & counters == set() or rule.name == COUNTS_SERIES, rule.name
        for function, name in used.ranged:
            assert (function in {"rate", "increase"}) == (name in counters), (rule.name, function, name)


def _is_counter(name: str) -> bool:
    return name not in RECORDS and name not in OF_TARGETS and metric_of(name).type != "gauge"


def test_every_label_that_an_annotation_shows_exists() -> None:
    """An annotation never shows an empty queue."""
    for alert in ALERTS:
        known = set().union(*map(_labels, names(alert.expression).metrics)) - COPIES | {"job"}
        shown = re.findall(r"\$labels\.(\w+)", " ".join(_annotations(alert).values()))
        assert set(shown) <= known | set(OF_PLACES), alert.name


def test_labels_and_annotations_are_complete() -> None:
    """A severity that routes, product and board; a sentence that names the object, what to do first."""
    for alert in ALERTS:
        labels, annotations = alert.rule["labels"], _annotations(alert)
        severities = {"none"} if alert.name == "Watchdog" else {"critical", "warning", "info"}
        assert labels.keys() == {"severity", "product", "board"}, alert.name
        assert labels["severity"] in severities, alert.name
        assert labels["product"] == "bioagents", alert.name
        assert annotations.keys() == {"summary", "description", "runbook_url", "dashboard_url"}, alert.name
        first = "If it stops: check " if alert.name == "Watchdog" else "First "
        assert re.search(rf"\b{first}", annotations["description"]), alert.name
        queue = "?queue={{ $labels.queue | urlquery }}" * ("{{ $labels.queue }}" in annotations["summary"])
        assert annotations["runbook_url"] == f"http://127.0.0.1:9877/runbooks/{alert.name}{queue}"
        assert ("for" in alert.rule) != (alert.name in EVENTS), alert.name


def test_a_number_is_in_the_description() -> None:
    """The person on call sees how bad it is, or that there is nothing left."""
    without = {alert.name for alert in ALERTS if "$value" not in _annotations(alert)["description"]}
    said = {"NoActiveWorkers", "RedisDown"}  # "No worker", "No exporter"
    assert without == {*said, "RedisPolicyUnsafe", "Watchdog", DROPS_ALL, COUNTS_SERIES}
    for alert in ALERTS:
        if alert.name in said:
            assert re.search(r"\bNo \w+ of fleet", _annotations(alert)["description"])


def test_the_board_opens_on_what_the_alert_is_about() -> None:
    """On fleet, place, queue and actor, as far as the alert has them, and on a range of time."""
    for alert in ALERTS:
        url, description = _annotations(alert)["dashboard_url"], _annotations(alert)["description"]
        assert alert.rule["labels"]["board"] in UIDS, alert.name
        assert url.startswith(f"{DASHBOARD}{alert.rule['labels']['board']}?"), alert.name
        assert re.search(r"from=now-\d+[hd]&to=now$", url), alert.name
        assert ("$labels.queue" in description) == ("var-queue=" in url), alert.name
        assert (alert.rule["labels"]["board"] == boards.ACTOR) == ("var-actor=" in url), alert.name
        if alert.name != "Watchdog":
            assert "var-fleet={{ $labels.fleet | urlquery }}" in url, alert.name
            for label in OF_PLACES:
                place = f"{{{{ with $labels.{label} }}}}var-{label}={{{{ . | urlquery }}}}&{{{{ end }}}}"
                assert place in url, alert.name


def test_each_alert_has_its_runbook() -> None:
    """With the four headings in their order, and something under each."""
    pages = {path.stem for path in (ROOT / "docs/runbooks").glob("*.md")}
    assert pages == {alert.name for alert in ALERTS}
    for name in pages:
        text = (ROOT / f"docs/runbooks/{name}.md").read_text(encoding="utf-8")
        lines = text.splitlines()
        assert lines[0] == f"# {name}"
        assert [line for line in lines if line.startswith("## ")] == HEADINGS, name
        assert all(part.strip() for part in re.split(r"^## .*$", text, flags=re.MULTILINE)[1:]), name


def test_every_alert_is_documented() -> None:
    """docs/reference/alerts.md has a row for each, with its severity, and for no other."""
    page = (ROOT / "docs/reference/alerts.md").read_text(encoding="utf-8")
    rows = dict(re.findall(r"^\| \W*(\w+)[^|]*\| \W*(critical|warning|info|none)\b", page, re.MULTILINE))
    assert rows == {alert.name: alert.rule["labels"]["severity"] for alert in ALERTS}


def _group_inputs(rules_of: list[Rule]) -> dict[str, set[str]]:
    """Group → the other groups whose recorded series it reads."""
    group_of = {rule.name: rule.group for rule in rules_of}
    found: dict[str, set[str]] = {rule.group: set() for rule in rules_of}
    for rule in rules_of:
        used = re.findall(r"[\w:]+", rule.expression)
        found[rule.group] |= {group_of[name] for name in used if name in group_of} - {rule.group}
    return found


def test_cases_evaluate_groups_in_the_order_of_their_inputs() -> None:
    """What is recorded comes before what reads it, and no two groups wait for each other."""
    inputs = _group_inputs(RULES)
    for path in sorted((ROOT / "alerts/tests").glob("*.yml")):
        text = path.read_text(encoding="utf-8")
        order = re.findall(r"^  - (bioagents-[\w-]+)$", text, re.MULTILINE)
        files = set(re.findall(r"\.\./rules/([\w.]+)", text))
        assert {rule.group for rule in RULES if rule.file == path.name} <= set(order), path.name
        for number, group in enumerate(order):
            assert not inputs[group] & set(order[number:]), f"{path.name}: {group}"
            assert {rule.file for rule in RULES if rule.group == group} <= files, path.name
