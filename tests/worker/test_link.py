"""The flusher's own connection."""

from __future__ import annotations

from pathlib import Path

import pytest
import redis
from redis.backoff import NoBackoff
from redis.retry import Retry

from bioagents_worker._link import Link, NoReplyError
from bioagents_worker._transport import NotSent, Request
from bioagents_worker.wire import Keys
from support.polling import free_port
from support.redis_server import RedisServer
from support.tcp_proxy import TcpProxy

FIRST = Request(0, 0, 0, {})


def test_script_is_loaded_again_after_its_loss(redis_server: RedisServer) -> None:
    """After SCRIPT FLUSH, or a failover to a server that never had it, the call succeeds."""
    link = Link(redis_server.client(), Keys("dramatiq"))
    epoch = link.flush("me", FIRST, kind="producer").epoch
    redis_server.client().script_flush()
    assert link.flush("me", FIRST, kind="producer").epoch == epoch
    link.close()


def test_restart_is_seen_by_a_new_run_id(tmp_path: Path) -> None:
    """The connection that the restart closed is replaced before anything is sent; a new epoch starts."""
    redis_server = RedisServer(tmp_path / "redis", appendonly="yes")
    link = Link(redis_server.client(), Keys("dramatiq"))
    try:
        before = link.flush("me", FIRST, kind="producer")
        redis_server.restart()
        assert redis_server.client().hget(Keys("dramatiq").seqs, "__epoch"), "only the run_id shows it"
        assert link.flush("me", FIRST, kind="producer").epoch > before.epoch
    finally:
        link.close()
        redis_server.kill()


def test_lost_reply_is_no_second_try(redis_server: RedisServer) -> None:
    """The outcome of the call is unknown, and the caller learns it."""
    proxy = TcpProxy(redis_server.port)
    link = Link(redis.Redis(port=proxy.port), Keys("dramatiq"))
    link.flush("me", FIRST, kind="producer")
    proxy.lose_reply = lambda chunk: b"EVALSHA" in chunk
    with pytest.raises(NoReplyError):
        link.flush("me", FIRST, kind="producer")
    assert proxy.lost == 1
    link.close()
    proxy.close()


def test_refused_connection_is_not_sent(tmp_path: Path) -> None:
    """Also when the server ended while the connection was open: nothing can have arrived."""
    redis_server = RedisServer(tmp_path / "redis")
    link = Link(redis_server.client(), Keys("dramatiq"))
    link.flush("me", FIRST, kind="producer")
    redis_server.kill()
    for _ in range(2):
        with pytest.raises(NotSent, match="refused"):
            link.flush("me", FIRST, kind="producer")


@pytest.mark.parametrize("junk", ["a string", "a field that is not a number"])
def test_junk_in_a_totals_hash_stops_no_other_count(redis_server: RedisServer, junk: str) -> None:
    """All other fields are counted, once; the call does not fail."""
    keys, client = Keys("dramatiq"), redis_server.client(decode_responses=True)
    link = Link(redis_server.client(), keys)
    epoch = link.flush("me", FIRST, kind="producer").epoch
    first = link.flush("me", Request(epoch, 0, 1, {"q": {"a|x": 1}, "r": {"a|x": 1}}), kind="producer")
    assert first.stored == 1
    if junk.startswith("a string"):
        client.set(keys.totals("q"), "junk")
    else:
        client.hset(keys.totals("q"), "a|x", "junk")
    again = Request(epoch, 1, 2, {"q": {"a|x": 1, "b|x": 1}, "r": {"a|x": 1}})
    reply = link.flush("me", again, kind="producer")
    if junk.startswith("a string"):  # a marked hash is gone: a new epoch, as for any other loss
        assert reply.epoch > epoch
        assert link.flush("me", Request(reply.epoch, 0, 1, again.counts), kind="producer").stored == 1
        assert client.hgetall(keys.totals("q"))["b|x"] == "1"
    else:
        assert client.hgetall(keys.totals("q"))["b|x"] == "1"
        assert client.hgetall(keys.totals("r"))["a|x"] == "2"
    link.close()


