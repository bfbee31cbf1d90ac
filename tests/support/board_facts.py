"""Numbers of the boards that state the same fact: by the same word, or because one follows from others."""

from __future__ import annotations

import itertools
import math
import re
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Final, TypeAlias

from support.board_stage import BoardStage, Series
from support.boards import Json, Query, boards, panels

#: Labels that say what a number is of.
OWN: Final = ("queue", "actor", "host", "worker", "source", "exception", "cause", "instance", "alertname")
#: Numbers of one fleet, by the labels that say what they are of.
Numbers: TypeAlias = Mapping[tuple[tuple[str, str], ...], float]


@dataclass(frozen=True, slots=True)
class Number:
    """A tile, a column or a line, and the word for what it shows."""

    word: str
    query: Query

    def __str__(self) -> str:
        """Its place: board, panel, query."""
        return str(self.query)


def numbers() -> Iterator[Number]:
    """Of all boards; limits and thresholds have no number of their own."""
    for board in boards().values():
        for panel in panels(board):
            for target in panel["targets"]:
                place = board["title"], panel["title"], target["refId"]
                if word := _word(panel, target):
                    yield Number(word, Query(*place, target["expr"], instant=True))


def _word(panel: Json, target: Json) -> str:
    """A title without "by queue" and the like, the head of a column without "/s"."""
    if panel["type"] == "table":
        (options,) = [t["options"] for t in panel["transformations"] if t["id"] == "organize"]
        source = "Value" if len(panel["targets"]) == 1 else f"Value #{target['refId']}"
        return re.sub("/s$", "", options["renameByName"].get(source, ""))
    if panel["type"] not in {"stat", "timeseries"}:
        return ""
    line = re.sub(r"\{\{.*?\}\}:?", "", target["legendFormat"]).strip() if panel["type"] != "stat" else ""
    title = re.sub(r" by .*| of each copy", "", panel["title"])
    return "" if re.search("(limit|threshold)$", line) else f"{title} {line}".strip()


def pairs() -> list[tuple[Number, Number]]:
    """Two numbers with one word. How old an alert is belongs to each table of alerts by itself."""
    by_word: dict[str, list[Number]] = {}
    for number in numbers():
        by_word.setdefault(number.word, []).append(number)
    return [
        pair
        for word, found in by_word.items()
        for pair in itertools.combinations(found, 2)
        if word != "True for" and pair[0].query.expression != pair[1].query.expression
    ]


def by_fleet(series: Iterable[Series]) -> dict[str, Numbers]:
    """Fleet → its numbers."""
    found: dict[str, dict[tuple[tuple[str, str], ...], float]] = {}
    for labels, value in series:
        own = tuple((name, labels[name]) for name in OWN if name in labels)
        found.setdefault(labels["fleet"], {})[own] = value
    return dict(found)


def apart(one: list[Series], other: list[Series], *, same_board: bool) -> list[str]:
    """Why two answers are not the same number.

    Of the same things they have the same values. Where one is of fewer things, on one board, it is the sum,
    the highest or the lowest of the other.
    """
    ours, theirs = _kinds(one), _kinds(other)
    a, b = by_fleet(one), by_fleet(other)
    fleets = a.keys() & b.keys()
    if ours == theirs:
        both = [(a[f][own], b[f][own], f, own) for f in fleets for own in a[f].keys() & b[f].keys()]
        return [f"{fleet} {own}: {x:g} and {y:g}" for x, y, fleet, own in both if not close(x, y)]
    if not (same_board and (ours < theirs or theirs < ours)):
        return []
    ways: list[Callable[[Iterable[float]], float]] = [sum, max, min]
    for how, also in itertools.product(ways, ways):
        if all(close(how(a[f].values()), also(b[f].values())) for f in fleets):
            return []
    return [f"{fleet}: {dict(a[fleet])} and {dict(b[fleet])}" for fleet in sorted(fleets)]


def _kinds(series: list[Series]) -> set[str]:
    return {name for labels, _ in series for name in OWN if name in labels}


def close(one: float, other: float) -> bool:
    """Whether two numbers differ by rounding alone."""
    return math.isclose(one, other, rel_tol=1e-9, abs_tol=1e-12) or (math.isnan(one) and math.isnan(other))


@dataclass(frozen=True, slots=True)
class Look:
    """A board at one moment: its numbers by panel, or by panel and column."""

    stage: BoardStage
    board: str
    fleet: str

    def of(self, place: str) -> Numbers:
        """By ``"Panel"`` for a tile, ``"Panel / A"`` for a line, ``"Panel / Column"`` for a table."""
        panel, _, part = place.partition(" / ")
        (found,) = {
            number.query
            for number in numbers()
            if number.query.board == self.board
            and number.query.panel == panel
            and part in {"", number.query.ref, number.word, f"{number.word}/s"}
        }
        return by_fleet(self.stage.moment(found)).get(self.fleet, {})

    def one(self, place: str) -> float:
        """The only number of the fleet."""
        (value,) = self.of(place).values()
        return value

    def sum(self, *places: str) -> float:
        """Of all numbers of the fleet at these places."""
        return sum(value for place in places for value in self.of(place).values())


