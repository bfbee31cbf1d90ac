"""Units say what a number counts: a rate of jobs is jobs per second, not operations per second."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final

from support.boards import Json, boards, hold, panels

#: Grafana's units of throughput: they name operations, requests or reads, none of which a worker has.
OF_OTHERS: Final = {"ops", "reqps", "rps", "wps", "iops", "eps", "cps", "mps", "rpm", "wpm", "opm"}
#: A rate of events, which rules or a board take of a counter.
RATE: Final = re.compile(r":rate\d+[mhd](_raised)?\{|\brate\(")
#: What is divided, is a share or a percentile, or counts seconds or the buckets of a histogram.
NO_RATE: Final = re.compile(r" / |ratio|share|:p\d\d_|cpu_seconds|increase|ALERTS| [<>] bool")
#: Columns with the rates of an earlier time, next to one whose name ends in "/s".
EARLIER: Final = re.compile(r"^1 [hd] ago$")


@dataclass(frozen=True, slots=True)
class Number:
    """A query, and how a panel or a column shows its values."""

    name: str
    query: str
    unit: str
    column: str = ""


def numbers() -> Iterator[Number]:
    """Of all panels; of a table each column."""
    for board in boards().values():
        for panel in panels(board):
            name = f"{board['title']} / {panel['title']}"
            if panel["type"] == "table":
                yield from columns(name, panel)
            else:
                unit = panel["fieldConfig"]["defaults"]["unit"]
                yield from (Number(name, target["expr"], unit) for target in panel["targets"])


def columns(name: str, panel: Json) -> Iterator[Number]:
    """The shown values of a table."""
    (options,) = [t["options"] for t in panel["transformations"] if t["id"] == "organize"]
    own = {
        override["matcher"]["options"]: changed["value"]
        for override in panel["fieldConfig"]["overrides"]
        for changed in override["properties"]
        if changed["id"] == "unit"
    }
    alone = len(panel["targets"]) == 1
    for target in panel["targets"]:
        title = options["renameByName"].get("Value" if alone else f"Value #{target['refId']}")
        if title:
            yield Number(f"{name} / {title}", target["expr"], own.get(title, "short"), title)


def test_no_job_is_an_operation() -> None:
    """No unit of Grafana's for throughput: each names something that no worker does."""
    hold(numbers(), _is_of_ours)


def _is_of_ours(number: Number) -> None:
    assert number.unit not in OF_OTHERS


def test_rates_say_what_they_count() -> None:
    """A number per second has a unit such as "jobs/s", or the head of its column ends in "/s"."""

    def check(number: Number) -> None:
        if number.column:
            assert number.column.endswith("/s") or EARLIER.match(number.column), number.column
        else:
            assert re.fullmatch(r"count:[a-z]+s/s", number.unit), number.unit

    hold([n for n in numbers() if RATE.search(n.query) and not NO_RATE.search(n.query)], check)


def test_no_other_number_is_a_rate() -> None:
    """The unit of a rate is on rates alone."""

    def check(number: Number) -> None:
        assert RATE.search(number.query), number.unit

    hold([n for n in numbers() if n.unit.endswith("/s") or n.column.endswith("/s")], check)
