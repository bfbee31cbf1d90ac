"""Numbers for people, and what request headers ask for."""

from __future__ import annotations

import math

import pytest

from bioagents_exporter.serve import page as units
from bioagents_exporter.serve.app import DEFAULT_BUDGET, accepts_gzip, budget


@pytest.mark.parametrize(
    ("value", "text"),
    [(None, units.UNKNOWN), (0, "0 s"), (0.25, "0.2 s"), (9.96, "10.0 s"), (59.9, "59 s"), (60, "1 m"),
     (185, "3 m 5 s"), (3605, "1 h"), (90061, "1 d 1 h"), (math.inf, "∞")],
)  # fmt: skip
def test_seconds(value: float | None, text: str) -> None:
    """At most two units."""
    assert units.seconds(value) == text


@pytest.mark.parametrize(
    ("value", "text"), [(None, units.UNKNOWN), (0, "0"), (12345, "12,345"), (0.25, "0.25"), (math.inf, "∞")]
)
def test_number(value: float | None, text: str) -> None:
    """Whole ones without a fraction."""
    assert units.number(value) == text


def test_percent_and_size() -> None:
    """As people say them."""
    assert [units.percent(v) for v in (None, 0.0, 0.125)] == [units.UNKNOWN, "0.0 %", "12.5 %"]
    assert [units.size(v) for v in (None, 2**20, 3 * 2**29)] == [units.UNKNOWN, "1 MiB", "1.5 GiB"]


@pytest.mark.parametrize(
    ("header", "accepted"),
    [("", False), ("gzip", True), ("deflate, GZIP", True), ("gzip;q=0", False), ("gzip; q=0.0", False),
     ("gzip;q=0.1", True), ("*", True), ("*;q=0", False), ("br", False), ("identity;q=1, gzip;q=1.0", True)],
)  # fmt: skip
def test_accept_encoding(header: str, accepted: bool) -> None:  # noqa: FBT001 - a column of the table
    """RFC 9110, 12.5.3."""
    assert accepts_gzip(header) is accepted


@pytest.mark.parametrize(
    ("header", "seconds"),
    [(None, DEFAULT_BUDGET), ("", DEFAULT_BUDGET), ("x", DEFAULT_BUDGET), ("nan", DEFAULT_BUDGET),
     ("inf", DEFAULT_BUDGET), ("10", 7.0), ("1.0", 0.7), ("0", 0.2), ("-3", 0.2)],
)  # fmt: skip
def test_budget(header: str | None, seconds: float) -> None:
    """A share of what Prometheus waits."""
    assert budget(header) == pytest.approx(seconds)
