"""Files for a Prometheus and an Alertmanager: where those that ship are, and copies for tests and demos.

In a copy all durations can be divided by one factor: who waits for an alert then waits for seconds, and runs
the same rules that page people.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Final, TypeAlias

from bioagents_alerts.builder import Variant
from bioagents_alerts.durations import scale_duration
from bioagents_alerts.emit import prometheus_files
from bioagents_alerts.model import scaled
from bioagents_alerts.source import build

#: What YAML holds.
Node: TypeAlias = "dict[str, Node] | list[Node] | str | int | float | bool | None"

_PACKAGE = Path(__file__).parent
_ALERTMANAGER_DURATIONS: Final = {"group_wait", "group_interval", "repeat_interval", "resolve_timeout"}


def rules_folder() -> Path:
    """The folder with the rule files, ``*.yml``: inside the package in a wheel, next to it in a checkout."""
    return _beside("rules")


def alertmanager_file() -> Path:
    """The minimal Alertmanager configuration."""
    return _beside("alertmanager.yml")


def _beside(name: str) -> Path:
    packaged = _PACKAGE / name
    return packaged if packaged.exists() else _PACKAGE.parent / name


def write_rules(folder: Path, factor: float = 1.0) -> list[Path]:
    """Write the rules to ``folder``, all their durations divided by ``factor``; the paths of the files.

    ValueError for a factor that is not positive and finite, or at which a duration would become 0.
    """
    files = build(Variant())
    if factor != 1:
        files = [scaled(file, factor) for file in files]
    return write_texts(folder, prometheus_files(files))


def write_texts(folder: Path, texts: dict[str, str]) -> list[Path]:
    """Write files, by their names, to a folder that need not exist; their paths."""
    folder.mkdir(parents=True, exist_ok=True)
    for name, text in texts.items():
        (folder / name).write_text(text, encoding="utf-8")
    return [folder / name for name in texts]


def write_alertmanager(folder: Path, webhook_url: str, factor: float = 1.0) -> Path:
    """Write ``alertmanager.yml``: our routes, everything to one webhook, its durations divided by ``factor``.

    The payload's ``receiver`` shows whether an alert is a page or a ticket. ValueError as for
    :func:`write_rules`. Needs PyYAML (the extras ``exporter`` and ``demo`` install it).
    """
    import yaml  # noqa: PLC0415 - the base install has none, and rules need none

    config: Node = scale_alertmanager(yaml.safe_load(alertmanager_file().read_text(encoding="utf-8")), factor)
    for webhook in _webhooks(config):
        webhook["url"] = webhook_url
    return _dump(folder / "alertmanager.yml", config)


def scale_alertmanager(node: Node, factor: float, key: str = "") -> Node:
    """A parsed Alertmanager configuration, its waits and intervals divided by ``factor``."""
    if isinstance(node, list):
        return [scale_alertmanager(item, factor) for item in node]
    if isinstance(node, dict):
        return {name: scale_alertmanager(value, factor, name) for name, value in node.items()}
    return scale_duration(node, factor) if isinstance(node, str) and key in _ALERTMANAGER_DURATIONS else node


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
    Needs PyYAML.
    """
    interval = f"{round(scrape_interval * 1000)}ms"
    config: Node = {
        "global": {"scrape_interval": interval, "evaluation_interval": interval},
        "rule_files": [str(path.resolve()) for path in rules],
        "scrape_configs": [{"job_name": "bioagents", "static_configs": _static(targets)}],
        "alerting": {"alertmanagers": [{"static_configs": _static(alertmanagers)}] if alertmanagers else []},
    }
    return _dump(folder / "prometheus.yml", config)


def _static(addresses: Sequence[str]) -> Node:
    return [{"targets": list(addresses)}]


def _dump(path: Path, config: Node) -> Path:
    import yaml  # noqa: PLC0415 - as above

    text = str(yaml.safe_dump(config, sort_keys=False, allow_unicode=True, width=110))
    return write_texts(path.parent, {path.name: text})[0]
