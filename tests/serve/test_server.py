"""The tasks that run next to the requests."""

from __future__ import annotations

import asyncio
import logging
from itertools import pairwise

import pytest

from bioagents_exporter.serve.server import every


async def test_work_is_done_at_once_and_again(caplog: pytest.LogCaptureFixture) -> None:
    """Whatever it raises; the same error is logged once."""
    caplog.set_level(logging.ERROR)
    done = asyncio.Event()
    troubles = [KeyError("a"), KeyError("a"), KeyError("b"), None, KeyError("b")]

    async def work() -> None:
        await asyncio.sleep(0)
        if not troubles:
            done.set()
        elif error := troubles.pop(0):
            raise error

    task = asyncio.create_task(every(0.001, work))
    await asyncio.wait_for(done.wait(), 30)
    task.cancel()
    assert [repr(r.exc_info[1]) for r in caplog.records if r.exc_info] == [
        "KeyError('a')",
        "KeyError('b')",
        "KeyError('b')",
    ]


async def test_turns_that_come_too_late_are_left_out() -> None:
    """After a long turn the next ones do not follow faster to make up for it."""
    loop, late, done = asyncio.get_running_loop(), asyncio.Event(), asyncio.Event()
    period, starts = 0.05, list[float]()

    async def work() -> None:
        starts.append(loop.time())
        if len(starts) == 1:
            await late.wait()
        if len(starts) == 4:
            done.set()

    loop.call_later(4 * period, late.set)
    task = asyncio.create_task(every(period, work))
    await asyncio.wait_for(done.wait(), 30)
    task.cancel()
    gaps = [after - before for before, after in pairwise(starts)]
    assert gaps[0] > 3 * period  # the first turn took four periods
    assert min(gaps[1:]) > 0.9 * period  # each turn after that has its own period
