"""The rules under another prefix and for other targets: promtool's verdict, and what they watch."""

from __future__ import annotations

import json
import re
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml

from bioagents_alerts import rules_folder
from bioagents_alerts.variants import objectives
from bioagents_alerts.variants.constants import CONSTANTS, Constant
from bioagents_alerts.variants.objectives import RECORDS, Objective
from bioagents_alerts.variants.render import prometheus_files
from bioagents_alerts.variants.selector import parse_selector
from bioagents_alerts.variants.variant import Variant, build
from support.programs import require
from support.rule_cases import run_cases
from support.rule_files import names, rule_tests

TESTS = Path(__file__).parents[2] / "alerts" / "tests"
FILES = sorted(path.name for path in rules_folder().glob("*.yml"))
CONCERNS = [path.name for path in sorted(TESTS.glob("*.yml"))]
ODD = r"""job!='a"b`c\\d%q é'"""


def _promtool(*args: str | Path) -> subprocess.CompletedProcess[str]:
    return subprocess.run([require("promtool"), *args], capture_output=True, text=True, check=False)


def _written(folder: Path, variant: Variant) -> list[Path]:
    folder.mkdir(exist_ok=True)
    for name, text in prometheus_files(build(variant), "").items():
        (folder / name).write_text(text, encoding="utf-8")
    return sorted(folder.glob("*.yml"))


def _run(folder: Path, tests: dict[str, Any]) -> None:
    """The tests pass on the rules of the folder ``rules`` beside them."""
    result = run_cases(folder / "cases", tests, folder / "rules")
    assert result.returncode == 0, result.stdout + result.stderr


def _expected(tests: dict[str, Any]) -> Iterator[dict[str, Any]]:
    for test in tests["tests"]:
        for at in test.get("alert_rule_test", []):
            yield from at["exp_alerts"]


def _rules(variant: Variant) -> Iterator[dict[str, Any]]:
    for groups in build(variant).values():
        for group in groups:
            assert isinstance(group, dict)
            yield from group["rules"]  # type: ignore[misc]


def test_without_a_change_the_rules_are_those_that_ship() -> None:
    """As data: comments alone are lost."""
    shipped = {name: yaml.safe_load((rules_folder() / name).read_text(encoding="utf-8")) for name in FILES}
    rendered = {name: yaml.safe_load(text) for name, text in prometheus_files(build(Variant()), "").items()}
    assert rendered == shipped


@pytest.mark.parametrize(
    "variant",
    [
        Variant(prefix="acme_"),
        Variant(selector=parse_selector('job="x",region=~"eu.*"')),
        Variant(prefix="a_", selector=parse_selector(ODD)),
        Variant(objectives=(Objective("wait", 0.99), Objective("wait", 0.999, 'a "b"\nд'))),
        Variant(constants={constant.alert: constant.default * 0.7 for constant in CONSTANTS}),
    ],
    ids=["prefix", "selector", "odd", "objectives", "thresholds"],
)  # fmt: skip
def test_a_variant_passes_every_lint(tmp_path: Path, variant: Variant) -> None:
    """`promtool check rules`, and a second parser."""
    result = _promtool("check", "rules", "--lint=all", "--lint-fatal", *_written(tmp_path, variant))
    assert result.returncode == 0, result.stdout + result.stderr
    for rule in _rules(variant):
        names(rule["expr"])


def test_no_name_keeps_the_old_prefix() -> None:
    """Neither in expressions nor in annotations nor among the recorded series."""
    text = json.dumps(list(_rules(Variant(prefix="acme_"))))
    assert not re.search(r"\bbioagents_", text.replace("bioagents_worker.reference", ""))
    assert "queue:acme_" in text


def test_every_selector_of_ours_and_of_up_is_narrowed() -> None:
    """In the expressions by a second parser; in the annotations by a look at what follows each name."""
    variant = Variant(selector=parse_selector('region="eu"'))
    for rule in _rules(variant):
        used = names(rule["expr"])
        assert {metric for metric, label in used.matched if label == "region"} == used.metrics
        for text in rule.get("annotations", {}).values():
            for found in re.finditer(r"(?:(?:\w+:)?\bbioagents_\w+(?::\w+)?|\bup(?=\{))(.{0,8})", text):
                assert found[1].replace("\\", "") in {"{region=", '{region="'}, text


@pytest.mark.parametrize("file", CONCERNS)
def test_each_alert_fires_under_another_prefix_and_selector(tmp_path: Path, file: str) -> None:
    """With exact labels and texts, when its series are renamed too and the selector leaves nothing out.

    The selector's value holds each kind of quote, and breaks no expression and no template.
    """
    variant = Variant(prefix="acme_", selector=parse_selector(ODD))
    _written(tmp_path / "rules", variant)
    text = (TESTS / file).read_text(encoding="utf-8").replace("../rules/", "rules/")
    tests = rule_tests(text.replace("bioagents_", "acme_"))
    tests["tests"] = [test for test in tests["tests"] if ": fires" in test["name"]]
    for expected in _expected(tests):
        shown = expected["exp_annotations"]
        # Queries for people carry the selector as well.
        shown["description"] = re.sub(
            r"\b(acme_\w+)(\{?)", lambda found: _narrowed(found[1], found[2], variant), shown["description"]
        )
    _run(tmp_path, tests)


