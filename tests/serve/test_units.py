"""Numbers for people, and what request headers ask for."""

from __future__ import annotations

import math

import pytest

from bioagents_exporter.serve import page
from bioagents_exporter.serve.app import DEFAULT_BUDGET, accepts_gzip, budget


def test_seconds() -> None:
    """At most two page."""
    texts = {
        None: page.UNKNOWN, 0: "0 s", 0.25: "0.2 s", 9.96: "10.0 s", 10: "10 s", 59.9: "59 s", 60: "1 m",
        185: "3 m 5 s", 3605: "1 h", 90061: "1 d 1 h", math.inf: "∞",
    }  # fmt: skip
    assert {value: page.seconds(value) for value in texts} == texts


def test_number() -> None:
    """Whole numbers without a fraction."""
    texts = {None: page.UNKNOWN, 0: "0", 12345: "12,345", 0.25: "0.25", math.inf: "∞"}
    assert {value: page.number(value) for value in texts} == texts


def test_percent_and_size() -> None:
    """With their units."""
    assert [page.percent(v) for v in (None, 0.0, 0.125)] == [page.UNKNOWN, "0.0 %", "12.5 %"]
    assert [page.size(v) for v in (None, 2**20, 3 * 2**29)] == [page.UNKNOWN, "1 MiB", "1.5 GiB"]


def test_accept_encoding() -> None:
    """RFC 9110, 12.5.3."""
    accepted = ("gzip", "deflate, GZIP", "gzip;q=0.1", "*", "identity;q=1, gzip;q=1.0")
    refused = ("", "gzip;q=0", "gzip; q=0.0", "*;q=0", "br")
    assert [header for header in (*accepted, *refused) if accepts_gzip(header)] == list(accepted)


def test_budget() -> None:
    """A share of the timeout that Prometheus sends, never too short; a default where it sends none."""
    seconds = dict.fromkeys((None, "", "x", "nan", "inf"), DEFAULT_BUDGET)
    seconds |= {"10": 7.0, "1.0": 0.7, "0": 0.2, "-3": 0.2}
    assert {header: budget(header) for header in seconds} == pytest.approx(seconds)
