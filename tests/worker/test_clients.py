"""Clients of every class that a RedisBroker accepts: of redis-py and of valkey-py, with any pool."""

from __future__ import annotations

import logging
from collections.abc import Callable
from pathlib import Path
from typing import Any

import dramatiq
import pytest
import redis
import valkey
from dramatiq.brokers.redis import RedisBroker

from bioagents_worker import JobMetrics
from bioagents_worker._link import Link, NoReplyError, Script
from bioagents_worker._transport import NotSent, Request
from bioagents_worker.wire import Keys
from support.polling import free_port, wait_until
from support.redis_server import RedisServer
from support.tcp_proxy import TcpProxy

Totals = Callable[..., dict[str, int]]
KEYS = Keys("dramatiq")
FIRST = Request(0, 0, 0, {})

CLIENTS: dict[str, Callable[..., Any]] = {
    "redis": redis.Redis,
    "redis, RESP3": lambda **options: redis.Redis(protocol=3, **options),
    "redis, blocking pool": lambda **options: redis.Redis(
        connection_pool=redis.BlockingConnectionPool(max_connections=3, **options)
    ),
    "valkey": valkey.Valkey,
    "valkey, RESP3": lambda **options: valkey.Valkey(protocol=3, **options),
    "valkey, blocking pool": lambda **options: valkey.Valkey(
        connection_pool=valkey.BlockingConnectionPool(max_connections=3, **options)
    ),
}
every_client = pytest.mark.parametrize("make", CLIENTS.values(), ids=CLIENTS)


@every_client
def test_jobs_are_counted(redis_server: RedisServer, totals: Totals, make: Callable[..., Any]) -> None:
    """A worker and a producer count each job once on a server that does not have the script yet."""
    metrics = JobMetrics()
    broker = RedisBroker(client=make(port=redis_server.port))
    broker.add_middleware(metrics)
    actor = dramatiq.actor(lambda: None, broker=broker, actor_name="act")
    worker = dramatiq.Worker(broker, worker_timeout=50, worker_threads=2)
    worker.start()
    for _ in range(3):
        actor.send()
    wait_until(lambda: totals().get("succeeded|act") == 3)
    worker.stop()
    metrics._stop()
    assert totals()["enqueued|act"] == 3
    assert redis_server.client().hlen(KEYS.gone) == 1
    broker.close()


@every_client
def test_lost_replies_count_once(redis_server: RedisServer, totals: Totals, make: Callable[..., Any]) -> None:
    """A call that was applied but had no reply is repeated, whatever class its exception has."""
    proxy = TcpProxy(redis_server.port)
    broker = RedisBroker(client=make(port=proxy.port))
    metrics = JobMetrics(min_interval=0.01)
    broker.add_middleware(metrics)
    actor = dramatiq.actor(lambda: None, broker=broker, actor_name="act")
    sha = Script.load("flush.lua").sha.encode()
    actor.send()
    wait_until(lambda: totals().get("enqueued|act") == 1)
    proxy.lose_reply = lambda chunk: sha in chunk and proxy.lost < 1
    actor.send()
    wait_until(lambda: proxy.lost == 1)
    metrics._stop()
    assert totals()["enqueued|act"] == 2
    assert "dropped|" not in totals("")
    broker.close()
    proxy.close()


@every_client
def test_what_the_server_says_is_understood(redis_server: RedisServer, make: Callable[..., Any]) -> None:
    """A missing script is loaded; a refused command is an answer without effect; both keep their text."""
    link, admin = Link(make(port=redis_server.port), KEYS), redis_server.client()
    epoch = link.flush("me", FIRST, kind="producer").epoch
    admin.script_flush()
    assert link.flush("me", FIRST, kind="producer").epoch == epoch
    admin.execute_command("ACL", "SETUSER", "default", "-hincrby")
    counts = Request(epoch, 0, 1, {"q": {"a|x": 1}})
    with pytest.raises(NoReplyError, match="run this command"):
        link.flush("me", counts, kind="producer")
    admin.execute_command("ACL", "SETUSER", "default", "+hincrby")
    assert link.flush("me", counts, kind="producer").stored == 1
    link.close()


@every_client
def test_refused_connection_is_not_sent(make: Callable[..., Any]) -> None:
    """Nothing can have arrived, whatever class the exception has."""
    with pytest.raises(NotSent):
        Link(make(port=free_port()), KEYS).flush("me", FIRST, kind="producer")


@pytest.mark.parametrize("make", [redis.RedisCluster, valkey.ValkeyCluster])
def test_cluster_connects_to_the_node_of_our_keys(tmp_path: Path, make: Callable[..., Any]) -> None:
    """With a namespace with a hash tag, as Dramatiq needs it."""
    # The port 10,000 above, which the node opens too, is then none that Linux gives to outgoing connections.
    port = next(port for port in iter(free_port, 0) if port < 22_000)
    server = RedisServer(tmp_path / "node", port=port, cluster_enabled="yes")
    try:
        server.client().execute_command("CLUSTER", "ADDSLOTSRANGE", 0, 16383)
        info = lambda: str(server.client().execute_command("CLUSTER INFO"))  # noqa: E731
        wait_until(lambda: "cluster_state': 'ok" in info() or "cluster_state:ok" in info())
        client = make(host="127.0.0.1", port=server.port)
        link = Link(client, Keys("{dramatiq}"))
        assert link.flush("me", FIRST, kind="producer").fleet == 1
        link.close()
        client.close()
    finally:
        server.kill()


