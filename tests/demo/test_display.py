"""What the demo reads from /metrics, and how it shows it."""

from __future__ import annotations

from io import StringIO
from os import terminal_size

from bioagents_demo.display import (
    COLUMNS,
    Figures,
    Log,
    Terminal,
    clock,
    display,
    parse,
    scrape,
    sentences,
    table,
)
from bioagents_exporter.catalogue import METRICS
from support.monitoring import StaticExposition

EXPOSITION = """\
# TYPE bioagents_queue_depth gauge
bioagents_queue_depth{fleet="demo",queue="chat",state="waiting"} 12
bioagents_queue_depth{fleet="demo",queue="chat",state="active"} 5
bioagents_queue_depth{fleet="demo",queue="chat",state="dead"} 2
bioagents_queue_depth{fleet="demo",queue="deep-research",state="waiting"} 0
# TYPE bioagents_job_failures_total counter
bioagents_job_failures_total{fleet="demo",queue="chat",actor="answer",exception="A"} 3
bioagents_job_failures_total{fleet="demo",queue="chat",actor="follow_up",exception="B"} 4
# TYPE bioagents_queue_drain_seconds gauge
bioagents_queue_drain_seconds{fleet="demo",queue="chat"} +Inf
# TYPE process_cpu_seconds counter
process_cpu_seconds_total 1.5
"""


def test_series_of_a_queue_are_added_up() -> None:
    """Over actors and exceptions; each state of the depth is a column of its own."""
    rows = parse(EXPOSITION).rows
    assert rows["chat"] == {"waiting": 12, "dead": 2, "failed": 7}
    assert rows["deep-research"] == {"waiting": 0}


def test_every_column_is_a_metric_of_the_catalogue() -> None:
    """The exporter publishes all that the demo shows."""
    known = {f"bioagents_{metric.name}" for metric in METRICS}
    assert {metric for metric, _ in COLUMNS.values()} <= known


def test_missing_value_is_a_dash_and_not_zero() -> None:
    """In each column that the exporter did not publish."""
    heading, chat, research = table(parse(EXPOSITION))
    assert heading.split() == ["queue", *COLUMNS]
    assert chat.split() == ["chat", "12", "-", "-", "-", "7", "-", "2", "-"]
    assert research.split() == ["deep-research", "0", *"-------"]
    assert len({len(heading), len(chat), len(research)}) == 1


def test_sentences_have_the_same_figures() -> None:
    """In words, for a log."""
    first = next(sentences(parse(EXPOSITION)))
    assert first == "chat: waiting 12, delayed -, running -, done -, failed 7, retries -, dead 2, workers -"


def test_scrape_reads_a_real_server() -> None:
    """A server that does not answer is a problem that is shown, not an exception."""
    server = StaticExposition(EXPOSITION)
    try:
        assert scrape(f"http://{server.address}/metrics") == parse(EXPOSITION)
    finally:
        server.stop()
    gone = scrape(f"http://{server.address}/metrics")
    assert gone.rows == {}
    assert server.address in gone.problem
    assert table(gone) == [f"nothing to show: {gone.problem}"]
    assert list(sentences(gone)) == table(gone)


def test_invalid_exposition_is_a_problem() -> None:
    """It is shown, and does not end the demo."""
    server = StaticExposition("bioagents_queue_depth{queue= 12\n")
    try:
        assert scrape(f"http://{server.address}/").problem
    finally:
        server.stop()


def test_log_has_figures_every_five_seconds() -> None:
    """And notes at once."""
    stream = StringIO()
    log = display(["heading"], stream)
    assert isinstance(log, Log)
    for second in range(11):
        log.show(second, parse(EXPOSITION))
    log.note(70.9, "it happened")
    lines = stream.getvalue().splitlines()
    assert lines[0] == "heading"
    assert [line[:5] for line in lines if "chat:" in line] == ["00:00", "00:05", "00:10"]
    assert lines[-1] == "01:10  it happened"
    assert "\x1b" not in stream.getvalue()


def test_terminal_redraws_its_block() -> None:
    """The cursor moves up by the height of the block, which fits into the terminal."""
    stream, size = StringIO(), terminal_size((40, 12))
    terminal = Terminal(["heading " * 10], stream, lambda: size)
    for number in range(12):
        terminal.note(number, f"note {number}")
    terminal.show(1, parse(EXPOSITION))
    first = stream.getvalue()
    assert first.startswith("\r\x1b[J")
    assert first.count("\n") == 11
    assert max(len(line) for line in first.replace("\r\x1b[J", "").splitlines()) <= 39
    assert "note 11" in first
    terminal.show(2, Figures({}, "gone"))
    assert stream.getvalue().removeprefix(first).startswith("\x1b[11A\r\x1b[J")


def test_clock() -> None:
    """Minutes and seconds, without hours."""
    assert [clock(seconds) for seconds in (0, 59.9, 60, 7200)] == ["00:00", "00:59", "01:00", "120:00"]
