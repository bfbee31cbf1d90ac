"""Replies of every kind are lost now and then: jobs may be doubled, counts of what happened may not.

What Dramatiq and redis-py do then, and what each counter must show:

========================= ================================================ ==================================
lost reply of             effect                                           counters
========================= ================================================ ==================================
an enqueue                the sender sees an error; the job is there       jobs_enqueued_total: not counted;
                          and runs                                         all else as it ran
an acknowledgement        sent again until it is answered                  one attempt, counted once
a rejection               sent again until it is answered; the first one   jobs_dead_total: once
                          moved the job
a retry's enqueue         the attempt's end fails inside Retries; the job  job_retries_total: not counted
                          is acknowledged, and runs again all the same
our script                sent again, applied once                         nothing
a fetch                   the ids stay in the acknowledgement set (stuck)  nothing until they run
========================= ================================================ ==================================

So every counter equals the record, which the actors and Dramatiq's own hooks wrote; the record itself may
show more attempts than jobs that somebody sent.
"""

from __future__ import annotations

from pathlib import Path

from stage import stage

from support.polling import wait_until
from support.redis_server import RedisServer
from support.tcp_proxy import TcpProxy, one_in


def test_every_reply_may_be_lost(tmp_path: Path, redis_server: RedisServer) -> None:
    """One reply in three hundred, of any command of the workers."""
    proxy = TcpProxy(redis_server.port)
    with stage(tmp_path, f"redis://127.0.0.1:{proxy.port}/0", exporter_url=redis_server.url) as fleet:
        fleet.workers()
        observer = fleet.exporter()
        proxy.lose_reply = one_in(300)
        fleet.produce(40, REDIS_URL=redis_server.url)
        wait_until(lambda: proxy.lost >= 5, timeout=60, what="lost replies")
        proxy.lose_reply = lambda _: False
        fleet.settle(idle=False)
        fleet.assert_exact(observer)
    proxy.close()
