"""Where a board shows that an alert begins, it does: the rules have the same numbers."""

from __future__ import annotations

import re
from collections.abc import Iterator
from itertools import product
from types import MappingProxyType
from typing import Any

from bioagents_alerts.objectives import BURNS, Burn
from bioagents_boards.slo import SUCCESS, WAIT, ObjectiveView
from bioagents_boards.style import BAD
from support.boards import boards, expression_of, hold, panels, queries
from support.rule_files import alerts

EXPRESSIONS = {alert.name: alert.expression for alert in alerts()}

#: Nothing of a thing, some of it, all of its limit: red there needs no number of the rules.
PLAIN = {0, 0.001, 1}

#: Where a panel's red begins, or ends where the lowest numbers are red, and the alert with the same number.
RED = MappingProxyType(
    {
        "Actor / Failures": (0.1, "HighJobFailureRate"),
        "Fleet overview / Failures": (0.1, "HighJobFailureRate"),
        "Fleet overview / Busiest workers / Memory used": (0.9, "WorkerMemoryHigh"),
        "Workers / Top host memory": (0.9, "WorkerMemoryHigh"),
        "Workers / Workers / Memory used": (0.9, "WorkerMemoryHigh"),
        "Workers / Least loaded": (0.2, "WorkersUneven"),
        "Workers / Boots per worker": (3.5, "WorkerRestarting"),
        "Workers / Clock skew": (10, "WorkerClockSkew"),
        "Capacity / Slots in use": (0.9, "WorkersAtCapacity"),
        "Redis and exporter / Round trip": (0.1, "RedisSlow"),
        "Redis and exporter / Memory used": (0.9, "RedisMemoryHigh"),
        "Redis and exporter / Oldest source": (300, "ExporterReadStale"),
        "Redis and exporter / Sources of the exporter / Age": (300, "ExporterReadStale"),
        "SLO / Wait burn rate": (14.4, "WaitSLOFastBurn"),
        "SLO / Success burn rate": (14.4, "SuccessSLOFastBurn"),
        "SLO / Jobs start in time: worst queues / Wait burn 1 h": (14.4, "WaitSLOFastBurn"),
        "SLO / Jobs start in time: worst queues / Wait burn 6 h": (6, "WaitSLOFastBurn"),
        "SLO / Jobs succeed: worst queues / Success burn 1 h": (14.4, "SuccessSLOFastBurn"),
        "SLO / Jobs succeed: worst queues / Success burn 6 h": (6, "SuccessSLOFastBurn"),
    }
)

#: Red by a board's own judgement: no alert has such a number, each with the reason.
OF_ITS_OWN = MappingProxyType(
    {
        "Actor / Run time vs. 1 d": "no alert compares days",
        "Capacity / Time until wait limit": "a forecast, which no alert makes",
        "Capacity / Queues / Until wait limit": "a forecast, which no alert makes",
        "Redis and exporter / Copies of the exporter / Scrape": "no alert times scrapes",
        "Redis and exporter / Copies of the exporter / Files open": "no alert counts files",
    }
)


#: Dashed lines at a number of the rules, and the alert with the same number.
DASHED = MappingProxyType(
    {
        "Redis and exporter / Round trip of each copy / B": "RedisSlow",
        "Redis and exporter / Replication lag of each copy / B": "RedisReplicationBroken",
        "Redis and exporter / Age by source / B": "ExporterReadStale",
        "Redis and exporter / Age of unsent counts / B": "MetricsFlushDelayed",
        "Workers / Memory used by host / B": "WorkerMemoryHigh",
        "Workers / Starts by host / C": "WorkerRestarting",
        "Workers / Clock difference by worker / B": "WorkerClockSkew",
        **{
            f"SLO / {name} burn rate, {windows} / B": f"{name}SLO{speed}Burn"
            for name, (windows, speed) in product(
                ("Wait", "Success"),
                (
                    ("1 h and 5 min", "Fast"),
                    ("6 h and 30 min", "Fast"),
                    ("1 d and 2 h", "Slow"),
                    ("3 d and 6 h", "Slow"),
                ),
            )
        },
    }
)


