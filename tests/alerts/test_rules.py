"""What every rule must keep to, whatever it watches."""

from __future__ import annotations

import json
import re
from collections import Counter
from pathlib import Path

import pytest

from bioagents_alerts import rules_folder
from bioagents_dashboards.drawing.identity import ACTOR, CAPACITY, FLEET, GROUND, QUEUE, SLO, WORKERS
from bioagents_exporter.catalogue import METRICS, Metric
from support.rule_files import COPIES, Alert, Rule, alerts, keeps_copies, names, records, rules

ROOT = Path(__file__).parents[2]
ALERTS, RECORDS = alerts(), {record.name: record for record in records()}
CONCERNS = {"queues", "workers", "jobs", "redis", "exporter", "slo", "meta"}
OF_TARGETS = {"up": {"job"}}  # what Prometheus itself writes, and the labels that its selectors may use
HEADINGS = ["## Meaning", "## Impact", "## Diagnosis", "## Mitigation"]
DASHBOARD = "http://127.0.0.1:3000/d/"

#: The board that answers the alerts of a file, and the alerts that another one answers.
BOARDS = {
    "queues": QUEUE, "workers": WORKERS, "jobs": ACTOR, "redis": GROUND, "exporter": GROUND, "slo": SLO,
    "meta": FLEET,
}  # fmt: skip
OTHER_BOARDS = {"AutoscalerBlind": CAPACITY, "JobRunningTooLong": QUEUE, "WorkersAtCapacity": CAPACITY}

#: Labels that people put on their targets: an alert has them, or has them not.
OF_PLACES = ("region", "cluster", "environment")

#: Alerts whose event is the alert: with `for` they would come late or never.
EVENTS = {"DeadLetters", "PoisonJob", "RedisEvicting", "Watchdog"}

each_alert = pytest.mark.parametrize("alert", ALERTS, ids=lambda alert: alert.name)
each_rule = pytest.mark.parametrize("rule", rules(), ids=lambda rule: rule.name)


def _catalogue() -> dict[str, Metric]:
    """Every series name of the exporter → its metric."""
    found = {}
    for metric in METRICS:
        endings = ("_bucket", "_count", "_sum") if metric.type == "histogram" else ("",)
        found |= {metric.full_name("bioagents_") + ending: metric for ending in endings}
    return found


CATALOGUE = _catalogue()
COUNTERS = {name for name, metric in CATALOGUE.items() if metric.type != "gauge"}


def _labels(name: str) -> set[str]:
    """Which labels a series may have, beside those of its target."""
    if name in RECORDS:
        return set().union(*map(_labels, names(RECORDS[name].expression).metrics))
    if name in OF_TARGETS:
        return OF_TARGETS[name]
    metric = CATALOGUE[name]
    return {"fleet", *metric.labels, *metric.optional} | ({"le"} if name.endswith("_bucket") else set())


def test_the_alerts_of_the_original_design_exist() -> None:
    """Each once, under its own name, in a group of its own concern."""
    groups = {alert.name: alert.group for alert in ALERTS}
    assert groups["HighJobFailureRate"] == "bioagents-jobs"
    assert groups["HighQueueDepth"] == "bioagents-queues"
    assert groups["NoActiveWorkers"] == "bioagents-workers"


def test_each_name_is_there_once_and_each_file_is_one_concern() -> None:
    """Nothing is recorded twice, and no alert hides another of its name."""
    assert {name: n for name, n in Counter(rule.name for rule in rules()).items() if n > 1} == {}
    assert all(rule.group == f"bioagents-{Path(rule.file).stem}" for rule in rules())
    assert {path.stem for path in rules_folder().glob("*.yml")} <= CONCERNS


def test_recorded_series_come_before_what_uses_them() -> None:
    """A group runs from top to bottom, so what stands first is fresh."""
    for group in {rule.group for rule in rules()}:
        mine = [rule for rule in rules() if rule.group == group]
        own, seen = {rule.name for rule in mine}, set[str]()
        kinds = [isinstance(rule, Alert) for rule in mine]
        assert kinds == sorted(kinds), f"{group}: an alert stands before a recording rule"
        for rule in mine:
            assert names(rule.expression).metrics & own <= seen, rule.name
            seen.add(rule.name)


def test_recorded_series_are_named_for_what_they_hold() -> None:
    """``level:metric:operation``, with the prefix where another one can take its place."""
    assert [name for name in RECORDS if not re.fullmatch(r"[a-z]+:bioagents_\w+:\w+", name)] == []


def test_every_recorded_series_is_used() -> None:
    """By an alert, a board or another recorded series."""
    texts = [json.dumps(alert.rule) for alert in ALERTS] + [rule.expression for rule in RECORDS.values()]
    texts += [path.read_text(encoding="utf-8") for path in (ROOT / "dashboards/json").glob("*.json")]
    assert [name for name in RECORDS if not any(re.search(rf"\b{name}\b", text) for text in texts)] == []


@each_rule
def test_every_metric_and_label_is_in_the_catalogue(rule: Rule) -> None:
    """A rule never waits for a series that the exporter does not publish."""
    used = names(rule.expression)
    assert used.metrics or rule.name == "Watchdog"
    assert used.metrics <= CATALOGUE.keys() | RECORDS.keys() | OF_TARGETS.keys()
    assert [pair for pair in used.matched if pair[1] not in _labels(pair[0])] == []


