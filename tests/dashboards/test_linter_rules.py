"""The rules of Grafana's dashboard linter (grafana/dashboard-linter), written as tests of our own.

Its rules for Loki (target-logql, target-logql-auto) find nothing to check here.
"""

from __future__ import annotations

import re

import pytest

from bioagents_dashboards.queries.promql import OWN, TARGET
from support.boards import Json, Query, boards, panels, queries, selectors, variable_query

BOARDS = pytest.mark.parametrize("board", boards().values(), ids=boards())
QUERIES = pytest.mark.parametrize("query", queries(), ids=str)
PROMETHEUS = {"type": "prometheus", "uid": "${datasource}"}

#: Our units, all of them names that Grafana knows.
UNITS = {"short", "s", "percentunit", "ops", "bytes", "string", "bool_on_off"}

#: Series that Prometheus makes from rules carry neither job nor instance where an alert's expression dropped
#: them, as each of ours does for the instance and `absent` does for the job.
OF_RULES = {"ALERTS", "ALERTS_FOR_STATE"}


@BOARDS
def test_template_datasource(board: Json) -> None:
    """Exactly one data source variable, of that name and label."""
    (source,) = [variable for variable in board["templating"]["list"] if variable["type"] == "datasource"]
    assert (source["name"], source["label"], source["query"]) == ("datasource", "Data source", "prometheus")


@BOARDS
@pytest.mark.parametrize("name", ["job", "instance"])
def test_template_job_and_instance(board: Json, name: str) -> None:
    """Both exist, as multi-select queries of the templated data source."""
    (variable,) = [variable for variable in board["templating"]["list"] if variable["name"] == name]
    assert variable["datasource"] == PROMETHEUS
    assert (variable["type"], variable["label"], variable["multi"]) == ("query", name.title(), True)
    assert variable["allValue"] == ".+"


@BOARDS
def test_template_label_promql_and_reload(board: Json) -> None:
    """Variables ask with valid PromQL, again whenever the time range changes."""
    for variable in board["templating"]["list"]:
        if variable["type"] == "query":
            expression, _ = variable_query(variable)
            assert len(selectors(expression)) == 1
            assert variable["refresh"] == 2


@BOARDS
def test_panels_have_datasource_title_description_targets_and_unit(board: Json) -> None:
    """panel-datasource, panel-title-description, panel-no-targets, panel-units."""
    for panel in panels(board):
        assert panel["datasource"] == PROMETHEUS
        assert panel["title"]
        assert panel["description"]
        assert panel["targets"]
        assert all(target["datasource"] == PROMETHEUS for target in panel["targets"])
        assert panel["fieldConfig"]["defaults"]["unit"] in UNITS


@BOARDS
def test_uneditable(board: Json) -> None:
    """Nobody saves over it by accident."""
    assert board["editable"] is False


@QUERIES
def test_target_job_and_instance(query: Query) -> None:
    """Every selection follows the variables job, instance and (ours) those of targets, queue, actor, worker.

    What rules record is one answer of all copies and has no instance.
    """
    for selector in selectors(query.expression):
        if selector.name not in OF_RULES:
            for label in ("job", *TARGET, *(() if ":" in selector.name else ("instance",))):
                assert selector.matchers[label] == ("=~", f"${label}")
            for label in OWN:
                assert selector.matchers.get(label, ("=~", f"${label}")) == ("=~", f"${label}")


@QUERIES
def test_target_rate_interval_and_counter_agg(query: Query) -> None:
    """Counters only within rate(), and every range is ``$__rate_interval``."""
    assert set(re.findall(r"\[([^\]]*)\]", query.expression)) <= {"$__rate_interval"}
    for selector in selectors(query.expression):
        assert selector.window == selector.name.endswith(("_total", "_bucket"))
    assert query.expression.count("[") == query.expression.count("rate(bioagents_")
