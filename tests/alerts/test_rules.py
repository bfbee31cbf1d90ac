"""What every rule must keep to, whatever it watches."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from bioagents_exporter.catalogue import METRICS, Metric
from support.rule_files import Alert, alerts, names

ROOT = Path(__file__).parents[2]
COPIES = {"instance", "pod", "container", "node", "endpoint"}  # in which copies of one exporter differ
ALERTS = alerts()
CATALOGUE = {metric.full_name("bioagents_"): metric for metric in METRICS}

each_alert = pytest.mark.parametrize("alert", ALERTS, ids=lambda alert: alert.name)


def _labels(metric: Metric) -> set[str]:
    return {"fleet", *metric.labels, *metric.optional}


def test_the_alerts_of_the_original_design_exist() -> None:
    """Each once, under its own name, in a group of its own concern."""
    assert {alert.name: alert.group for alert in ALERTS} == {
        "HighJobFailureRate": "bioagents-jobs",
        "HighQueueDepth": "bioagents-queues",
        "NoActiveWorkers": "bioagents-workers",
    }
    assert len(ALERTS) == 3
    assert all(alert.group == f"bioagents-{Path(alert.file).stem}" for alert in ALERTS)


@each_alert
def test_every_metric_and_label_is_in_the_catalogue(alert: Alert) -> None:
    """A rule never waits for a series that the exporter does not publish."""
    used = names(alert.expression)
    assert used.metrics
    assert used.metrics <= CATALOGUE.keys()
    assert all(label in _labels(CATALOGUE[metric]) for metric, label in used.matched)


@each_alert
def test_every_label_that_an_annotation_shows_exists(alert: Alert) -> None:
    """An annotation never shows an empty queue: the label survives the expression's aggregations."""
    used = names(alert.expression)
    dropped = set().union(*(labels for by, labels in used.grouped if not by))
    texts = " ".join(alert.rule["annotations"].values())
    for label in re.findall(r"\$labels\.(\w+)", texts):
        assert label not in dropped
        assert any(label in _labels(CATALOGUE[metric]) for metric in used.metrics)


@each_alert
def test_copies_make_one_answer_and_fleets_never_merge(alert: Alert) -> None:
    """Aggregations drop labels by name, the copies' all together, and never one that tells fleets apart."""
    used = names(alert.expression)
    own = {label for metric in used.metrics for label in _labels(CATALOGUE[metric])} - {"fleet"}
    for by, labels in used.grouped:
        assert not by, "`by` drops region, cluster, environment and whatever else targets carry"
        assert labels & COPIES in (set(), COPIES)
        assert labels - COPIES <= own
    assert any(labels >= COPIES for _, labels in used.grouped)


@each_alert
def test_counters_are_rated_before_copies_are_joined(alert: Alert) -> None:
    """A rate over a maximum of copies would see resets that never were."""
    for metric in names(alert.expression).metrics:
        rated = f"max without (instance, pod, container, node, endpoint) (rate({metric}["
        assert (CATALOGUE[metric].type == "counter") == (rated in alert.expression)


@each_alert
def test_labels_and_annotations_are_complete(alert: Alert) -> None:
    """A severity that routes and nothing else; a full sentence, what to do, and a page about this alert."""
    assert alert.rule["labels"].keys() == {"severity"}
    assert alert.rule["labels"]["severity"] in {"critical", "warning", "info"}
    assert alert.rule["annotations"].keys() == {"summary", "description", "runbook_url"}
    assert re.fullmatch(r"[A-Z].*\.", alert.rule["annotations"]["summary"])
    assert "$labels.queue" not in alert.rule["annotations"]["summary"], "one message has one summary"
    assert " First " in alert.rule["annotations"]["description"]
    assert alert.rule["annotations"]["runbook_url"].endswith(f"/runbooks/{alert.name}")
    assert "for" in alert.rule


@each_alert
def test_every_alert_is_documented(alert: Alert) -> None:
    """docs/alerts.md has a section for it that names its severity."""
    page = (ROOT / "docs" / "alerts.md").read_text(encoding="utf-8")
    section = page.split(f"\n### {alert.name}\n")[1].split("\n#")[0]
    assert f"`{alert.rule['labels']['severity']}`" in section