def test_client_without_connections_stops_no_job(
    broker: RedisBroker, totals: Totals, caplog: pytest.LogCaptureFixture
) -> None:
    """A wrapper that hides its pool: the job is enqueued, and one warning says that nothing is counted."""

    class Wrapper:
        hidden = {"connection_pool"}  # noqa: RUF012 - changed below

        def __getattr__(self, name: str) -> object:
            """Everything of the client but what is hidden."""
            if name in self.hidden:
                raise AttributeError(f"Wrapper has no {name}")
            return getattr(client, name)

    client, broker.client = broker.client, Wrapper()
    broker.add_middleware(JobMetrics(min_interval=0.01))
    with caplog.at_level(logging.WARNING, "bioagents_worker"):
        dramatiq.actor(lambda: None, broker=broker, actor_name="act").send()
        wait_until(lambda: caplog.records)
    assert [r.message for r in caplog.records] == [
        "cannot send counts to Redis, keeping them in memory: Wrapper has no connection_pool"
    ]
    assert client.llen("dramatiq:default") == 1
    Wrapper.hidden.clear()
    wait_until(lambda: totals().get("enqueued|act") == 1)


def logged(caplog: pytest.LogCaptureFixture) -> list[str]:
    """All lines but the one about the start."""
    return [line for line in caplog.messages if not line.startswith("JobMetrics reports to")]


@pytest.mark.parametrize("make", [redis.Redis, valkey.Valkey])
def test_connection_that_was_closed_while_idle_is_no_outage(
    tmp_path: Path, make: Callable[..., Any], caplog: pytest.LogCaptureFixture
) -> None:
    """With ``timeout 1`` Redis closes it between two jobs; nothing is logged, every job counts once."""
    server = RedisServer(tmp_path / "redis", timeout="1")
    admin = server.client(decode_responses=True)
    broker = RedisBroker(client=make(port=server.port))
    metrics = JobMetrics()
    broker.add_middleware(metrics)
    actor = dramatiq.actor(lambda: None, broker=broker, actor_name="act")
    enqueued = lambda: admin.hgetall(KEYS.totals("default")).get("enqueued|act")  # noqa: E731
    try:
        with caplog.at_level(logging.INFO, "bioagents_worker"):
            for sent in ("1", "2"):
                actor.send()
                wait_until(lambda n=sent: enqueued() == n)
                wait_until(lambda: len(admin.client_list()) == 1, what="Redis closes the other connections")
        metrics._stop()
        assert logged(caplog) == []
        errors = {name: n for name, n in admin.hgetall(KEYS.totals("")).items() if name.startswith("errors")}
        assert not any(map(int, errors.values())), errors
    finally:
        broker.close()
        server.kill()


def test_connection_that_breaks_when_it_is_used_again_is_no_outage(
    redis_server: RedisServer, broker: RedisBroker, totals: Totals, caplog: pytest.LogCaptureFixture
) -> None:
    """A firewall forgot it: the call is sent again, and counts once although the first one had arrived."""
    proxy = TcpProxy(redis_server.port)
    broker.client = redis.Redis(port=proxy.port)
    metrics = JobMetrics()
    broker.add_middleware(metrics)
    actor = dramatiq.actor(lambda: None, broker=broker, actor_name="act")
    with caplog.at_level(logging.INFO, "bioagents_worker"):
        actor.send()
        wait_until(lambda: totals().get("enqueued|act") == 1)
        flusher = metrics._flusher
        assert flusher
        flusher._link._used -= 10  # seconds of idleness
        proxy.lose_reply = lambda chunk: b"EVALSHA" in chunk and b"enqueued" in chunk and proxy.lost < 1
        actor.send()
        wait_until(lambda: proxy.lost == 1)
        metrics._stop()
    assert totals()["enqueued|act"] == 2
    assert logged(caplog) == []
    assert not sum(n for name, n in totals("").items() if name.startswith("errors"))
    proxy.close()


def test_connection_that_a_firewall_forgot_is_no_outage(
    redis_server: RedisServer, totals: Totals, caplog: pytest.LogCaptureFixture
) -> None:
    """After minutes without a call nothing comes back on it: it is replaced before the call."""
    proxy = TcpProxy(redis_server.port)
    client = redis.Redis(port=proxy.port)
    broker, metrics = RedisBroker(client=client), JobMetrics()
    broker.add_middleware(metrics)
    actor = dramatiq.actor(lambda: None, broker=broker, actor_name="act")
    with caplog.at_level(logging.INFO, "bioagents_worker"):
        actor.send()
        wait_until(lambda: totals().get("enqueued|act") == 1)
        flusher = metrics._flusher
        assert flusher
        proxy.forget_connections()
        client.connection_pool.disconnect()  # the application's own connection is another matter
        flusher._link._used -= 100  # seconds of idleness
        actor.send()
        wait_until(lambda: totals()["enqueued|act"] == 2)
    metrics._stop()
    assert logged(caplog) == []
    broker.close()
    client.close()
    proxy.close()
