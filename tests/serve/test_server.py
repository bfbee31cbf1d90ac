"""The tasks beside the requests."""

from __future__ import annotations

import asyncio
import logging

import pytest

from bioagents_exporter.serve.server import every


async def test_work_is_done_at_once_and_again(caplog: pytest.LogCaptureFixture) -> None:
    """Whatever it raises; the same trouble is logged once."""
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
    ] * 1 + ["KeyError('b')"]


async def test_turns_that_come_too_late_are_left_out() -> None:
    """After a pause there is no rush to make up for it."""
    loop, late, done = asyncio.get_running_loop(), asyncio.Event(), asyncio.Event()
    starts: list[float] = []

    async def work() -> None:
        starts.append(loop.time())
        if len(starts) == 1:
            await late.wait()
        if len(starts) == 4:
            done.set()

    loop.call_later(0.2, late.set)
    task = asyncio.create_task(every(0.05, work))
    await asyncio.wait_for(done.wait(), 30)
    task.cancel()
    assert starts[3] - starts[0] > 0.29  # the second turn after 0.2 s, two more of 0.05 s
