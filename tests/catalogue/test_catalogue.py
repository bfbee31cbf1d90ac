"""The one list of all metrics."""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path

import pytest

from bioagents_alerts.promql import COPIES
from bioagents_exporter.catalogue import METRICS, Metric, page
from bioagents_exporter.settings.load import KEYS
from bioagents_exporter.settings.model import DEFAULT_PREFIX

DOCS = Path(__file__).parents[2] / "docs"
PAGE = DOCS / "reference" / "metrics.md"


def test_the_reference_page_is_up_to_date() -> None:
    """Written by ``python -m bioagents_exporter.catalogue > docs/reference/metrics.md``."""
    assert page(DEFAULT_PREFIX) == PAGE.read_text()


def test_the_list_of_metrics_needs_no_third_party_package() -> None:
    """``bioagents rules`` works in the base install: neither of the exporter's packages nor of a worker's."""
    program = (
        "import sys\nbefore = {*sys.modules}\nimport bioagents_exporter.catalogue\n"
        "tops = {name.split('.')[0] for name in {*sys.modules} - before}\n"
        "print(*sorted(top for top in tops - sys.stdlib_module_names if not top.startswith('bioagents_')))"
    )
    run = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    assert run.stdout.strip() == ""


def test_names_are_unique() -> None:
    """Also as they are published, with a histogram's parts."""
    names = [name for metric in METRICS for name in (metric.name, *_parts(metric))]
    assert len(set(names)) == len(names)


#: Labels that Prometheus, Kubernetes or the exporter itself gives a meaning of their own.
RESERVED = {"fleet", "le", "quantile", "job", *COPIES}


def test_every_metric_follows_the_naming_rules() -> None:
    """Snake case; ``_total`` for counters only; base units; one sentence of help; labels of Prometheus."""
    assert {metric.name: broken for metric in METRICS if (broken := broken_rules(metric))} == {}


def broken_rules(metric: Metric) -> list[str]:
    """The rules that a metric does not follow."""
    labels = metric.labels + metric.optional
    rules = {
        "name": re.fullmatch(r"[a-z]+(_[a-z]+)*", metric.name),
        "_total": metric.name.endswith("_total") == (metric.type == "counter"),
        "unit": metric.unit not in {"seconds", "bytes", "ratio"} or f"_{metric.unit}" in metric.name,
        "help": re.fullmatch(r"[A-Z][^\n]*\.", metric.help) and ". " not in metric.help,
        "formula": metric.formula and not metric.formula.endswith("."),
        "labels": all(re.fullmatch(r"[a-z_]+", label) for label in labels),
        "each label once": len(set(labels)) == len(labels),
        "reserved labels": not RESERVED.intersection(labels),
    }
    return [rule for rule, followed in rules.items() if not followed]


def test_every_limit_names_its_key_in_the_file() -> None:
    """A formula that is a setting gives its key in the YAML file; every key of a limit has its metric."""
    named = [key for metric in METRICS for key in re.findall(r"\bsetting `([^`]*)`", metric.formula)]
    assert sorted(named) == sorted(KEYS)


def test_the_name_without_a_prefix_is_shared() -> None:
    """``process_*`` and ``python_info`` are the same in every exporter."""
    names = {metric.name for metric in METRICS if metric.full_name("x_") == metric.name}
    assert {name.split("_")[0] for name in names} == {"process", "python"}


def _parts(metric: Metric) -> list[str]:
    return [f"{metric.name}_{part}" for part in ("bucket", "sum", "count") if metric.type == "histogram"]


@pytest.mark.parametrize("name", ["explanation/concepts.md", "reference/metrics.md"])
def test_pages_name_no_metric_that_does_not_exist(name: str) -> None:
    """The prefix alone, and a family of names with ``*``, are none."""
    known = {metric.full_name(DEFAULT_PREFIX) for metric in METRICS}
    named = re.findall(r"\bbioagents_[a-z_]*[a-z](?![\w*.])", (DOCS / name).read_text())
    own = {word for word in named if word not in {"bioagents_exporter", "bioagents_worker"}}
    assert own <= known
