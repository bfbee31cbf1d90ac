"""The exporter: its copies, each by itself, and the sources of their numbers."""

from __future__ import annotations

from typing import Final

from grafana_foundation_sdk.builders import table, timeseries

from bioagents_dashboards.boards.parts import NO_EXPORTER, Panels
from bioagents_dashboards.drawing import style
from bioagents_dashboards.drawing.legends import BY_COPY, FLEET
from bioagents_dashboards.drawing.panels import (
    LIMIT,
    Target,
    Text,
    column,
    columns,
    graph_panel,
    sort_by,
    table_panel,
)
from bioagents_dashboards.queries import exporter

_COPIES: Final = {
    "fleet": "Fleet",
    "instance": "Copy",
    "pod": "Pod",
    "version": "Version",
    "python": "Python",
    "Value #B": "Redis",
    "Value #C": "Scrape",
    "Value #D": "Memory",
    "Value #E": "CPU",
    "Value #F": "Files open",
    "Value #G": "Up for",
}
_SOURCES: Final = {
    "fleet": "Fleet",
    "source": "Source",
    "Value #A": "Age",
    "Value #B": "State",
    "Value #C": "Takes",
}
#: The labels of a target that the table has no room for.
_ELSEWHERE: Final = ("container", "node", "endpoint")


def copies() -> Panels:
    """The row about the copies, apart on purpose: they are processes of their own."""
    return [_copies(), _duration(), _memory(), _cpu()]


def sources() -> Panels:
    """The row about what the numbers come from."""
    return [_sources(), _errors(), _age(), _source_duration()]


def _copies() -> table.Panel:
    text = Text(
        "Copies of the exporter",
        "One line for each copy that answers. Normal: as many lines as you run copies, all of one version, "
        "each reading Redis; a scrape takes well below Prometheus's timeout (10 seconds by default), files "
        "stay below 70 % of what the process may open. A copy that is missing here does not answer: "
        "Prometheus's page Status, Targets has the error.",
        NO_EXPORTER,
    )
    values = [
        exporter.versions(), exporter.reads_redis(), exporter.scrape_duration(), exporter.memory(),
        exporter.cpu(), exporter.files_share(), exporter.uptime(), exporter.python(),
    ]  # fmt: skip
    panel = table_panel(text, [Target(value) for value in values], width=24, height=6)
    columns(panel, _COPIES, hide=("Time", "job", "Value #A", "Value #H", *_ELSEWHERE))
    names = style.mapped(style.value_text("1", "up"), style.value_text("0", "DOWN"))
    column(panel, "Redis", "short", style.thresholds(style.BAD, (1, "transparent")), names)
    column(panel, "Scrape", "s", style.thresholds("transparent", (1, style.WARN), (5, style.BAD)))
    column(panel, "Memory", "bytes")
    column(panel, "CPU", "percentunit")
    column(
        panel,
        "Files open",
        "percentunit",
        style.thresholds("transparent", (0.7, style.WARN), (0.9, style.BAD)),
    )
    column(panel, "Up for", "s")
    return sort_by(panel, "Up for", highest_first=False)


def _duration() -> timeseries.Panel:
    return graph_panel(
        Text(
            "Scrape duration of each copy",
            "How long a scrape takes to read Redis, derive and write, for each copy by itself, the ten "
            "longest. Normal: well below a second, and level. A climb means more queues and workers, or a "
            "slow Redis; beyond Prometheus's timeout (10 seconds by default) the whole scrape is lost.",
            NO_EXPORTER,
        ),
        [Target(exporter.longest_scrapes(), BY_COPY)],
        unit="s",
        width=8,
    )


def _memory() -> timeseries.Panel:
    return graph_panel(
        Text(
            "Memory of each copy",
            "Resident memory of the exporter's process, for each copy by itself, the ten largest. Normal: "
            "level after the first minutes, some ten MiB more for a large fleet. A steady climb is a leak: "
            "restart that copy, nothing is lost, and report it.",
            NO_EXPORTER,
        ),
        [Target(exporter.most_memory(), BY_COPY)],
        unit="bytes",
        width=8,
    )


def _cpu() -> timeseries.Panel:
    return graph_panel(
        Text(
            "CPU of each copy",
            "Processor time that the exporter's process uses, for each copy by itself, the ten highest; "
            "100 % is one processor. Normal: a few per cent. If it nears 100 %, scrapes wait for each "
            "other: scrape less often, or have fewer programs scrape the same copy.",
            NO_EXPORTER,
        ),
        [Target(exporter.most_cpu(), BY_COPY)],
        unit="percentunit",
        width=8,
    )


def _sources() -> table.Panel:
    text = Text(
        "Sources",
        "One line for each part of the numbers, the worst of all copies, the oldest first; a copy that does "
        "not reach Redis has no state. Normal: every state is ok, ages are seconds; audit (orphaned, stuck, "
        "unheld and overdue jobs) goes round in the background. What each source tells stands in the "
        "runbook of ExporterReadStale.",
        NO_EXPORTER,
    )
    values = [exporter.source_age(), exporter.source_fails(), exporter.source_duration()]
    panel = table_panel(text, [Target(value) for value in values], width=12, height=11)
    columns(panel, _SOURCES, hide=("Time", "job"))
    stale = exporter.STALE_SECONDS
    column(panel, "Age", "s", style.thresholds("transparent", (60, style.WARN), (stale, style.BAD)))
    names = style.mapped(style.value_text("0", "ok"), style.value_text("1", "FAILS"))
    column(panel, "State", "short", style.thresholds("transparent", (1, style.BAD)), names)
    column(panel, "Takes", "s")
    return sort_by(panel, "Age")


def _errors() -> timeseries.Panel:
    panel = graph_panel(
        Text(
            "Scrape errors by cause",
            "Parts that scrapes had to leave out, per second, on the copy with the most, the ten most "
            "frequent causes. Normal: empty. redis_denied is a right that the exporter's user lacks; bad_… "
            "and wrong_type are keys of another program or version; derive is a bug of the exporter.",
            "nothing is left out",
        ),
        [Target(exporter.scrape_errors_by_cause(), FLEET + " {{cause}}")],
        unit="ops",
        thresholds=style.more_than_none(),
    )
    return panel.height(11)


def _age() -> timeseries.Panel:
    return graph_panel(
        Text(
            "Age by source",
            "How old the numbers of each source are, the worst of all copies, the ten oldest. The dashed "
            "limit, where the alert ExporterReadStale begins, is drawn once half of it is reached. Normal: "
            "seconds. A line that climbs at one second per second is a source that gives nothing new.",
            NO_EXPORTER,
        ),
        [
            Target(exporter.oldest_sources(), FLEET + " {{source}}"),
            Target(exporter.stale_limit(), FLEET + LIMIT),
        ],
        unit="s",
    )


def _source_duration() -> timeseries.Panel:
    return graph_panel(
        Text(
            "Duration by source",
            "What a scrape spends its time on, the worst of all copies, the ten longest; audit and window "
            "run in the background. Normal: milliseconds, and level. redis is one round trip: if it leads, "
            "Redis or the network is slow; jobs and workers grow with the fleet.",
            NO_EXPORTER,
        ),
        [Target(exporter.slowest_sources(), FLEET + " {{source}}")],
        unit="s",
    )
