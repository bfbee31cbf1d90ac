"""The configuration and its examples, by amtool's verdict and by what they may and must hold."""

from __future__ import annotations

import re
import subprocess
from pathlib import Path
from typing import Any

import pytest
import yaml

from alertmanager.manager import ALERTS_FOLDER, SECRETS, running, with_receivers
from bioagents_alerts import alertmanager_file, write_alertmanager
from bioagents_alerts.durations import milliseconds
from bioagents_alerts.messages import LATE, LOST, RECENT, templates
from bioagents_alerts.promql import COPIES
from support.checkout import resolved
from support.monitoring import Alertmanager
from support.programs import RELEASES, Release, require
from support.rule_files import alerts

CONFIG: dict[str, Any] = yaml.safe_load(alertmanager_file().read_text(encoding="utf-8"))
EXAMPLES = sorted(path.name for path in ALERTS_FOLDER.glob("alertmanager-*.yml"))
IDENTITY = {"fleet", "job", "namespace", "cluster", "region", "environment"}
# Keys whose value is a secret itself, not the name of its file.
INLINE = {"password", "credentials", "bearer_token", "api_url", "api_key", "routing_key", "service_key"}
INLINE |= {"auth_password", "auth_secret", "webhook_url", "app_token", "client_secret"}
NEWER = {"msteamsv2_configs", "url_file"}  # what Alertmanager 0.25 does not know


def _keys(node: object) -> set[str]:
    if isinstance(node, dict):
        return set(node).union(*(_keys(value) for value in node.values()))
    return set().union(*(_keys(item) for item in node)) if isinstance(node, list) else set()


def _files(node: object) -> list[str]:
    """The values of all keys that end in ``_file``."""
    if isinstance(node, dict):
        own = [value for key, value in node.items() if key.endswith("_file")]
        return own + [found for value in node.values() for found in _files(value)]
    return [found for item in node for found in _files(item)] if isinstance(node, list) else []


def _example(name: str) -> dict[str, Any]:
    found: dict[str, Any] = yaml.safe_load((ALERTS_FOLDER / name).read_text(encoding="utf-8"))
    return found


def _routes(route: dict[str, Any]) -> list[dict[str, Any]]:
    return [route, *(found for child in route.get("routes", []) for found in _routes(child))]


def test_there_are_two_examples() -> None:
    """For what 0.25 knows, and for what only newer ones do; the name says which."""
    assert EXAMPLES == ["alertmanager-receivers-0.28.yml", "alertmanager-receivers.yml"]


@pytest.mark.parametrize("name", EXAMPLES)
def test_an_example_holds_receivers_alone_and_all_that_are_routed_to(name: str) -> None:
    """Routes, groups and inhibitions are in one file only."""
    example = _example(name)
    assert example.keys() == {"receivers"}
    assert {receiver["name"] for receiver in example["receivers"]} >= {
        receiver["name"] for receiver in CONFIG["receivers"]
    }


@pytest.mark.parametrize("name", [None, *EXAMPLES])
def test_a_message_is_sent_once(name: str | None) -> None:
    """Each receiver is one service, and no route passes an alert on to a second receiver."""
    for receiver in (_example(name) if name else CONFIG)["receivers"]:
        services = [one for kind, each in receiver.items() if kind != "name" for one in each]
        assert len(services) == (receiver["name"] != "none"), receiver["name"]
    assert not any("continue" in route for route in _routes(CONFIG["route"]))


def test_the_services_are_there() -> None:
    """Slack, PagerDuty, e-mail, Microsoft Teams and a webhook."""
    kinds = set().union(*(_keys(_example(name)) for name in EXAMPLES))
    assert kinds >= {
        "slack_configs",
        "pagerduty_configs",
        "email_configs",
        "msteamsv2_configs",
        "webhook_configs",
    }


def test_what_a_message_calls_new_came_within_the_interval_of_tickets() -> None:
    """So that an alert that was not in the last message is written out in this one."""
    tickets = [CONFIG["route"] | route for route in _routes(CONFIG["route"]) if route["receiver"] == "ticket"]
    for route in tickets:
        assert 0 < RECENT / 10**6 - milliseconds(route["group_interval"]) <= 60_000


def test_the_grades_name_alerts() -> None:
    """Each alert that a message ranks exists, once."""
    names = {alert.name for alert in alerts()}
    assert names >= {*LOST, *LATE}
    assert len({*LOST, *LATE}) == len(LOST) + len(LATE)


def test_the_templates_are_those_of_the_code() -> None:
    """`make generate` was run."""
    assert (ALERTS_FOLDER / "templates/bioagents.tmpl").read_text(encoding="utf-8") == templates()


