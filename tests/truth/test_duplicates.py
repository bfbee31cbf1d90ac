"""Replies of every kind are lost: jobs may run twice, but each count stays exact.

The effects in Dramatiq and redis-py, and on each counter:

========================= ================================================ ==================================
lost reply of             effect                                           counters
========================= ================================================ ==================================
an enqueue                the sender gets an error; Redis has the job      jobs_enqueued_total: not counted;
                          and runs                                         all else as it ran
an acknowledgement        sent again until it is answered                  one attempt, counted once
a rejection               sent again until it is answered; the first one   jobs_dead_total: once
                          moved the job
a retry's enqueue         the attempt's end fails inside Retries; the job  job_retries_total: not counted
                          is acknowledged, and still runs again
our script                sent again, applied once                         nothing
a fetch                   the ids stay in the acknowledgement set (stuck)  nothing until they run
========================= ================================================ ==================================

So every counter equals the record, which the actors and Dramatiq's own hooks write; the record may have more
attempts than jobs were sent.

With a broker made without a URL, redis-py repeats commands that had no reply. An enqueue is then applied
twice and reported once: one job enqueued, two attempts, unless the first attempt removed the job before the
second was fetched. The second attempt enqueues the next stage of its pipeline again: another enqueue.
"""

from __future__ import annotations

from pathlib import Path

import pytest
from recorded_fleet import recorded_fleet

from support.polling import wait_until
from support.redis_server import RedisServer
from support.tcp_proxy import TcpProxy, one_in


@pytest.mark.parametrize(("retries", "chance"), [(False, 200), (True, 30)])
def test_every_reply_may_be_lost(
    tmp_path: Path, redis_server: RedisServer, *, retries: bool, chance: int
) -> None:
    """One in 200, or 30, replies to any command of workers and producers."""
    proxy = TcpProxy(redis_server.port)
    env = {"REDIS_PY_RETRIES": "1"} if retries else {}
    url = f"redis://127.0.0.1:{proxy.port}/0"
    with recorded_fleet(tmp_path, url, exporter_url=redis_server.url, **env) as fleet:
        fleet.workers()
        observer = fleet.exporter()
        proxy.lose_reply = one_in(chance)
        fleet.produce(40)
        wait_until(lambda: proxy.lost >= 10, timeout=60, what="lost replies")
        proxy.lose_reply = lambda _: False
        fleet.settle(idle=False)
        fleet.assert_exact(observer)
        sent = fleet.expected()["jobs_enqueued_total", "chat", "succeed", ""]
        assert sent >= 300, "too few jobs for this test"
    proxy.close()
