"""All durations divided by one factor, and nothing that only looks like one."""

from __future__ import annotations

from datetime import timedelta

import promql_parser
import pytest
from hypothesis import given
from hypothesis import strategies as st

from bioagents_alerts.durations import milliseconds, scale_duration, scale_expression
from bioagents_alerts.model import Alert, Group, Record, RuleFile, scaled
from support.rule_files import rules

UNITS = ["y", "w", "d", "h", "m", "s", "ms"]
durations = st.dictionaries(st.sampled_from(UNITS), st.integers(1, 5000), min_size=1).map(
    lambda parts: "".join(f"{parts[unit]}{unit}" for unit in UNITS if unit in parts)
)


@pytest.mark.parametrize(
    ("text", "factor", "expected"),
    [
        ("10m", 60, "10s"),
        ("1h30m", 60, "90s"),
        ("1m", 40, "1500ms"),
        ("1s", 3, "333ms"),
        ("5m", 1, "300s"),
        ("1y2w3d", 1, f"{(365 + 14 + 3) * 86400}s"),
        ("30s", 0.5, "60s"),
        ("0s", 60, "0s"),
        ("0", 60, "0s"),
    ],
)
def test_a_duration_is_divided_to_the_millisecond(text: str, factor: float, expected: str) -> None:
    """Any unit, any combination, up and down."""
    assert scale_duration(text, factor) == expected


@given(durations, st.floats(0.01, 1000))
def test_any_duration_is_divided_by_the_factor(text: str, factor: float) -> None:
    """The result is the quotient, rounded to the millisecond; a second parser reads it the same way."""
    try:
        scaled = scale_duration(text, factor)
    except ValueError:
        assert milliseconds(text) / factor <= 0.5
        return
    assert abs(milliseconds(scaled) - milliseconds(text) / factor) <= 0.5
    if milliseconds(scaled) < 2**31:  # above it the second parser fails
        assert promql_parser.parse_duration(scaled) == timedelta(milliseconds=milliseconds(scaled))


@pytest.mark.parametrize("factor", [0.0, -60.0, float("nan"), float("inf")])
def test_a_factor_that_is_no_positive_number_is_refused(factor: float) -> None:
    """The error names it and what was expected."""
    with pytest.raises(ValueError, match=r"is not a valid factor; expected a positive number"):
        scale_duration("5m", factor)


def test_a_duration_is_never_scaled_away() -> None:
    """A range of 0 is an error, and `for: 0s` another alert."""
    with pytest.raises(ValueError, match=r"1m divided by 1e\+06 is less than a millisecond"):
        scale_duration("1m", 1e6)


@pytest.mark.parametrize("text", ["", "5", "m", "5 m", "5x", "1.5h", "-5m"])
def test_what_is_no_duration_is_refused(text: str) -> None:
    """The error names it and shows one that is."""
    with pytest.raises(ValueError, match=r"is not a valid duration; expected one such as 30s"):
        scale_duration(text, 60)


@pytest.mark.parametrize(
    ("expression", "expected"),
    [
        ("rate(x[5m])", "rate(x[5s])"),
        ("rate(x[ 1h30m ])", "rate(x[ 90s ])"),
        ("max_over_time(rate(x[5m])[1h:1m])", "max_over_time(rate(x[5s])[60s:1s])"),
        ("max_over_time(x[1h:])", "max_over_time(x[60s:])"),
        ("x offset 5m", "x offset 5s"),
        ("x OFFSET\n  -1h", "x OFFSET\n  -60s"),
        ("rate(x[5m] offset 1d) > 300", "rate(x[5s] offset 1440s) > 300"),
        ("x[5m] @ 1609746000", "x[5s] @ 1609746000"),
        ('x{window="[5m]",w=~"offset 5m"}', 'x{window="[5m]",w=~"offset 5m"}'),
        ("x{q='a\\'[5m]'}", "x{q='a\\'[5m]'}"),
        (r'x{q="\\"} + rate(y[5m])', r'x{q="\\"} + rate(y[5s])'),
        ("x{q=`\\`} + rate(y[5m])", "x{q=`\\`} + rate(y[5s])"),
        ('x{q="it\'s"} + rate(y{q="it\'s"}[5m])', 'x{q="it\'s"} + rate(y{q="it\'s"}[5s])'),
        ("rate(x[5m]) # was [10m], offset 1m\n> 1", "rate(x[5s]) # was [10m], offset 1m\n> 1"),
        ("sum by (offset) (job:x:rate5m) > 5", "sum by (offset) (job:x:rate5m) > 5"),
        ("my_offset", "my_offset"),
        ("x_5m + y:rate10m", "x_5m + y:rate10m"),
    ],
)
def test_durations_of_an_expression_are_found_by_their_place(expression: str, expected: str) -> None:
    """Ranges, subqueries and offsets; not strings, comments, names or numbers."""
    assert scale_expression(expression, 60) == expected


@pytest.mark.parametrize("expression", ["rate(x[300])", "rate(x[5m + 1m])", "x[]", "rate(x[5x])"])
def test_a_range_without_a_plain_duration_is_refused(expression: str) -> None:
    """Rather than half of an expression scaled."""
    with pytest.raises(ValueError, match=r"is not a valid range; expected one such as \[5m\]"):
        scale_expression(expression, 60)


def test_a_rule_file_is_scaled_whole() -> None:
    """Interval, for, keep_firing_for and expressions; neither labels nor annotations."""
    texts = {"labels": {"for": "5m"}, "annotations": {"description": "for 10m", "expr": "rate(x[5m])"}}

    def file(record: str, pending: str, keep: str, interval: str) -> RuleFile:
        alert = Alert(name="A", expr="job:x:rate5m > 5", pending=pending, keep_firing=keep, **texts)
        return RuleFile("f", "", (Group("g", (Record("job:x:rate5m", record), alert), interval=interval),))

    assert scaled(file("rate(x[5m])", "10m", "1h", "30s"), 60) == file("rate(x[5s])", "10s", "60s", "500ms")
    assert scaled(file("rate(x[5m])", "10m", "", ""), 60) == file("rate(x[5s])", "10s", "", "")


def test_only_durations_of_our_own_rules_change() -> None:
    """Scaled down and up again, an expression of ours is the same to PromQL's parser."""
    for rule in rules():
        there_and_back = scale_expression(scale_expression(rule.expression, 60), 1 / 60)
        expected = promql_parser.parse(rule.expression).prettify()
        assert promql_parser.parse(there_and_back).prettify() == expected, rule.name
