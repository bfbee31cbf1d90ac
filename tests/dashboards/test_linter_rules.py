"""The seventeen rules of Grafana's dashboard linter (grafana/dashboard-linter), each a test with its name.

Where the linter looks at some types of panels only, these tests look at all of them. Three rules have
exceptions: series that Prometheus itself makes (:data:`NO_INSTANCE`), units that say what is counted
(:data:`UNITS`), and totals that are read as such (:data:`TOTALS`).
"""

from __future__ import annotations

import re
from collections.abc import Callable

from bioagents_boards.queries import OWN, TARGET
from support.boards import (
    Json,
    Query,
    Selector,
    annotation_queries,
    boards,
    hold,
    panels,
    queries,
    selectors,
    variable_query,
)
from support.rule_files import records

BOARDS = list(boards().values())
PROMETHEUS = {"type": "prometheus", "uid": "${datasource}"}
EVERY_RULE = {
    "template_datasource", "template_job", "template_instance", "template_label_promql",
    "template_on_time_change_reload", "panel_datasource", "panel_title_description", "panel_units",
    "panel_no_targets", "target_promql", "target_logql", "target_logql_auto", "target_rate_interval",
    "target_job", "target_instance", "target_counter_agg", "uneditable",
}  # fmt: skip

#: Our units: names that Grafana knows, and for rates what is counted. Its own unit for them says operations.
UNITS = {"short", "s", "percentunit", "bytes", "string", "bool_on_off"} | {
    f"count:{things}/s" for things in ("attempts", "commands", "counts", "errors", "jobs", "keys")
}

#: Counters that queries read as they are, each with its reason.
TOTALS = {
    "bioagents_worker_boots_total": "how many started in a time, in whole numbers: increase() extrapolates",
    "bioagents_jobs_enqueued_total": "whether any producer counts its jobs",
}

#: What Prometheus makes from rules has no instance: our rules make one answer of all copies of the exporter.
#: The linter asks for ``instance=~"$instance"`` everywhere, and for ``.+`` as the "All" of that variable, to
#: which a missing label does not match. Alerts may lack the job too, as ``absent`` leaves them.
NO_JOB = {"ALERTS", "ALERTS_FOR_STATE"}
NO_INSTANCE = NO_JOB | {record.name for record in records()}


def test_every_rule_is_here() -> None:
    """None is left out."""
    assert {f"test_{rule}" for rule in EVERY_RULE} <= set(globals())


def test_template_datasource() -> None:
    """Exactly one data source variable, of that name and label."""

    def check(board: Json) -> None:
        (source,) = [variable for variable in board["templating"]["list"] if variable["type"] == "datasource"]
        assert (source["name"], source["label"], source["query"]) == (
            "datasource",
            "Data source",
            "prometheus",
        )

    hold(BOARDS, check)


def test_template_job() -> None:
    """The variable exists, asks the templated data source, is multi-select, and "All" is any value."""

    def check(board: Json) -> None:
        assert_template(board, "job")

    hold(BOARDS, check)


def test_template_instance() -> None:
    """The variable exists, asks the templated data source, is multi-select, and "All" is any value."""

    def check(board: Json) -> None:
        assert_template(board, "instance")

    hold(BOARDS, check)


def assert_template(board: Json, name: str) -> None:
    """What the linter wants of the variables job and instance."""
    (variable,) = [variable for variable in board["templating"]["list"] if variable["name"] == name]
    assert variable["datasource"] == PROMETHEUS
    assert (variable["type"], variable["label"], variable["multi"]) == ("query", name.title(), True)
    assert variable["allValue"] == ".+"


def test_template_label_promql() -> None:
    """Variables ask with one of Grafana's functions and valid PromQL."""

    def check(board: Json) -> None:
        for variable in board["templating"]["list"]:
            if variable["type"] == "query":
                assert re.match(
                    r"(label_names|label_values|metrics|query_result)\(", variable["query"]["query"]
                )
                assert selectors(variable_query(variable)[0])

    hold(BOARDS, check)


def test_template_on_time_change_reload() -> None:
    """Variables ask again whenever the time range changes."""

    def check(board: Json) -> None:
        asked = [variable for variable in board["templating"]["list"] if variable["type"] == "query"]
        assert {variable["refresh"] for variable in asked} == {2}

    hold(BOARDS, check)


