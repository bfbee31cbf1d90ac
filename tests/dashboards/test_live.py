"""Every query against two real Prometheus of a real fleet, one with one exporter and one with three."""

from __future__ import annotations

import math
import re
from collections.abc import Callable, Iterator
from types import MappingProxyType

import pytest

from bioagents_alerts.durations import scale_expression
from bioagents_alerts.promql import COPIES
from bioagents_boards.queries import TARGET
from support.board_copies import differences, means_apart, of_fleets
from support.board_facts import FACTS, Fact, Number, apart, pairs
from support.board_fleet import FLEET, STANDBY
from support.board_stage import FASTER, MINUTE, BoardStage, Series, board_stage, instant
from support.boards import (
    APART,
    Json,
    Query,
    annotation_queries,
    boards,
    hold,
    panels,
    queries,
    selectors,
    variable_queries,
    variable_query,
)
from support.monitoring import Prometheus
from support.rule_files import Rule, records

pytestmark = pytest.mark.end_to_end

QUERIES = queries()
#: Each series that rules record and a board draws.
RECORDED = sorted({s.name for q in QUERIES for s in selectors(q.expression) if ":" in s.name})
#: Seconds before the end of the rest, all of them within it.
MOMENTS = (0.0, 1.5, 3.0, 4.5, 6.0, 8.0)
COPIES_AWAY = f"without ({', '.join(COPIES)})"
#: Hides the copies: it takes jobs that were in time from all, and of a queue's jobs here all are, or none.
HIDDEN = "queue:bioagents_wait_slo_errors:rate5m"
#: The rules that take rates of the copies; no ratios, in which a sum of both parts is none.
RATES = [
    rule
    for rule in records()
    if rule.name in set(RECORDED) - {HIDDEN}
    and re.search(r":rate\d+\w$", rule.name)
    and COPIES_AWAY in rule.expression
]
EACH_BOARD = pytest.mark.parametrize("board", boards().values(), ids=lambda board: board["title"])

#: Limits of times, which are drawn once half of them is used: by a machine that is busy with other work.
TIMES = dict.fromkeys(
    (
        f"Redis and exporter / {panel} / B"
        for panel in (
            "Round trip of each copy",
            "Replication lag of each copy",
            "Age by source",
            "Age of unsent counts",
        )
    ),
    "less than half of the limit is used",
)

#: Labels that only some installations put on their targets: Grafana leaves them out of a name.
ON_SOME_TARGETS = set(TARGET) - {"fleet"}

#: Queries that give nothing here, each with its reason.
MAY_BE_EMPTY = MappingProxyType(
    {
        **TIMES,
        "Workers / Starts by host / C": "there were six workers when two more came",
        "Workers / Clock difference by worker / B": "there is one clock",
        "Workers / Memory growth in an hour / A": "no worker is older than an hour",
        "Workers / Memory growth in an hour / B": "a leak takes seven hours to be one",
        "Workers / Lost threads by worker / A": "no thread was lost",
        "Redis and exporter / Refused writes / A": "Redis took every write",
    }
)


#: What is recorded of how much happens in a time: nothing at rest, so its mean over the load is compared.
MOVING = re.compile(r"rate\d|:increase|:ratio1h")
#: The last worker starts shortly before the load ends.
SEEN_LATE = "host:bioagents_worker_boots:ratio1h"
#: Of that worker, one Prometheus may see the first jobs and the other not: only older workers are compared.
SHARES = "worker:bioagents_worker_jobs:share_rate30m"

#: Recorded series whose doubled values no test here would find, each with its reason.
BLIND = MappingProxyType(
    {
        "queue:bioagents_jobs_hanging:seconds": "no job hangs",
        "fleet:bioagents_redis_replica_lag_seconds:max": "the exporters of this fleet read a primary",
        "fleet:bioagents_worker_clock_skew_seconds:max": "there is one clock",
        "fleet:bioagents_worker_flush_age_seconds:max": "counts are handed over with each heartbeat",
        "worker:bioagents_worker_clock_skew_seconds:abs": "there is one clock",
        "worker:bioagents_worker_flush_age_seconds:max": "counts are handed over with each heartbeat",
        "worker:bioagents_worker_memory_leak:deriv6h": "a leak takes seven hours to be one",
        "worker:bioagents_worker_memory_rss_bytes:deriv6h": "a slope of what hardly moves is noise",
        "worker:bioagents_worker_threads_lost:sum": "no thread was lost",
    }
)


#: Numbers with one series for each fleet, some with the name of what they are of.
TILES = {
    f"{board['title']} / {panel['title']} / A"
    for board in boards().values()
    for panel in panels(board)
    if panel["type"] == "stat"
}


@pytest.fixture(scope="module")
def stage(tmp_path_factory: pytest.TempPathFactory) -> Iterator[BoardStage]:
    """A fleet that has lived; see :mod:`support.board_stage`."""
    with board_stage(tmp_path_factory.mktemp("boards")) as lived:
        yield lived


