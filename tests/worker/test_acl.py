"""A worker needs exactly the permissions that the documentation names."""

from __future__ import annotations

import re
import time
from pathlib import Path

from bioagents_worker._failures import Failures
from bioagents_worker._link import Link
from bioagents_worker._sweep import Sweep
from bioagents_worker._tally import Attempt
from bioagents_worker._transport import Request
from bioagents_worker._workers import Workers
from bioagents_worker.wire import Keys
from support.redis_server import RedisServer

PAGE = Path(__file__).parents[2] / "docs" / "reference" / "redis.md"
KEYS = Keys("dramatiq")


def documented_permissions() -> list[str]:
    permissions = re.search(r"^(\+evalsha .*)$", PAGE.read_text(), re.MULTILINE)
    assert permissions
    return permissions[1].split()


def test_documented_permissions_suffice(redis_server: RedisServer) -> None:
    """For flush, sign-off, sweep, claim and reaping."""
    rules = ["on", ">pw", "~bioagents:*", *documented_permissions()]
    redis_server.client().execute_command("ACL", "SETUSER", "worker", *rules)
    link = Link(redis_server.client(username="worker", password="pw"), KEYS)  # noqa: S106 - a test's
    epoch = link.flush("w", Request(0, 0, 0, {}), kind="worker", beat="{}\n{}").epoch
    counts = {"q": {"processed|a": 1}}
    assert link.flush("w", Request(epoch, 0, 1, counts), kind="gone").stored == 1
    redis_server.client().hset(KEYS.beats, "lost", '1\n{}\n{"oldest":[["q","a",1,"job"]]}')
    sweep = Sweep(link, KEYS, Workers("w", Failures()))
    sweep.run(time.time_ns() // 1000)
    assert not redis_server.client().hexists(KEYS.beats, "lost"), "older than a day: reaped"
    assert len(sweep.claim([Attempt(0, "q", "a", "job")])) == 1
    link.close()