def test_failed_call_has_added_nothing(redis_server: RedisServer) -> None:
    """It is repeated until it succeeds, and its increments count once."""
    keys, client = Keys("dramatiq"), redis_server.client(decode_responses=True)
    link = Link(redis_server.client(), keys)
    epoch = link.flush("me", FIRST, kind="producer").epoch
    link.flush("me", Request(epoch, 0, 1, {"q": {"a|x": 1}}), kind="producer")
    client.delete(keys.queues)
    client.set(keys.queues, "junk")
    again = Request(epoch, 1, 2, {"q": {"a|x": 1}, "new": {"a|x": 1}})
    for _ in range(2):
        with pytest.raises(NoReplyError):
            link.flush("me", again, kind="producer")
    client.delete(keys.queues)
    assert link.flush("me", again, kind="producer").stored == 2
    assert client.hget(keys.totals("q"), "a|x") == "2"
    assert client.smembers(keys.queues) == {"new"}
    link.close()


def test_missing_permission_loses_no_count(redis_server: RedisServer) -> None:
    """Without HINCRBY the call fails; the error is not treated as a field that is not a number."""
    keys, client = Keys("dramatiq"), redis_server.client(decode_responses=True)
    client.execute_command("ACL", "SETUSER", "worker", "on", ">pw", "~*", "+@all", "-hincrby")
    link = Link(redis_server.client(username="worker", password="pw"), keys)  # noqa: S106 - a test's
    epoch = link.flush("me", FIRST, kind="producer").epoch
    counts = Request(epoch, 0, 1, {"q": {"a|x": 1}})
    with pytest.raises(NoReplyError, match="run this command"):
        link.flush("me", counts, kind="producer")
    client.execute_command("ACL", "SETUSER", "worker", "+hincrby")
    assert link.flush("me", counts, kind="producer").stored == 1
    assert client.hget(keys.totals("q"), "a|x") == "1"
    link.close()


@pytest.mark.parametrize("field", ["__epoch", "me"])
def test_junk_in_the_sequences_starts_a_new_epoch(redis_server: RedisServer, field: str) -> None:
    """A value that cannot be read is treated as missing."""
    keys = Keys("dramatiq")
    link = Link(redis_server.client(), keys)
    epoch = link.flush("me", FIRST, kind="producer").epoch
    link.flush("me", Request(epoch, 0, 1, {"q": {"a|x": 1}}), kind="producer")
    redis_server.client().hset(keys.seqs, field, "junk")
    assert link.flush("me", Request(epoch, 1, 2, {"q": {"a|x": 1}}), kind="producer").epoch > epoch
    link.close()


def test_name_that_is_invalid_unicode_blocks_no_count(redis_server: RedisServer) -> None:
    """A queue's name in JSON may have half a surrogate pair; all other counts are still sent."""
    link = Link(redis_server.client(), Keys("dramatiq"))
    epoch = link.flush("me", FIRST, kind="producer").epoch
    counts = {"\ud800": {"a|x": 1}, "q": {"a|x": 1}}
    assert link.flush("me", Request(epoch, 0, 1, counts), kind="producer").stored == 1
    link.close()


def test_options_of_the_client_change_no_call(redis_server: RedisServer) -> None:
    """Neither its retries, which would hide an outage from the transport, nor that it decodes replies."""

    class Counted(NoBackoff):
        calls = 0

        def compute(self, failures: int) -> float:
            self.calls += 1
            return super().compute(failures)

    backoff = Counted()
    client = redis.Redis(port=free_port(), retry=Retry(backoff, 3))
    with pytest.raises(NotSent, match="refused"):
        Link(client, Keys("dramatiq")).flush("me", FIRST, kind="producer")
    assert backoff.calls == 0
    link = Link(redis_server.client(decode_responses=True), Keys("dramatiq"))
    link.flush("me", FIRST, kind="producer")
    assert link.command("HKEYS", Keys("dramatiq").producers) == [b"me"]
    link.close()
