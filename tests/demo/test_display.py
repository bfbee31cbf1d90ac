"""What the demo reads from an exposition, and how it shows it."""

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


def test_the_series_of_a_queue_are_added_up() -> None:
    """Actors and exceptions are one number; states of the depth are columns of their own."""
    rows = parse(EXPOSITION).rows
    assert rows["chat"] == {"waiting": 12, "dead": 2, "failed": 7}
    assert rows["deep-research"] == {"waiting": 0}


def test_every_column_is_a_metric_of_the_catalogue() -> None:
    """What the demo shows is what the exporter publishes."""
    known = {f"bioagents_{metric.name}" for metric in METRICS}
    assert {metric for metric, _ in COLUMNS.values()} <= known


def test_what_was_not_said_is_a_dash_and_never_zero() -> None:
    """A missing number is not a zero."""
    heading, chat, research = table(parse(EXPOSITION))
    assert heading.split() == ["queue", *COLUMNS]
    assert chat.split() == ["chat", "12", "-", "-", "-", "7", "-", "2", "-"]
    assert research.split() == ["deep-research", "0", *"-------"]
    assert len({len(heading), len(chat), len(research)}) == 1


def test_sentences_say_the_same() -> None:
    """A log has the figures in words."""
    first = next(sentences(parse(EXPOSITION)))
    assert first == "chat: waiting 12, delayed -, running -, done -, failed 7, retries -, dead 2, workers -"


def test_a_scrape_reads_a_real_server() -> None:
    """By HTTP, and a server that is gone is a problem to show, no exception."""
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


def test_what_is_no_exposition_is_a_problem() -> None:
    """Another server on the port does not end the demo."""
    server = StaticExposition("bioagents_queue_depth{queue= 12\n")
    try:
        assert scrape(f"http://{server.address}/").problem
    finally:
        server.stop()


def test_a_log_repeats_figures_every_five_seconds_only() -> None:
    """Notes come at once."""
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


def test_a_terminal_draws_over_what_it_drew() -> None:
    """The second block goes up by the height of the first, and never past the edges of the terminal."""
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