@EACH_BOARD
def test_every_query_has_data(stage: BoardStage, board: Json) -> None:
    """No error, no warning, and numbers wherever the fleet has them; some panels show one fleet at a time."""

    def check(query: Query) -> None:
        series = stage.under_load(query) or stage.under_load(query, fleet=FLEET)
        assert bool(series) != (str(query) in MAY_BE_EMPTY) or str(query) in TIMES
        assert not series or not all(math.isnan(value) for _, value in series)

    hold(queries(board), check)


@EACH_BOARD
def test_annotations_and_variables_have_data(stage: BoardStage, board: Json) -> None:
    """An alert fires, a version came, workers started; each variable offers something to choose from."""

    def check(query: Query) -> None:
        assert stage.under_load(query)

    hold((*annotation_queries(board), *variable_queries(board)), check)


def test_reasons_are_of_queries_that_exist() -> None:
    """A panel that is gone or has another name leaves no excuse behind."""
    assert set(MAY_BE_EMPTY) <= set(map(str, QUERIES))
    assert set(APART) <= set(map(str, QUERIES))


@EACH_BOARD
def test_one_and_three_exporters_give_the_same_numbers(stage: BoardStage, board: Json) -> None:
    """The same series with the same values, and none twice; where copies are apart, each of them once."""

    def check(query: Query) -> None:
        if str(query) in APART:
            apart = {labels["instance"] for labels, _ in stage.at_rest(query, stage.three)}
            assert apart in (set(stage.exporters), set())
        else:
            assert found_apart(stage, query) == []

    hold(queries(board), check)


def found_apart(stage: BoardStage, query: Query) -> list[str]:
    """Differences between one and three exporters at the last of :data:`MOMENTS`; empty if one has none.

    A busy machine delays the scrapes of one Prometheus and not of the other, for a moment.
    What is wrong because there are three copies is wrong at each of the moments.
    """
    found = []
    for before in MOMENTS:
        one, three = (stage.at_rest(query, prometheus, before) for prometheus in (stage.one, stage.three))
        assert not any({"instance", "pod"} & set(labels) for labels, _ in three)
        if str(query) in TILES:  # of two queues that are as bad, each may name another
            one, three = of_fleets(one), of_fleets(three)
        found = differences(query.expression, one, three)
        if not found:
            break
    return found


def test_recorded_series_are_the_same_with_three_exporters(stage: BoardStage) -> None:
    """What moves in the mean over the load, the others at rest; in both, twice the number would be found."""

    def check(name: str) -> None:
        moves = MOVING.search(name)
        apart: Callable[[str, list[Series], list[Series]], list[str]] = means_apart if moves else differences
        one, three = (means_of_both if moves else values_of_both)(stage, name)
        assert apart(name, one, three) == []
        doubled = [(labels, 2 * value) for labels, value in one]
        assert bool(apart(name, one, doubled)) != (name in BLIND)

    hold(RECORDED, check)


def means(stage: BoardStage, name: str, prometheus: Prometheus) -> list[Series]:
    """Of a recorded series, or of what would be one."""
    old = f"({name} and {name} offset {MINUTE}s)" if name == SHARES else name
    return stage.mean(old, prometheus, calm=name == SEEN_LATE)


def means_of_both(stage: BoardStage, name: str) -> tuple[list[Series], list[Series]]:
    """A recorded series in its mean."""
    return means(stage, name, stage.one), means(stage, name, stage.three)


def values_of_both(stage: BoardStage, name: str) -> tuple[list[Series], list[Series]]:
    """A recorded series at the first moment of the rest at which both agree, else at the last."""
    selector = f'{name}{{fleet="{FLEET}"}}'
    for before in MOMENTS:
        one, three = (instant(p, selector, stage.rest - before) for p in (stage.one, stage.three))
        if not differences(name, one, three):
            break
    return one, three


def test_doubled_numbers_would_be_found(stage: BoardStage) -> None:
    """What a board without its maximum over the copies would show is found by the comparison above."""
    for wrong in (
        f'sum by (fleet) (bioagents_queue_slots{{fleet="{FLEET}"}})',
        f'sum by (queue) (rate(bioagents_jobs_processed_total{{fleet="{FLEET}"}}[2m]))',
        f'bioagents_queue_depth{{fleet="{FLEET}"}}',
    ):
        for before in MOMENTS:
            moment = stage.rest - before
            assert differences(wrong, *(instant(p, wrong, moment) for p in (stage.one, stage.three)))


def test_sums_over_the_copies_would_be_found(stage: BoardStage) -> None:
    """What a rule would record with a sum in place of the maximum over the copies is found by the means."""

    def check(rule: Rule) -> None:
        wrong = scale_expression(rule.expression.replace(f"max {COPIES_AWAY}", f"sum {COPIES_AWAY}"), FASTER)
        assert means_apart(rule.name, means(stage, rule.name, stage.one), stage.mean(wrong, stage.three))

    hold(RATES, check)