def test_dashed_lines_are_at_the_numbers_of_the_alerts() -> None:
    """Each line at a fixed number belongs to an alert that compares with it."""
    found = {
        str(query): float(number[1])
        for query in queries()
        if (number := re.match(r"([\d.]+) \+ 0 \* ", query.expression))
    }
    assert set(found) == set(DASHED)
    hold(found.items(), lambda line: _begins(DASHED[line[0]], line[1]))


def _begins(alert: str, number: float) -> None:
    assert begins(alert, number, ">"), alert


def test_red_is_what_the_alerts_say() -> None:
    """Each number at which a panel turns red is an alert's, compared the same way, or has its excuse."""
    found = {name: (number, compared) for name, number, compared in borders() if number not in PLAIN}
    assert set(found) == set(RED) | set(OF_ITS_OWN)
    for name, (number, alert) in RED.items():
        border, compared = found[name]
        assert border == number, name
        assert begins(alert, number, compared), name


def begins(alert: str, threshold: float, compared: str) -> bool:
    """Whether the alert's expression compares something with the number; not which thing."""
    return bool(re.search(rf"{compared}=? {re.escape(f'{threshold:g}')}(?![\d.])", EXPRESSIONS[alert]))


def borders() -> Iterator[tuple[str, float, str]]:
    """Panel, or panel and column; the number at which its red begins or ends; > or <."""
    for board in boards().values():
        for panel in panels(board):
            name = f"{board['title']} / {panel['title']}"
            config = panel["fieldConfig"]
            yield from _border(name, config["defaults"].get("thresholds"))
            for override in config.get("overrides", []):
                for changed in (p for p in override["properties"] if p["id"] == "thresholds"):
                    yield from _border(f"{name} / {override['matcher']['options']}", changed["value"])


def _border(name: str, thresholds: dict[str, Any] | None) -> Iterator[tuple[str, float, str]]:
    steps = [
        (step["value"], step["color"])
        for step in (thresholds or {"steps": []})["steps"]
        if step["value"] is not None
    ]
    red = [place for place, (_, color) in enumerate(steps) if color == BAD]
    if not red:
        return
    if (
        red[0] == 0 and steps[0][0] < 0
    ):  # from the lowest number on: red ends with the next step, if there is one
        yield from ((name, end, "<") for end, _ in steps[1:2])
    else:
        yield name, steps[red[0]][0], ">"


def test_workers_are_compared_where_the_alert_compares_them() -> None:
    """The board judges the same workers as WorkersUneven: those with as many attempts for each slot."""
    enough = re.search(r"role:bioagents_worker_jobs:rate30m > [^()]+", EXPRESSIONS["WorkersUneven"])
    assert enough
    assert enough[0] in re.sub(r"\{[^}]*\}", "", expression_of("Workers / Least loaded / A"))


def test_burn_rates_of_the_objectives() -> None:
    """Both windows of a pair with the threshold, in the alert and on the board."""

    def check(pair: tuple[ObjectiveView, Burn]) -> None:
        objective, burn = pair
        alert = EXPRESSIONS[f"{objective.title}SLO{'Fast' if burn.pages else 'Slow'}Burn"]
        (shown,) = [
            query.expression
            for query in queries()
            if query.panel == objective_panel(objective, burn) and query.ref == "A"
        ]
        for window in (burn.long, burn.short):
            assert re.search(rf"ratio_rate{window} / \([^)]*\)\s*> {burn.threshold:g}\b", alert)
            assert f"_errors:ratio_rate{window}{{" in shown

    hold(product((WAIT, SUCCESS), BURNS), check)


def objective_panel(objective: ObjectiveView, burn: Burn) -> str:
    """The title of a panel, with the windows as people write them."""
    long, short = (re.sub("m$", "min", window) for window in (burn.long, burn.short))
    windows = " and ".join(re.sub(r"(\d)(?=[a-z])", r"\1 ", window) for window in (long, short))
    return f"{objective.title} burn rate, {windows}"
