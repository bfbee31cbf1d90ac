"""Scrape configurations that damage metrics: an alert finds each, and the remedy in its runbook ends it."""

from __future__ import annotations

import re
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import yaml

from bioagents_alerts import rules_folder
from bioagents_alerts.promql import labels_of_all
from bioagents_exporter.catalogue import FLEET_LABEL
from support.checkout import ROOT
from support.monitoring import Prometheus, StaticExposition
from support.polling import wait_until
from support.rule_cases import run_cases
from support.rule_files import alerts

EXPOSITION = (ROOT / "tests/render/golden.prom").read_text(encoding="utf-8")
EXPRESSIONS = {alert.name: alert.expression for alert in alerts()}
NAMES = sorted(labels_of_all())
Job = dict[str, Any]


def _remedy(alert: str) -> dict[str, Any]:
    """The scrape settings in the runbook of an alert."""
    page = (ROOT / f"docs/runbooks/{alert}.md").read_text(encoding="utf-8")
    (block,) = re.findall(r"```yaml\n(.*?)```", page, re.DOTALL)
    settings: dict[str, Any] = yaml.safe_load(block)
    return settings


@contextmanager
def _scraping(folder: Path, jobs: list[Job], *flags: str) -> Iterator[Prometheus]:
    """A Prometheus 3 that has scraped one exposition with each of these jobs, by their labels."""
    exposition = StaticExposition(EXPOSITION)
    for number, job in enumerate(jobs):
        labels = job.pop("labels", {})
        job["job_name"] = str(number)
        job["static_configs"] = [{"targets": [exposition.address], "labels": labels}]
    config = folder / "prometheus.yml"
    config.write_text(yaml.safe_dump({"global": {"scrape_interval": "2s"}, "scrape_configs": jobs}))
    prometheus = Prometheus(folder, config, *flags, release="newer")
    try:
        wait_until(lambda: len(prometheus.query("count by (job) (up == 1)")) == len(jobs), what="scrapes")
        yield prometheus
    finally:
        prometheus.stop()
        exposition.stop()


def _found(prometheus: Prometheus, alert: str) -> list[int]:
    """The numbers of the jobs that an alert is about."""
    return sorted({int(labels["job"]) for labels, _ in prometheus.query(EXPRESSIONS[alert])})


def test_each_label_of_ours_on_a_target_is_found_and_the_remedy_ends_it(tmp_path: Path) -> None:
    """With honor_labels and without; only the fleet stays the exporter's own with honor_labels."""
    clashing = [
        {"labels": {name: "theirs"}, "honor_labels": honor}
        for name in NAMES
        for honor in (False, True)
        if (name, honor) != (FLEET_LABEL, True)
    ]
    repaired = [{**job, **_remedy("MetricsLabelConflict")} for job in clashing]
    with _scraping(tmp_path, [*clashing, *repaired, {"labels": {"region": "eu"}}]) as prometheus:
        assert _found(prometheus, "MetricsLabelConflict") == list(range(len(clashing)))
        renamed = prometheus.query('bioagents_redis_up{target_host="theirs"}')
        assert [labels for labels, _ in renamed if "host" in labels or "exported_host" in labels] == []
        assert len(renamed) == 2


def test_the_text_names_each_label(tmp_path: Path) -> None:
    """A case for every label name of the catalogue, with the name that Prometheus gives it."""
    (alert,) = [one for one in alerts() if one.name == "MetricsLabelConflict"]
    runbook = alert.rule["annotations"]["runbook_url"]
    cases = []
    for name in NAMES:
        given = f"exported_{name}" if name == FLEET_LABEL else name
        series = f'bioagents_redis_up{{fleet="prod",job="x",instance="a:9877",{given}="theirs"}}'
        cases.append(
            {
                "name": f"MetricsLabelConflict: {name}",
                "interval": "1m",
                "input_series": [{"series": series, "values": "1x30"}],
                "alert_rule_test": [{"alertname": alert.name, "eval_time": "20m", "exp_alerts": [{
                    "exp_labels": {**alert.rule["labels"], "fleet": "prod", "job": "x", given: "theirs"},
                    "exp_annotations": {
                        "summary": "Fleet prod: targets have labels that its metrics use",
                        "description": 'Targets of fleet "prod" in job "x" have labels with names that the '
                        f'exporter\'s metrics use: {name}="theirs". Rules that need these labels of the '
                        "metrics fire falsely or not at all. First rename the labels of the targets in the "
                        "scrape configuration, with relabel_configs: see the runbook.",
                        "runbook_url": runbook,
                        "dashboard_url": "http://127.0.0.1:3000/d/bioagents-ground?var-fleet=prod&"
                        "from=now-3h&to=now",
                    },
                }]}],
            }
        )  # fmt: skip
    tests = {"rule_files": ["meta.yml"], "evaluation_interval": "1m", "tests": cases}
    result = run_cases(tmp_path, tests, rules_folder(), "newer")
    assert result.returncode == 0, result.stdout + result.stderr


def test_histograms_that_are_converted_are_found_and_the_remedy_ends_it(tmp_path: Path) -> None:
    """Prometheus 3 stores them as native ones; then no rule sees a bucket."""
    native = {"convert_classic_histograms_to_nhcb": True}
    dropped = {"source_labels": ["__name__"], "regex": ".*_bucket", "action": "drop"}
    jobs = [native, {"metric_relabel_configs": [dropped]}, _remedy("HistogramsMissing"), {}]
    with _scraping(tmp_path, jobs, "--enable-feature=native-histograms") as prometheus:
        assert _found(prometheus, "HistogramsMissing") == [0, 1]
        series = prometheus.query('count by (job) ({__name__=~"bioagents_job_(wait|duration)_seconds.*"})')
        counts = {labels["job"]: value for labels, value in series}
        assert counts["0"] < counts["3"] / 10
        assert counts["2"] == counts["0"] + counts["3"]
