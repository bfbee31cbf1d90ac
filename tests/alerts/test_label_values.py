"""The label values that the rules select are those that an exporter publishes, in each of its roles.

And a queue's name may be anything.
"""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any, Literal
from urllib.parse import quote_plus

import pytest

from bioagents_alerts import rules_folder
from bioagents_exporter.derive import Memory, derive
from bioagents_exporter.read.info import Server
from bioagents_exporter.read.snapshot import Queue, Snapshot
from bioagents_exporter.settings import Settings
from support.rule_cases import run_cases
from support.rule_files import Alert, alerts, rule_tests

TESTS = Path(__file__).parents[2] / "alerts" / "tests"

SERVER = Server(
    run_id="r", version="7.0.15", software="redis", role="master", mode="standalone", time=1000.0,
    memory_used=1, memory_max=0, maxmemory_policy="noeviction", evicted_keys=0,
    aof=False, loading=False,
)  # fmt: skip
READ = Snapshot(
    SERVER, 0.001, queues=(Queue("chat", waiting=3, messages=3, delayed=0, dead=0, dead_expiring=0),)
)
UNREAD = Snapshot(None, 0.0, errors={"redis": 1}, failure="Redis is away")


def _published(snapshot: Snapshot, role: Literal["all", "host", "none"]) -> dict[tuple[str, ...], float]:
    """Metric and label values → value."""
    families = derive(snapshot, Memory(), Settings(collect_workers=role), now=1.0)
    return {
        (family.metric.name, *key): value
        for family in families
        for key, value in zip(family.keys, family.values, strict=True)
    }


@pytest.mark.parametrize("role", ["all", "none"])
def test_a_central_exporter_publishes_what_the_rules_select(role: Literal["all", "none"]) -> None:
    """Waiting jobs, their limit, workers, and the source that vouches for the workers."""
    published = _published(READ, role)
    assert published["queue_depth", "chat", "waiting"] == 3
    assert published["queue_depth_limit", "chat"] == 50
    assert published["queue_workers", "chat"] == 0
    assert published["exporter_source_success", "fleet"] == 1


def test_a_sidecar_says_nothing_of_the_fleet() -> None:
    """Else NoActiveWorkers would take the queues that it never publishes for an empty fleet."""
    names = _published(READ, "host")
    assert ("exporter_source_success", "fleet") not in names
    assert not [name for name in names if name[0] == "queue_workers"]


@pytest.mark.parametrize("role", ["all", "host", "none"])
def test_an_exporter_without_redis_vouches_for_nothing(role: Literal["all", "host", "none"]) -> None:
    """Redis away is another fault than a fleet without workers."""
    published = _published(UNREAD, role)
    assert published["redis_up",] == 0
    assert published.get(("exporter_source_success", "fleet"), 0) == 0
    assert not [name for name in published if name[0] == "queue_workers"]


ODD = "a \"b\" 'c' `d` 100% {{e}} \\ ж\n中"


def _queue(test: dict[str, Any]) -> str:
    """The queue that the first alert of a case is about."""
    fired = (one["exp_labels"] for at in test["alert_rule_test"] for one in at["exp_alerts"])
    return next((labels["queue"] for labels in fired if "queue" in labels), "")


def _odd(test: dict[str, Any]) -> dict[str, Any]:
    """The same case of a queue with an odd name, once in each kind of quoting that an alert uses."""
    queue, quoted = _queue(test), json.dumps(ODD, ensure_ascii=False)
    changed: dict[str, Any] = json.loads(json.dumps(test))
    for series in changed["input_series"]:
        series["series"] = re.sub(f"""queue=['"]{queue}['"]""", lambda _: f"queue={quoted}", series["series"])
    for expected in (one for at in changed["alert_rule_test"] for one in at["exp_alerts"]):
        if expected["exp_labels"].get("queue") == queue:
            expected["exp_labels"]["queue"] = ODD
            shown = expected["exp_annotations"]
            shown["summary"] = shown["summary"].replace(f"Queue {queue}: ", f"Queue {ODD}: ")
            in_promql = shown["description"].replace(f'queue="{queue}"', f"queue={quoted}")
            shown["description"] = in_promql.replace(f'"{queue}"', f'"{ODD}"')
            for link, end in (("dashboard_url", "&"), ("runbook_url", "")):
                at = re.compile(f"queue={queue}{end or '$'}")
                shown[link] = at.sub(lambda _, end=end: f"queue={quote_plus(ODD)}{end}", shown[link])
    return changed


def _about_a_queue(alert: Alert) -> bool:
    return bool(re.search(r"\$labels\.queue\b", alert.rule["annotations"]["description"]))


@pytest.mark.parametrize("path", sorted(TESTS.glob("*.yml")), ids=lambda path: path.stem)
def test_a_queue_of_any_name_gives_correct_alerts(tmp_path: Path, path: Path) -> None:
    """Labels, text and links, with quotes of all kinds, a newline, a template's braces and other letters."""
    tests = rule_tests(path.read_text(encoding="utf-8"))
    chosen = {
        test["name"].split(":")[0]: _odd(test)
        for test in reversed(tests["tests"])
        if ": fires" in test["name"] and re.fullmatch(r"[\w-]+", _queue(test))
    }
    mine = {test["name"].split(":")[0] for test in tests["tests"]}
    assert {alert.name for alert in alerts() if _about_a_queue(alert)} & mine <= chosen.keys()
    if chosen:
        tests["tests"] = list(chosen.values())
        result = run_cases(tmp_path, tests, rules_folder())
        assert result.returncode == 0, result.stdout + result.stderr
