"""The seventeen rules of Grafana's dashboard linter (grafana/dashboard-linter), each a test with its name.

Where the linter looks at some types of panels only, these tests look at all of them. One rule cannot hold for
series that Prometheus itself makes, and no board can change that: :data:`NO_INSTANCE`.
"""

from __future__ import annotations

import re
from collections.abc import Callable

import pytest

from bioagents_dashboards.queries.promql import OWN, TARGET
from bioagents_dashboards.queries.rules import record_names
from support.boards import Json, Selector, boards, panels, queries, selectors, variable_query

BOARDS = pytest.mark.parametrize("board", boards().values(), ids=boards())
PROMETHEUS = {"type": "prometheus", "uid": "${datasource}"}
EVERY_RULE = {
    "template_datasource", "template_job", "template_instance", "template_label_promql",
    "template_on_time_change_reload", "panel_datasource", "panel_title_description", "panel_units",
    "panel_no_targets", "target_promql", "target_logql", "target_logql_auto", "target_rate_interval",
    "target_job", "target_instance", "target_counter_agg", "uneditable",
}  # fmt: skip

#: Our units, all of them names that Grafana knows.
UNITS = {"short", "s", "percentunit", "ops", "bytes", "string", "bool_on_off"}

#: What Prometheus makes from rules has no instance: our rules make one answer of all copies of the exporter.
#: The linter asks for ``instance=~"$instance"`` everywhere, and for ``.+`` as the "All" of that variable, to
#: which a missing label does not match. Alerts may lack the job too, as ``absent`` leaves them.
NO_JOB = {"ALERTS", "ALERTS_FOR_STATE"}
NO_INSTANCE = NO_JOB | record_names()


def test_every_rule_is_here() -> None:
    """None is left out."""
    assert {f"test_{rule}" for rule in EVERY_RULE} <= set(globals())


@BOARDS
def test_template_datasource(board: Json) -> None:
    """Exactly one data source variable, of that name and label."""
    (source,) = [variable for variable in board["templating"]["list"] if variable["type"] == "datasource"]
    assert (source["name"], source["label"], source["query"]) == ("datasource", "Data source", "prometheus")


@BOARDS
def test_template_job(board: Json) -> None:
    """Exists, asks the templated data source, is multi-select, and "All" is any value."""
    assert_template(board, "job")


@BOARDS
def test_template_instance(board: Json) -> None:
    """The same."""
    assert_template(board, "instance")


def assert_template(board: Json, name: str) -> None:
    """What the linter wants of the variables job and instance."""
    (variable,) = [variable for variable in board["templating"]["list"] if variable["name"] == name]
    assert variable["datasource"] == PROMETHEUS
    assert (variable["type"], variable["label"], variable["multi"]) == ("query", name.title(), True)
    assert variable["allValue"] == ".+"


@BOARDS
def test_template_label_promql(board: Json) -> None:
    """Variables ask with one of Grafana's functions and valid PromQL."""
    for variable in board["templating"]["list"]:
        if variable["type"] == "query":
            assert re.match(r"(label_names|label_values|metrics|query_result)\(", variable["query"]["query"])
            assert selectors(variable_query(variable)[0])


@BOARDS
def test_template_on_time_change_reload(board: Json) -> None:
    """Variables ask again whenever the time range changes."""
    asked = [variable for variable in board["templating"]["list"] if variable["type"] == "query"]
    assert {variable["refresh"] for variable in asked} == {2}


@BOARDS
def test_panel_datasource(board: Json) -> None:
    """Panels and their queries use the templated data source."""
    for panel in panels(board):
        assert panel["datasource"] == PROMETHEUS
        assert all(target["datasource"] == PROMETHEUS for target in panel["targets"])


@BOARDS
def test_panel_title_description(board: Json) -> None:
    """Every panel has both."""
    assert all(panel["title"] and panel["description"] for panel in panels(board))


