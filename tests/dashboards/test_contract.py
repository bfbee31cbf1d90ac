"""What boards and exporter agree on beyond the panels' queries: annotations, variables, names of columns."""

from __future__ import annotations

import json
import re
from typing import Any

import pytest

from bioagents_dashboards.queries.promql import COPIES, TARGET
from bioagents_dashboards.queries.rules import record_names
from bioagents_exporter.catalogue import FLEET_LABEL, METRICS
from support.boards import (
    Json,
    annotation_queries,
    boards,
    grouping_labels,
    panels,
    selectors,
    variable_queries,
)

BOARDS = pytest.mark.parametrize("board", boards().values(), ids=boards())
SERIES = {metric.full_name("bioagents_"): {*metric.labels, *metric.optional} for metric in METRICS}
#: Labels of every series of a target, in so far as the user's Prometheus has them.
COMMON = {"job", FLEET_LABEL, *TARGET, *COPIES}
ALERTS = {"alertname", "alertstate", "severity", "product", "queue", "queues"}
#: Of what these panels join, a part is there without the rules.
NOT_EMPTY_WITHOUT_RULES = {"Worst limit used", "Minimum met", "Workers to add", "Workers short"}
#: All labels that a series of ours may have.
LABELS = COMMON | ALERTS | {"le"} | set().union(*SERIES.values())


@BOARDS
def test_annotations_and_variables_ask_for_what_there_is(board: Json) -> None:
    """Each series is the exporter's or a rule's, each label one of its own, and copies give one answer."""
    for query in (*annotation_queries(board), *variable_queries(board)):
        for selector in selectors(query.expression):
            if selector.name in ("ALERTS", "ALERTS_FOR_STATE"):
                assert set(selector.matchers) <= ALERTS | COMMON, str(query)
            elif selector.name not in record_names():
                assert set(selector.matchers) <= SERIES[selector.name] | COMMON, str(query)
        made = {"name"}  # by label_join
        assert set(grouping_labels(query.expression)) <= LABELS | made, str(query)


@BOARDS
def test_words_in_braces_are_labels(board: Json) -> None:
    """Legends and annotations fill in labels that some series of ours has."""
    legends = [t.get("legendFormat", "") for panel in panels(board) for t in panel["targets"]]
    notes = board["annotations"]["list"]
    texts = [note.get(key, "") for note in notes for key in ("titleFormat", "textFormat")]
    tags = {tag for note in notes for tag in note.get("tagKeys", "").split(",")} - {""}
    named = set(re.findall(r"\{\{\s*(\w+)\s*\}\}", " ".join([*legends, *texts])))
    assert named | tags <= LABELS


@BOARDS
def test_columns_that_links_colors_and_order_name_are_there(board: Json) -> None:
    """A link, an override or an order by a column that is not there does nothing, and nobody hears of it."""
    for panel in (panel for panel in panels(board) if panel["type"] == "table"):
        shown = columns(panel)
        named = {sort["displayName"] for sort in panel["options"].get("sortBy", [])}
        for override in panel["fieldConfig"]["overrides"]:
            if override["matcher"]["id"] == "byName":
                named.add(override["matcher"]["options"])
            named |= set(re.findall(r'__data\.fields\[\\*"([^"\\]+)', json.dumps(override["properties"])))
        assert named <= shown, f"{panel['title']}: {named - shown}"


@BOARDS
def test_columns_are_of_queries_that_there_are(board: Json) -> None:
    """A column is a label, or the value of one of the panel's queries; each query has its column."""
    for panel in (panel for panel in panels(board) if panel["type"] == "table"):
        refs = [target["refId"] for target in panel["targets"]]
        values = {"Value"} if len(refs) == 1 else {f"Value #{ref}" for ref in refs}
        (options,) = [t["options"] for t in panel["transformations"] if t["id"] == "organize"]
        known = set(options["renameByName"]) | set(options["excludeByName"])
        assert values <= known, panel["title"]
        made = {"Time", "__name__", *labels_made(panel)}
        assert known - values <= LABELS | made, f"{panel['title']}: {known - values - LABELS - made}"


def columns(panel: Json) -> set[str]:
    """The names that a table shows."""
    (options,) = [t["options"] for t in panel["transformations"] if t["id"] == "organize"]
    return set(options["renameByName"].values())


def labels_made(panel: Json) -> set[str]:
    """Labels that the queries make themselves."""
    made: set[Any] = set()
    for target in panel["targets"]:
        made |= set(re.findall(r'label_(?:join|replace)\(.*?, "(\w+)", "', target["expr"]))
        made |= set(re.findall(r'count_values[^(]*\("(\w+)"', target["expr"]))
    return made


@BOARDS
def test_what_is_empty_without_the_rules_says_so(board: Json) -> None:
    """Whoever forgot to load them must not read "no exporter" or "nothing failed"."""
    for panel in panels(board):
        needs_rules = all(
            any(selector.name.startswith("ALERTS") or selector.name in record_names() for selector in asked)
            for asked in (selectors(target["expr"]) for target in panel["targets"])
        )
        if needs_rules and panel["title"] not in NOT_EMPTY_WITHOUT_RULES:
            assert "rules" in panel["fieldConfig"]["defaults"]["noValue"], panel["title"]
