"""The YAML of rules: data that any reader gets back, in lines that a person can read."""

from __future__ import annotations

import re
from dataclasses import replace

import promql_parser
import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st

from bioagents_alerts.builder import Variant
from bioagents_alerts.emit import Resource, broken, operator_document, prometheus_document, prometheus_files
from bioagents_alerts.model import Alert, Group, Record, RuleFile
from bioagents_alerts.source import build
from support.rule_files import rules

texts = st.text(st.characters(exclude_categories=["Cs"]), min_size=1).filter(lambda text: bool(text.strip()))


def _file(text: str) -> RuleFile:
    alert = Alert(name="A", expr=text, labels={"label": text}, annotations={"summary": text}, comment="c")
    return RuleFile("f", "A comment.", (Group("g", (Record("a:b:c", text, "c: d"), alert)),))


@given(texts)
def test_any_text_is_read_back(text: str) -> None:
    """In expressions (but for white space), labels and annotations; a comment changes nothing."""
    printed = prometheus_files([_file(text)])["f.yml"]
    (group,) = yaml.safe_load(printed)["groups"]
    record, alert = group["rules"]
    assert re.sub(r"\s+", " ", record["expr"]).strip() == re.sub(r"\s+", " ", text).strip()
    assert alert["labels"] == {"label": text}
    assert alert["annotations"] == {"summary": text}


@given(texts)
def test_any_label_of_a_resource_is_read_back(text: str) -> None:
    """Also one that looks like a number or a boolean."""
    printed = operator_document([_file("x")], Resource("true", "1", {text: text}), "")
    metadata = yaml.safe_load(printed)["metadata"]
    assert metadata == {"name": "true", "namespace": "1", "labels": {text: text}}


@pytest.mark.parametrize(
    "word", ["true", "No", "null", "1", "1e3", "a: b", "a #b", "{x}", "[x]", "- x", "x:", "~"]
)
def test_what_yaml_would_read_as_something_else_is_read_back(word: str) -> None:
    """As the text that it is."""
    (group,) = yaml.safe_load(prometheus_document([_file(word)], ""))["groups"]
    assert group["rules"][1]["annotations"]["summary"] == word


def test_lines_are_short() -> None:
    """In the files that ship, but for a selector or a list of labels, which cannot be broken."""
    for name, text in prometheus_files(build(Variant())).items():
        for number, line in enumerate(text.splitlines(), 1):
            breakable = re.sub(r"\S*\{[^}]*\}|\([\w, ]+\)", "", line)
            assert len(breakable) <= 110, f"{name}:{number}: {line}"


def test_lines_of_a_comment_are_joined_but_not_with_indented_ones() -> None:
    """Prose and items are filled; an indented line, as of a table, stays alone: before it and after it."""
    comment = "One\nline.\n\n- an item\nof two lines\n- another\n\nTable:\n  a   1\n  b   2\nAfter\nit."
    printed = prometheus_files([replace(_file("x"), comment=comment)], header="")["f.yml"]
    head = printed.splitlines()[1:10]
    assert head == [
        "# One line.", "#", "# - an item of two lines", "# - another", "#",
        "# Table:", "#   a   1", "#   b   2", "# After it.",
    ]  # fmt: skip


def test_breaking_a_line_keeps_its_meaning() -> None:
    """A second parser reads the same expression from one line, and from lines as short as they can be."""
    for rule in rules():
        one_line = re.sub(r"\s+", " ", rule.expression).strip()
        lines = "\n".join(broken(one_line, " " * 100))
        assert len(lines.splitlines()) > 1 or rule.name == "Watchdog" or " " not in one_line, rule.name
        expected = promql_parser.parse(one_line).prettify()
        assert promql_parser.parse(lines).prettify() == expected, rule.name


def test_what_looks_like_an_operator_in_a_string_is_left_alone() -> None:
    """A selector's value stays in one line."""
    written = 'max without (pod) (x{job="a or b, (c and d)"} > 1 or y{job=~"e - f"} unless z)'
    lines = list(broken(written, " " * 90))
    assert 'x{job="a or b, (c and d)"}' in "\n".join(lines)
    assert 'y{job=~"e - f"}' in "\n".join(lines)
    assert promql_parser.parse("\n".join(lines)).prettify() == promql_parser.parse(written).prettify()
