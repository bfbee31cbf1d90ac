"""Write what a Prometheus and an Alertmanager need to run our rules: for tests, demos and a first try."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path

import yaml

from bioagents_alerts.locate import alertmanager_file, rules_folder
from bioagents_alerts.scale import Node, scale_alertmanager, scale_durations


def write_rules(folder: Path, factor: float = 1.0) -> list[Path]:
    """Copy the rule files to ``folder``, all their durations divided by ``factor``; the paths of the copies.

    ValueError for a factor that is not positive and finite, or at which a duration would vanish.
    """
    folder.mkdir(parents=True, exist_ok=True)
    return [
        _copy_rules(source, folder / source.name, factor) for source in sorted(rules_folder().glob("*.yml"))
    ]


def _copy_rules(source: Path, target: Path, factor: float) -> Path:
    text = source.read_text(encoding="utf-8")
    if factor != 1:  # an unchanged copy keeps its comments
        text = _dump(scale_durations(yaml.safe_load(text), factor))
    target.write_text(text, encoding="utf-8")
    return target


def write_alertmanager(folder: Path, webhook_url: str, factor: float = 1.0) -> Path:
    """Write ``alertmanager.yml``: our routes, everything to one webhook, its durations divided by ``factor``.

    The payload's ``receiver`` tells a page from a ticket. ValueError as for :func:`write_rules`.
    """
    config: Node = scale_alertmanager(yaml.safe_load(alertmanager_file().read_text(encoding="utf-8")), factor)
    for webhook in _webhooks(config):
        webhook["url"] = webhook_url
    return _write(folder / "alertmanager.yml", config)


def _webhooks(config: Node) -> Iterator[dict[str, Node]]:
    """Every webhook of every receiver."""
    if isinstance(config, list):
        for item in config:
            yield from _webhooks(item)
    elif isinstance(config, dict):
        if "url" in config:
            yield config
        for value in config.values():
            yield from _webhooks(value)


def write_prometheus(
    folder: Path,
    targets: Sequence[str],
    rules: Sequence[Path],
    alertmanagers: Sequence[str],
    scrape_interval: float,
) -> Path:
    """Write ``prometheus.yml``: scrape ``targets`` as the job ``bioagents`` and evaluate ``rules``.

    Targets and Alertmanagers are ``host:port``; rules are evaluated every ``scrape_interval`` seconds too.
    """
    interval = f"{round(scrape_interval * 1000)}ms"
    config: Node = {
        "global": {"scrape_interval": interval, "evaluation_interval": interval},
        "rule_files": [str(path.resolve()) for path in rules],
        "scrape_configs": [{"job_name": "bioagents", "static_configs": _static(targets)}],
        "alerting": {"alertmanagers": [{"static_configs": _static(alertmanagers)}] if alertmanagers else []},
    }
    return _write(folder / "prometheus.yml", config)


def _static(addresses: Sequence[str]) -> Node:
    return [{"targets": list(addresses)}]


def _write(path: Path, config: Node) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(_dump(config), encoding="utf-8")
    return path


def _dump(document: Node) -> str:
    return str(yaml.safe_dump(document, sort_keys=False, allow_unicode=True, width=110))