@each_rule
def test_copies_make_one_answer_and_fleets_never_merge(rule: Rule) -> None:
    """Aggregations drop labels by name, the copies' all together, and never one that tells fleets apart."""
    used = names(rule.expression)
    own = set().union(*map(_labels, used.metrics)) - {"fleet", "job"}
    for by, labels in used.grouped:
        assert not by, "`by` drops region, cluster, environment and whatever else targets carry"
        assert labels & COPIES in (set(), COPIES)
        assert labels - COPIES <= own
    assert not keeps_copies(rule.expression)


@each_rule
def test_counters_are_rated_before_copies_are_joined(rule: Rule) -> None:
    """A rate over a maximum of copies would see resets that never were; a gauge has no rate at all."""
    used = names(rule.expression)
    assert used.plain & COUNTERS == set()
    for function, metric in used.ranged:
        assert (function in {"rate", "increase"}) == (metric in COUNTERS), (function, metric)


@each_alert
def test_every_label_that_an_annotation_shows_exists(alert: Alert) -> None:
    """An annotation never shows an empty queue."""
    known = set().union(*map(_labels, names(alert.expression).metrics)) - COPIES | {"job"}
    shown = re.findall(r"\$labels\.(\w+)", " ".join(alert.rule["annotations"].values()))
    assert set(shown) <= known | set(OF_PLACES)


@each_alert
def test_labels_and_annotations_are_complete(alert: Alert) -> None:
    """A severity that routes, our Watchdog's own mark; a full sentence, what to do, a page and a board."""
    labels, annotations = alert.rule["labels"], alert.rule["annotations"]
    assert labels.keys() - {"severity"} == ({"product"} if alert.name == "Watchdog" else set())
    severities = {"none"} if alert.name == "Watchdog" else {"critical", "warning", "info"}
    assert labels["severity"] in severities
    assert annotations.keys() == {"summary", "description", "runbook_url", "dashboard_url"}
    assert re.fullmatch(r"[A-Z].*[^.]\.", annotations["summary"])
    assert not re.search(r"\$value|\$labels\.queue|\n", annotations["summary"]), "one message has one summary"
    assert re.search(r"\bFirst ", annotations["description"])
    assert annotations["runbook_url"] == f"http://127.0.0.1:9877/runbooks/{alert.name}"
    assert annotations["dashboard_url"].startswith(DASHBOARD)
    assert ("for" in alert.rule) != (alert.name in EVENTS)


@each_alert
def test_a_number_with_its_unit_is_in_the_description(alert: Alert) -> None:
    """Whoever is woken sees how bad it is."""
    description = alert.rule["annotations"]["description"]
    assert "$value" in description or re.search(r"\b0 \w+", description) or alert.name == "Watchdog"


@each_alert
def test_the_board_opens_on_what_the_alert_is_about(alert: Alert) -> None:
    """On fleet, place, queue and actor, as far as the alert has them, and on a range of time."""
    url, description = alert.rule["annotations"]["dashboard_url"], alert.rule["annotations"]["description"]
    board = OTHER_BOARDS.get(alert.name, BOARDS[Path(alert.file).stem])
    assert url.startswith(f"{DASHBOARD}{board.uid}?")
    assert re.search(r"&from=now-\d+[hd]&to=now$|\?from=now-\d+h&to=now$", url)
    for label in ("queue", "actor"):
        assert (f"$labels.{label}" in description) == (f"var-{label}=" in url)
    if alert.name != "Watchdog":
        assert "var-fleet={{ $labels.fleet | urlquery }}" in url
        for label in OF_PLACES:
            assert f"{{{{ with $labels.{label} }}}}&var-{label}={{{{ . | urlquery }}}}{{{{ end }}}}" in url


@each_alert
def test_the_runbook_is_there(alert: Alert) -> None:
    """With the four headings that whoever is woken looks for, in their order, and something under each."""
    lines = (ROOT / f"docs/runbooks/{alert.name}.md").read_text(encoding="utf-8").splitlines()
    assert lines[0] == f"# {alert.name}"
    assert [line for line in lines if line.startswith("## ")] == HEADINGS
    parts = re.split(r"^## .*$", "\n".join(lines), flags=re.MULTILINE)[1:]
    assert all(part.strip() for part in parts)


def test_no_runbook_is_left_over() -> None:
    """A renamed alert takes its page along."""
    pages = {path.stem for path in (ROOT / "docs/runbooks").glob("*.md")}
    assert pages == {alert.name for alert in ALERTS}


def test_every_alert_is_documented() -> None:
    """docs/reference/alerts.md has a row for each, with its severity, and for no other."""
    page = (ROOT / "docs" / "reference" / "alerts.md").read_text(encoding="utf-8")
    rows = dict(re.findall(r"^\| \W*(\w+)[^|]*\| \W*(critical|warning|info|none)\b", page, re.MULTILINE))
    assert rows == {alert.name: alert.rule["labels"]["severity"] for alert in ALERTS}