@pytest.mark.parametrize("name", EXAMPLES)
def test_secrets_come_from_files_only(name: str) -> None:
    """All of them from one folder; no address contains one, neither here nor in the default."""
    example = _example(name)
    assert not (_keys(example) | _keys(CONFIG)) & INLINE
    assert not {"@", "?"} & set(alertmanager_file().read_text(encoding="utf-8"))
    files = _files(example)
    assert len(files) >= 3
    assert all(file.startswith(f"{SECRETS}/") for file in files)
    assert all("?" not in url for url in re.findall(r"url: (http\S+)", yaml.safe_dump(example)))


@pytest.mark.parametrize("factor", [1.0, 60.0])
def test_a_copy_posts_everything_to_one_address(tmp_path: Path, factor: float) -> None:
    """No longer to the placeholders of the file that ships; amtool accepts the copy."""
    written = write_alertmanager(tmp_path / "new", "http://127.0.0.1:9/hook", factor)
    receivers = yaml.safe_load(written.read_text(encoding="utf-8"))["receivers"]
    urls = {webhook["url"] for receiver in receivers for webhook in receiver.get("webhook_configs", [])}
    assert urls == {"http://127.0.0.1:9/hook"}
    command = [require("amtool"), "check-config", written]
    assert subprocess.run(command, capture_output=True, check=False).returncode == 0


def test_amtool_accepts_the_receivers_of_an_older_alertmanager(tmp_path: Path) -> None:
    """The default with the example's receivers: amtool 0.25 finds the templates as well."""
    config = with_receivers("alertmanager-receivers.yml", tmp_path)
    assert not _keys(yaml.safe_load(config.read_text(encoding="utf-8"))) & NEWER
    result = subprocess.run(
        [require("amtool"), "check-config", config], capture_output=True, text=True, check=False
    )
    assert result.returncode == 0, result.stdout + result.stderr
    assert "1 templates" in result.stdout


def test_newer_ones_accept_both_examples(tmp_path: Path) -> None:
    """By their amtool, which knows Microsoft Teams too."""
    for name in EXAMPLES:
        config = with_receivers(name, tmp_path)
        command = [require("amtool", "newer"), "check-config", config]
        result = subprocess.run(command, capture_output=True, text=True, check=False)
        assert result.returncode == 0, result.stdout + result.stderr


def test_the_example_for_newer_ones_holds_only_keys_that_0_28_knows() -> None:
    """The tests have an older and a newer amtool; these are the fields of the source of 0.28."""
    fields = {
        "msteamsv2_configs": {"webhook_url_file", "send_resolved", "title", "text"},
        "webhook_configs": {"url_file", "send_resolved"},
    }
    for receiver in _example("alertmanager-receivers-0.28.yml")["receivers"]:
        for kind in receiver.keys() - {"name"}:
            assert all(one.keys() <= fields[kind] for one in receiver[kind])


@pytest.mark.parametrize("release", RELEASES)
@pytest.mark.parametrize("name", [None, "alertmanager-receivers.yml"], ids=["default", "services"])
def test_it_starts_without_any_secret(name: str | None, tmp_path: Path, release: Release) -> None:
    """Alertmanager reads a secret when it sends; neither file complains before."""
    assert not Path(SECRETS).exists()
    config = with_receivers(name, tmp_path) if name else alertmanager_file()
    with running(tmp_path, config, release) as manager:
        assert isinstance(manager, Alertmanager)
        assert manager.complaints() == []


def test_every_inhibition_asks_for_a_fleet_on_both_sides_and_for_the_same_one() -> None:
    """Labels that both sides lack count as equal: without these, other fleets would inhibit each other."""
    for rule in CONFIG["inhibit_rules"]:
        assert 'fleet!=""' in rule["source_matchers"]
        assert 'fleet!=""' in rule["target_matchers"]
        assert set(rule["equal"]) >= IDENTITY


def test_no_label_in_which_copies_differ_is_used() -> None:
    """Two Prometheus, or three exporters, make one message."""
    used = {label for rule in CONFIG["inhibit_rules"] for label in rule["equal"]}
    used |= {label for route in _routes(CONFIG["route"]) for label in route.get("group_by", [])}
    assert not used & {*COPIES}


def test_the_end_of_the_watchdog_is_not_sent() -> None:
    """The receiver would take it for a heartbeat."""
    for document in (CONFIG, *map(_example, EXAMPLES)):
        (watchdog,) = [found for found in document["receivers"] if found["name"] == "watchdog"]
        assert [one["send_resolved"] for one in watchdog["webhook_configs"]] == [False]


def test_the_container_gets_the_templates() -> None:
    """Next to the configuration, where it looks for them."""
    mounts = {m["target"]: m["source"] for m in resolved()["services"]["alertmanager"]["volumes"]}
    assert CONFIG["templates"] == ["templates/*.tmpl"]
    assert Path(mounts["/etc/alertmanager/templates"]) == ALERTS_FOLDER / "templates"
    assert Path(mounts["/etc/alertmanager/alertmanager.yml"]) == alertmanager_file()