@BOARDS
def test_panel_units(board: Json) -> None:
    """Every panel has a unit that Grafana knows, and so has every column with one of its own."""
    for panel in panels(board):
        assert panel["fieldConfig"]["defaults"]["unit"] in UNITS
        properties = [p for override in panel["fieldConfig"]["overrides"] for p in override["properties"]]
        assert {p["value"] for p in properties if p["id"] == "unit"} <= UNITS


@BOARDS
def test_panel_no_targets(board: Json) -> None:
    """Every panel asks something, and nothing empty."""
    for panel in panels(board):
        assert panel["targets"]
        assert all(target["expr"] for target in panel["targets"])


@BOARDS
def test_target_promql(board: Json) -> None:
    """Valid PromQL, about at least one series."""
    assert [str(query) for query in queries(board) if not selectors(query.expression)] == []


@BOARDS
def test_target_logql(board: Json) -> None:
    """Nothing asks Loki."""
    asked = [thing["datasource"] for panel in panels(board) for thing in (panel, *panel["targets"])]
    assert {source["type"] for source in asked} == {"prometheus"}


@BOARDS
def test_target_logql_auto(board: Json) -> None:
    """Nor is its range used."""
    assert [str(query) for query in queries(board) if "$__auto" in query.expression] == []


@BOARDS
def test_target_rate_interval(board: Json) -> None:
    """Every range is ``$__rate_interval``; subqueries there are none."""
    ranges = {found for query in queries(board) for found in re.findall(r"\[([^\]]*)\]", query.expression)}
    assert ranges <= {"$__rate_interval"}


@BOARDS
def test_target_job(board: Json) -> None:
    """Every selection follows the variable job."""
    assert wrong(board, lambda selector: selector.name in NO_JOB or follows(selector, "job")) == []


@BOARDS
def test_target_instance(board: Json) -> None:
    """Every selection of what was scraped follows the variable instance."""
    assert wrong(board, lambda one: follows(one, "instance") == (one.name not in NO_INSTANCE)) == []


@BOARDS
def test_target_counter_agg(board: Json) -> None:
    """Counters stand only within rate(), and nothing else does."""
    assert wrong(board, lambda selector: selector.window == is_counter(selector)) == []
    for query in queries(board):
        ranges = len(re.findall(r"\brate\([a-z_]+\{[^}]*\}\[", query.expression))
        assert query.expression.count("[") == ranges, str(query)


@BOARDS
def test_uneditable(board: Json) -> None:
    """Nobody saves over it by accident."""
    assert board["editable"] is False


@BOARDS
def test_selections_follow_our_variables(board: Json) -> None:
    """Our own rule of the same kind: fleet and the like everywhere; queue, actor and worker as chosen."""

    def obeys(selector: Selector) -> bool:
        if selector.name in NO_JOB:  # or have no fleet, as above
            about = ("queue", *(label for label in TARGET if label != "fleet"))
            return (
                selector.matchers["fleet"] == ("=~", r"$fleet|\(unknown\)|")
                and selector.matchers["queues"][0] == "=~"
                and all(selector.matchers[label] == ("=~", f"${label}|") for label in about)
            )
        own = [label for label in OWN if label in selector.matchers]
        return all(follows(selector, label) for label in (*TARGET, *own))

    assert wrong(board, obeys) == []


def wrong(board: Json, obeys: Callable[[Selector], bool]) -> list[str]:
    """The queries of a board with a selection that does not obey."""
    asked = queries(board)
    return [f"{query}: {s.name}" for query in asked for s in selectors(query.expression) if not obeys(s)]


def follows(selector: Selector, label: str) -> bool:
    """Whether the variable of that name chooses among these series."""
    return selector.matchers.get(label) == ("=~", f"${label}")


def is_counter(selector: Selector) -> bool:
    """By its name; what rules record is none."""
    return ":" not in selector.name and selector.name.endswith(("_total", "_bucket", "_count", "_sum"))