@EACH_BOARD
def test_every_series_names_its_fleet(stage: BoardStage, board: Json) -> None:
    """Legends begin with the fleet; the fleets that read the same jobs stay apart."""

    def check(query: Query) -> None:
        assert {labels["fleet"] for labels, _ in stage.under_load(query)} <= {FLEET, STANDBY}

    hold(queries(board), check)


def test_numbers_are_those_of_the_fleet(stage: BoardStage) -> None:
    """Known numbers: chat has two workers of four threads and a new one of two, research one of four."""
    by_panel = {str(query): query for query in QUERIES}

    def values(name: str, label: str = "fleet") -> dict[str, float]:
        return {labels[label]: value for labels, value in stage.under_load(by_panel[name], fleet=FLEET)}

    slots = {"chat": 10, "deep-research": 4, "reports": 0, "archive": 0}
    assert values("Fleet overview / Queues / E", "queue") == slots
    assert values("Fleet overview / Workers alive / A") == {FLEET: 5}  # one of them drains
    assert values("Fleet overview / Running jobs and slots / B") == {FLEET: 14}


def test_the_same_word_is_the_same_number(stage: BoardStage) -> None:
    """Tiles, columns and lines with one word agree at each moment, on one board and on different ones."""

    def check(pair: tuple[Number, Number]) -> None:
        one, other = (stage.moment(number.query) for number in pair)
        same_board = pair[0].query.board == pair[1].query.board
        assert apart(one, other, same_board=same_board) == [], f"{pair[0]} and {pair[1]}"

    hold(pairs(), check)


def test_a_word_with_two_numbers_would_be_found(stage: BoardStage) -> None:
    """The share of a fleet's slots in use is neither the sum nor the highest of its queues' shares."""
    by_name = {str(query): query for query in QUERIES}
    of_fleet = stage.moment(by_name["Capacity / Slots in use / A"])
    of_queues = stage.moment(by_name["Capacity / Running/slots by queue / A"])
    assert apart(of_fleet, of_queues, same_board=True)


def test_numbers_of_a_board_follow_from_each_other(stage: BoardStage) -> None:
    """Sums are those of their parts, shares those of their numbers, and both fleets' at the same moment."""

    def check(fact: Fact) -> None:
        for fleet in (FLEET, STANDBY):
            fact.check(stage, fleet)

    hold(FACTS, check)


@EACH_BOARD
def test_legends_name_labels_that_are_there(stage: BoardStage, board: Json) -> None:
    """A legend with a label that a series lacks would show a gap."""

    def check(panel: Json) -> None:
        for target in panel["targets"]:
            query = Query(board["title"], panel["title"], target["refId"], target["expr"], instant=False)
            needed = set(re.findall(r"\{\{(\w+)\}\}", target.get("legendFormat", ""))) - ON_SOME_TARGETS
            if panel["options"].get("textMode") == "value_and_name":
                needed -= {
                    "queue"
                }  # an alert about Redis has none, nor has a tile where no queue is the worst
            assert all(needed <= set(labels) for labels, _ in stage.under_load(query))

    hold(panels(board), check)


@EACH_BOARD
def test_table_columns_are_named(stage: BoardStage, board: Json) -> None:
    """Each label and value of a table's queries is a named column or hidden; no series' name is a label."""

    def check(panel: Json) -> None:
        (options,) = [t["options"] for t in panel["transformations"] if t["id"] == "organize"]
        known = set(options["renameByName"]) | set(options["excludeByName"])
        for target in panel["targets"]:
            query = Query(board["title"], panel["title"], target["refId"], target["expr"], instant=True)
            for labels, _ in stage.under_load(query):
                assert set(labels) <= known, str(query)
                assert len(panel["targets"]) == 1 or "__name__" not in labels, str(query)

    hold([panel for panel in panels(board) if panel["type"] == "table"], check)


def test_variables_offer_what_there_is(stage: BoardStage) -> None:
    """The values from which a person chooses."""
    expected = {
        "fleet": {FLEET, STANDBY},
        "queue": {"chat", "deep-research", "reports", "archive"},
        "job": {"bioagents"},
        "actor": {"answer", "follow_up", "postpone", "research", "write_report", "report", "archive"},
    }
    for board in boards().values():
        for variable in (v for v in board["templating"]["list"] if v["type"] == "query"):
            expression, label = variable_query(variable)
            query = Query(board["title"], variable["name"], "", expression, instant=True)
            answer = stage.under_load(query, fleet=FLEET)
            values = {labels.get(label, "") for labels, _ in answer}
            if label == "worker":
                assert len(values) == 7
                assert all(re.search(_python(variable["regex"]), _as_grafana(labels)) for labels, _ in answer)
            elif label == "instance":
                assert set(stage.exporters) < values
            else:
                assert values == expected.get(label, {""})  # the targets have no region and the like


def _python(regex: str) -> str:
    return regex.strip("/").replace("(?<", "(?P<")


def _as_grafana(labels: dict[str, str]) -> str:
    """A series as Grafana's ``query_result`` writes it."""
    return "{" + ", ".join(f'{name}="{value}"' for name, value in labels.items()) + "} 1 1"
