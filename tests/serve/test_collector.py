"""Reading, deriving and rendering for concurrent scrapes, with a simulated reader."""

from __future__ import annotations

import asyncio
import gzip
import logging
import threading
from collections.abc import AsyncIterator

import pytest
import pytest_asyncio

from bioagents_exporter.read.snapshot import Snapshot
from bioagents_exporter.serve.collector import CollectError, Collector
from bioagents_exporter.settings import Settings
from support.snapshots import reference_fleet

BUGS = 'bioagents_exporter_scrape_errors_total{fleet="dramatiq",cause="derive"}'


class FakeReader:
    """Answers with ``snapshot`` while ``gate`` is open; counts its calls and remembers its threads."""

    def __init__(self) -> None:
        self.snapshot = reference_fleet()
        self.gate = threading.Event()
        self.gate.set()
        self.reads = self.audits = 0
        self.error: Exception | None = None
        self.threads: set[str] = set()
        self.closed = threading.Event()

    def read(self) -> Snapshot:
        self.reads += 1
        self.threads.add(threading.current_thread().name)
        assert self.gate.wait(30)
        if self.error:
            raise self.error
        return self.snapshot

    def audit(self) -> None:
        self.audits += 1
        self.threads.add(threading.current_thread().name)

    def close(self) -> None:
        self.closed.set()


@pytest.fixture
def reader() -> FakeReader:
    """A reader that answers at once."""
    return FakeReader()


@pytest_asyncio.fixture
async def collector(reader: FakeReader) -> AsyncIterator[Collector]:
    """A collector on that reader."""
    made = Collector(reader, Settings())
    yield made
    reader.gate.set()
    made.close()


def number(text: bytes, series: str) -> float:
    """The value of one series."""
    lines = (line.rpartition(" ") for line in text.decode().splitlines())
    return next(float(value) for name, _, value in lines if name == series)


async def test_concurrent_scrapes_share_one_read(collector: Collector, reader: FakeReader) -> None:
    """Ten scrapes at once cost Redis as much as one; a later scrape reads again."""
    reader.gate.clear()
    scrapes = [asyncio.create_task(collector.scrape(30)) for _ in range(10)]
    await asyncio.sleep(0)
    reader.gate.set()
    answers = await asyncio.gather(*scrapes)
    assert reader.reads == 1
    assert len({id(answer) for answer in answers}) == 1
    assert (await collector.scrape(30)) is not answers[0]
    assert reader.reads == 2


async def test_a_cancelled_scrape_does_not_end_the_read_of_the_others(
    collector: Collector, reader: FakeReader
) -> None:
    """The read goes on for the other clients."""
    reader.gate.clear()
    first, second = (asyncio.create_task(collector.scrape(30)) for _ in range(2))
    await asyncio.sleep(0)
    first.cancel()
    reader.gate.set()
    assert (await second).snapshot is reader.snapshot
    assert reader.reads == 1
    with pytest.raises(asyncio.CancelledError):
        await first


async def test_the_event_loop_is_never_blocked(collector: Collector, reader: FakeReader) -> None:
    """Reads and audits run on threads of their own, so that one does not wait for the other."""
    await collector.scrape(30)
    await collector.sample()
    assert reader.threads == {"read", "audit"}


async def test_after_its_budget_a_scrape_is_answered_without_redis(
    collector: Collector, reader: FakeReader
) -> None:
    """The result of the slow read answers the scrapes that wait for it."""
    reader.gate.clear()
    answer = await collector.scrape(0.05)
    assert number(answer.text, 'bioagents_redis_up{fleet="dramatiq"}') == 0
    assert b'queue="' not in answer.text
    joined = asyncio.create_task(collector.scrape(30))
    await asyncio.sleep(0)
    reader.gate.set()
    assert (await joined).snapshot is reader.snapshot
    assert reader.reads == 1


async def test_a_bug_is_counted_and_logged_once_per_change(
    collector: Collector, reader: FakeReader, caplog: pytest.LogCaptureFixture
) -> None:
    """The next good scrape shows how many there were."""
    caplog.set_level(logging.INFO)
    for message in ("one", "one", "two"):
        reader.error = KeyError(message)
        with pytest.raises(CollectError):
            await collector.scrape(30)
    reader.error = None
    answer = await collector.scrape(30)
    assert number(answer.text, BUGS) == 3
    messages = [record.getMessage() for record in caplog.records if record.name.endswith("collector")]
    assert [line.split()[0] for line in messages] == ["exporter_bug", "exporter_bug", "exporter_recovered"]


async def test_a_bug_in_a_read_without_waiting_scrapes_is_counted(
    collector: Collector, reader: FakeReader
) -> None:
    """All scrapes had been answered when it happened."""
    reader.gate.clear()
    reader.error = KeyError("late")
    await collector.scrape(0.05)
    joined = asyncio.create_task(collector.scrape(30))
    await asyncio.sleep(0)
    reader.gate.set()
    with pytest.raises(CollectError):
        await joined
    reader.error = None
    assert number((await collector.scrape(30)).text, BUGS) == 1


async def test_a_bug_in_the_sampler_does_not_end_it(collector: Collector, reader: FakeReader) -> None:
    """Nor does it keep the audit from its turn."""
    reader.error = KeyError("sample")
    await collector.sample()
    assert reader.audits == 1
    reader.error = None
    await collector.sample()
    assert reader.audits == 2
    assert number((await collector.scrape(30)).text, BUGS) == 1


async def test_trouble_is_that_of_the_last_read(collector: Collector, reader: FakeReader) -> None:
    """It is the answer of /-/ready."""
    assert collector.trouble == "nothing was read yet"
    await collector.sample()
    assert collector.trouble == ""
    reader.snapshot = Snapshot(None, 0.0, failure="Redis h:1: refused")
    await collector.scrape(30)
    assert collector.trouble == "Redis h:1: refused"


async def test_the_text_is_compressed_once(collector: Collector) -> None:
    """For all scrapes that share a read."""
    answer = await collector.scrape(30)
    assert gzip.decompress(answer.gzipped) == answer.text
    assert answer.gzipped is answer.gzipped


async def test_closing_does_not_wait_for_a_read(reader: FakeReader) -> None:
    """The connection is closed once it is free."""
    collector = Collector(reader, Settings())
    reader.gate.clear()
    scrape = asyncio.create_task(collector.scrape(30))
    await asyncio.sleep(0)
    collector.close()
    assert not reader.closed.is_set()
    reader.gate.set()
    await scrape
    assert await asyncio.to_thread(reader.closed.wait, 30)
