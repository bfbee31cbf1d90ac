"""Every query against a real Prometheus that scraped two real exporters of a real fleet under load."""

from __future__ import annotations

import math
import re
from collections.abc import Iterator
from types import MappingProxyType

import pytest

from support.board_stage import BoardStage, board_stage
from support.boards import Query, boards, queries, variable_query
from support.polling import wait_until

pytestmark = pytest.mark.end_to_end

QUERIES = queries()
EACH = pytest.mark.parametrize("query", QUERIES, ids=str)

#: Queries that may give nothing, each with its reason.
MAY_BE_EMPTY = MappingProxyType(
    {
        "Fleet overview / Workers / C": "no worker drains",
        "Fleet overview / Memory of workers / B": "no worker uses more than half of the host's memory",
    }
)


@pytest.fixture(scope="module")
def stage(tmp_path_factory: pytest.TempPathFactory) -> Iterator[BoardStage]:
    """A fleet that ran as long as the exporter's window needs (60 s), and in which an alert fires."""
    with board_stage(tmp_path_factory.mktemp("boards")) as running:
        ask = running.prometheus.query
        ratios = f"count(bioagents_queue_failure_ratio) == {2 * len(running.exporters)}"
        wait_until(lambda: ask(ratios), timeout=120, what="a failure ratio of each queue from each exporter")
        wait_until(lambda: ask("bioagents_queue_failure_ratio > 0"), timeout=120, what="a failure ratio")
        wait_until(lambda: ask('ALERTS{alertstate="firing"}'), timeout=60, what="a firing alert")
        yield running


def chosen(value: str) -> str:
    """A chosen value as Grafana writes it into a regular expression inside a string of PromQL."""
    return re.escape(value).replace("\\", "\\\\")


@EACH
def test_query_has_data(stage: BoardStage, query: Query) -> None:
    """No error, no warning, and numbers wherever the fleet has them."""
    series = stage.run(query)
    assert series or str(query) in MAY_BE_EMPTY
    assert not all(math.isnan(value) for _, value in series) or not series


@EACH
def test_two_exporters_give_the_same_series_as_one(stage: BoardStage, query: Query) -> None:
    """No line of a graph and no row of a table appears twice, and none bears the name of a copy."""
    both = [labels for labels, _ in stage.run(query)]
    one = [labels for labels, _ in stage.run(query, instance=chosen(stage.exporters[0]))]
    assert len({tuple(sorted(labels.items())) for labels in both}) == len(both)
    assert not any({"instance", "pod"} & set(labels) for labels in both)
    if not query.expression.startswith("topk("):  # the last places change from moment to moment
        assert sorted(map(str, both)) == sorted(map(str, one))


@EACH
def test_every_series_names_its_fleet(stage: BoardStage, query: Query) -> None:
    """Legends begin with the fleet."""
    assert all(labels["fleet"] == "dramatiq" for labels, _ in stage.run(query))


def test_numbers_of_a_constant_are_not_doubled(stage: BoardStage) -> None:
    """Two exporters: still eight slots of chat, four of deep-research, three workers."""
    by_panel = {str(query): query for query in QUERIES}
    slots = {labels["queue"]: value for labels, value in stage.run(by_panel["Fleet overview / Queues / E"])}
    assert slots == {"chat": 8, "deep-research": 4}
    assert [value for _, value in stage.run(by_panel["Fleet overview / Workers alive / A"])] == [3]
    assert [value for _, value in stage.run(by_panel["Fleet overview / Slots in use / B"])] == [12]


def test_legends_name_labels_that_are_there(stage: BoardStage) -> None:
    """A legend with a label that a series lacks would show a gap."""
    for board in boards().values():
        for panel in (panel for panel in board["panels"] if panel["type"] != "row"):
            for target in panel["targets"]:
                query = Query(board["title"], panel["title"], target["refId"], target["expr"], instant=False)
                needed = set(re.findall(r"\{\{(\w+)\}\}", target.get("legendFormat", "")))
                assert all(needed <= set(labels) for labels, _ in stage.run(query)), str(query)


def test_table_columns_are_named(stage: BoardStage) -> None:
    """Each label and value that a table's queries return is a named column or hidden."""
    for board in boards().values():
        for panel in (panel for panel in board["panels"] if panel["type"] == "table"):
            (options,) = [t["options"] for t in panel["transformations"] if t["id"] == "organize"]
            known = set(options["renameByName"]) | set(options["excludeByName"])
            for target in panel["targets"]:
                query = Query(board["title"], panel["title"], target["refId"], target["expr"], instant=True)
                assert all(set(labels) <= known for labels, _ in stage.run(query)), str(query)


def test_variables_have_values(stage: BoardStage) -> None:
    """What Grafana offers to choose from."""
    for board in boards().values():
        for variable in board["templating"]["list"]:
            if variable["type"] == "query":
                expression, label = variable_query(variable)
                query = Query(board["title"], variable["name"], "", expression, instant=True)
                values = {labels.get(label, "") for labels, _ in stage.run(query)}
                if label == "worker":
                    assert len(values) == 3
                    continue
                expected = {
                    "fleet": {"dramatiq"}, "queue": {"chat", "deep-research"}, "job": {"bioagents"},
                    "instance": set(stage.exporters), "actor": {"answer", "follow_up", "research", "write_report"},
                }  # fmt: skip
                assert values == expected.get(label, {""})  # the targets have no region and the like