def test_panel_datasource() -> None:
    """Panels and their queries use the templated data source."""

    def check(board: Json) -> None:
        for panel in panels(board):
            assert panel["datasource"] == PROMETHEUS
            assert all(target["datasource"] == PROMETHEUS for target in panel["targets"])

    hold(BOARDS, check)


def test_panel_title_description() -> None:
    """Every panel has both."""

    def check(board: Json) -> None:
        assert all(panel["title"] and panel["description"] for panel in panels(board))

    hold(BOARDS, check)


def test_panel_units() -> None:
    """Every panel has a unit that Grafana knows, and so has every column with one of its own."""

    def check(board: Json) -> None:
        for panel in panels(board):
            assert panel["fieldConfig"]["defaults"]["unit"] in UNITS
            properties = [p for override in panel["fieldConfig"]["overrides"] for p in override["properties"]]
            assert {p["value"] for p in properties if p["id"] == "unit"} <= UNITS

    hold(BOARDS, check)


def test_panel_no_targets() -> None:
    """Every panel asks something, and nothing empty."""

    def check(board: Json) -> None:
        for panel in panels(board):
            assert panel["targets"]
            assert all(target["expr"] for target in panel["targets"])

    hold(BOARDS, check)


def test_target_promql() -> None:
    """Valid PromQL, about at least one series."""

    def check(board: Json) -> None:
        assert [str(query) for query in queries(board) if not selectors(query.expression)] == []

    hold(BOARDS, check)


def test_target_logql() -> None:
    """Nothing asks Loki."""

    def check(board: Json) -> None:
        asked = [thing["datasource"] for panel in panels(board) for thing in (panel, *panel["targets"])]
        assert {source["type"] for source in asked} == {"prometheus"}

    hold(BOARDS, check)


def test_target_logql_auto() -> None:
    """Nor is its range used."""

    def check(board: Json) -> None:
        assert [str(query) for query in queries(board) if "$__auto" in query.expression] == []

    hold(BOARDS, check)


def test_target_rate_interval() -> None:
    """Every range is ``$__rate_interval``; subqueries there are none."""

    def check(board: Json) -> None:
        ranges = {
            found for query in every_query(board) for found in re.findall(r"\[([^\]]*)\]", query.expression)
        }
        assert ranges <= {"$__rate_interval"}

    hold(BOARDS, check)


def test_target_job() -> None:
    """Every selection follows the variable job."""

    def check(board: Json) -> None:
        assert wrong(board, lambda selector: selector.name in NO_JOB or follows(selector, "job")) == []

    hold(BOARDS, check)


def test_target_instance() -> None:
    """Every selection of what was scraped follows the variable instance."""

    def check(board: Json) -> None:
        assert wrong(board, lambda one: follows(one, "instance") == (one.name not in NO_INSTANCE)) == []

    hold(BOARDS, check)


def test_target_counter_agg() -> None:
    """Counters are only within rate(), and nothing else is."""

    def check(board: Json) -> None:
        assert wrong(board, lambda one: one.window == is_counter(one) or one.name in TOTALS) == []
        for query in every_query(board):
            ranges = len(re.findall(r"\brate\([a-z_]+\{[^}]*\}\[", query.expression))
            assert query.expression.count("[") == ranges, str(query)

    hold(BOARDS, check)


def test_uneditable() -> None:
    """A dashboard cannot be overwritten accidentally."""

    def check(board: Json) -> None:
        assert board["editable"] is False

    hold(BOARDS, check)


def test_selections_follow_our_variables() -> None:
    """Our own rule of the same kind: fleet and the like everywhere; queue, actor and worker as chosen."""

    def check(board: Json) -> None:

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

    hold(BOARDS, check)


def wrong(board: Json, obeys: Callable[[Selector], bool]) -> list[str]:
    """The queries of a board with a selection that does not obey."""
    asked = every_query(board)
    return [f"{query}: {s.name}" for query in asked for s in selectors(query.expression) if not obeys(s)]


def every_query(board: Json) -> list[Query]:
    """Those of panels and annotations."""
    return [*queries(board), *annotation_queries(board)]


def follows(selector: Selector, label: str) -> bool:
    """Whether the variable of that name chooses among these series."""
    return selector.matchers.get(label) == ("=~", f"${label}")


def is_counter(selector: Selector) -> bool:
    """By its name; what rules record is none."""
    return ":" not in selector.name and selector.name.endswith(("_total", "_bucket", "_count", "_sum"))