def _narrowed(name: str, brace: str, variant: Variant) -> str:
    (matcher,) = variant.selector
    return f"{name}{{{matcher}{',' if brace else '}'}"


def test_other_regions_are_left_out(tmp_path: Path) -> None:
    """Of two equal faults only that of the selected region alerts, and its text asks only there."""
    _written(tmp_path / "rules", Variant(prefix="acme_", selector=parse_selector('job="x",region=~"eu.*"')))
    queue = 'fleet="prod",queue="chat"'
    series = [
        {
            "series": f'acme_queue_depth{{{queue},state="waiting",job="x",region="{region}"}}',
            "values": "60x60",
        }
        for region in ("eu1", "us1")
    ] + [
        {"series": f'acme_queue_depth_limit{{{queue},job="x",region="{region}"}}', "values": "50x60"}
        for region in ("eu1", "us1")
    ]
    at = {"alertname": "HighQueueDepth", "eval_time": "15m"}
    labels = {"severity": "warning", "fleet": "prod", "queue": "chat", "job": "x", "region": "eu1"}
    (rule,) = [rule for rule in _rules(Variant()) if rule.get("alert") == "HighQueueDepth"]
    texts = {key: _filled(text) for key, text in rule["annotations"].items()}
    at["exp_alerts"] = [{"exp_labels": labels, "exp_annotations": texts}]  # type: ignore[assignment]
    test = {"interval": "15s", "input_series": series, "alert_rule_test": [at]}
    _run(tmp_path, {"rule_files": ["rules/queues.yml"], "evaluation_interval": "15s", "tests": [test]})


def _filled(text: str) -> str:
    text = text.replace("{{ with $labels.region }}&var-region={{ . | urlquery }}{{ end }}", "&var-region=eu1")
    text = re.sub(r"\{\{ with [^}]*\}\}.*?\{\{ end \}\}", "", text)  # labels that this case has not
    text = re.sub(r"\{\{ \$labels\.fleet[^}]*\}\}", "prod", text)
    text = re.sub(r"\{\{ \$labels\.queue[^}]*\}\}", "chat", text)
    return re.sub(r"\{\{ \$value[^}]*\}\}", "60", text)


def test_addresses_of_pages_are_rebased() -> None:
    """Runbooks and boards under any base; what follows it stays."""
    variant = Variant(runbook_url="https://wiki/on-call", dashboard_url="https://grafana.example.org/g")
    for rule in _rules(variant):
        if "alert" in rule:
            assert rule["annotations"]["runbook_url"] == f"https://wiki/on-call/{rule['alert']}"
            assert (
                rule["annotations"]
                .get("dashboard_url", "https://grafana.example.org/g/d/")
                .startswith("https://grafana.example.org/g/d/")
            )


@pytest.mark.parametrize("constant", CONSTANTS, ids=lambda constant: constant.alert)
def test_a_threshold_changes_in_the_expression_and_in_the_text(constant: Constant) -> None:
    """The number that fires is the number that people read, and no other rule changes."""
    value = constant.default / 2
    changed = {rule.get("alert"): rule for rule in _rules(Variant(constants={constant.alert: value}))}
    for rule in _rules(Variant()):
        if rule.get("alert") == constant.alert:
            mine = changed[constant.alert]
            assert mine["expr"] != rule["expr"]
            assert (mine["annotations"] != rule["annotations"]) == bool(constant.texts)
        elif "alert" in rule:
            assert changed[rule["alert"]] == rule


@pytest.mark.parametrize(
    "name", [name for name, record in RECORDS.items() if (rules_folder() / "slo.yml").exists()]
)
def test_an_objective_changes_for_all_queues_and_for_one(name: str) -> None:
    """The queue that has its own goes first."""
    given = (Objective(name, 0.98), Objective(name, 0.999, 'a "b"'))
    (rule,) = [rule for rule in _rules(Variant(objectives=given)) if rule.get("record") == RECORDS[name]]
    assert re.fullmatch(r'0 \* (\S+)\{queue="a \\"b\\""\} \+ 0\.999\nor 0 \* \1 \+ 0\.98\n', rule["expr"]), (
        rule["expr"]
    )


def test_the_fastest_burn_is_that_of_the_rules() -> None:
    """An objective is judged by the highest factor that an alert waits for."""
    path = rules_folder() / "slo.yml"
    factors = re.findall(r"objective\) > ([\d.]+)", path.read_text(encoding="utf-8")) if path.exists() else []
    assert max(map(float, factors), default=objectives.FASTEST) == objectives.FASTEST