@dataclass(frozen=True, slots=True)
class Fact:
    """A number of a board, and the same as it follows from other numbers of that board."""

    board: str
    name: str
    follows: Callable[[Look], float]

    def check(self, stage: BoardStage, fleet: str) -> None:
        """AssertionError where both differ; a missing number is 0."""
        look = Look(stage, self.board, fleet)
        shown, expected = look.sum(self.name), self.follows(look)
        assert close(shown, expected), f"{fleet}: {self.name} is {shown:g}, and by its parts {expected:g}"


def _highest(place: str) -> Callable[[Look], float]:
    return lambda look: max(look.of(place).values())


def _lowest(place: str) -> Callable[[Look], float]:
    return lambda look: min(look.of(place).values())


def _sum(*places: str) -> Callable[[Look], float]:
    return lambda look: look.sum(*places)


def _count(place: str, where: Callable[[float], bool] = lambda _: True) -> Callable[[Look], float]:
    return lambda look: sum(map(where, look.of(place).values()))


def _ratio(one: str, other: str) -> Callable[[Look], float]:
    return lambda look: look.sum(one) / look.sum(other)


def _drain_time(look: Look) -> float:
    """The worst queue's: waiting jobs by what completions exceed arrivals, endless for a real backlog."""
    waiting, slots, arrivals, completed = (
        look.of(f"Queues / {column}") for column in ("Waiting", "Slots", "Arrivals/s", "Completed/s")
    )
    times = [0.0]
    for queue, jobs in waiting.items():
        pace = completed[queue] - arrivals[queue]
        if jobs and pace > 0:
            times.append(jobs / pace)
        elif jobs > slots[queue]:
            times.append(math.inf)
    return max(times)


FACTS: Final = (
    Fact("Fleet overview", "Firing alerts", _count("Alerts / True for")),
    Fact("Fleet overview", "Firing since", _highest("Alerts / True for")),
    Fact("Fleet overview", "Worst limit used", _highest("Queues / Limit used")),
    Fact("Fleet overview", "Waiting jobs", _sum("Queues / Waiting")),
    Fact("Fleet overview", "Failures", _sum("Failures by exception / A")),
    Fact("Queue", "Time to drain", _drain_time),
    Fact("Queue", "Wait limit used", _highest("Queues / Wait limit used")),
    Fact(
        "Queue",
        "Jobs no worker can run",
        _sum(*(f"Jobs not progressing / {kind}" for kind in ("Orphaned", "Stuck", "Unheld", "Overdue"))),
    ),
    Fact("Actor", "Failures", _sum("Actors / Failures/s")),
    Fact("Actor", "New dead letters", _sum("Actors / Dead/s")),
    Fact("Actor", "Retried attempts", _ratio("Actors / Retries/s", "Actors / Attempts/s")),
    Fact("Actor", "Failure limit used", _highest("Actors / Limit used")),
    Fact("Workers", "Missing", _count("Missing or draining / Missing for")),
    Fact("Workers", "Workers alive", _sum("Alive, missing, draining / A")),
    Fact("Workers", "Clock skew", _highest("Clock difference by worker / A")),
    Fact("Capacity", "Workers to add", _sum("Queues / To add")),
    Fact("Capacity", "Highest load", _highest("Queues / Load")),
    Fact("Capacity", "Slots in use", _ratio("Slot-hours per hour / B", "Slot-hours per hour / A")),
    Fact(
        "Capacity",
        "Idle slots",
        lambda look: look.one("Slot-hours per hour / A") - look.one("Slot-hours per hour / B"),
    ),
    Fact("Capacity", "Arrival ratio of all queues", _ratio("Queues / Arrivals/s", "Queues / Completed/s")),
    Fact("SLO", "Wait budget left", _lowest("Jobs start in time: worst queues / Wait budget left")),
    Fact("SLO", "Success budget left", _lowest("Jobs succeed: worst queues / Success budget left")),
    Fact("SLO", "SLO alerts", _count("Alerts of this dashboard / True for")),
    Fact("Redis and exporter", "Copies", _count("Copies of the exporter / Scrape")),
    Fact("Redis and exporter", "Failing sources", _sum("Sources of the exporter / State")),
    Fact("Redis and exporter", "Oldest source", _highest("Sources of the exporter / Age")),
)
