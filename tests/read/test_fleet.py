"""A read of a healthy fleet shows what is in Redis."""

from __future__ import annotations

import time

import dramatiq
import pytest
import redis
from dramatiq.brokers.redis import RedisBroker

from bioagents_exporter.read.reader import Reader
from bioagents_exporter.read.snapshot import Queue, Snapshot, Worker
from bioagents_worker.wire import WHOLE_FLEET, RunningJob, State
from read.conftest import MakeReader
from support.redis_server import RedisServer
from support.wire_fleet import IDENTITY, WireFleet


def queue_of(snapshot: Snapshot, name: str) -> Queue:
    """The one queue of this name."""
    (found,) = [queue for queue in snapshot.queues if queue.name == name]
    return found


def worker_of(snapshot: Snapshot, name: str = "w1") -> Worker:
    """The one worker of this id."""
    (found,) = [worker for worker in snapshot.workers if worker.id == name]
    return found


@pytest.fixture
def broker(shared_redis: RedisServer, client: redis.Redis) -> RedisBroker:
    """Dramatiq's broker on the module's Redis, which is empty."""
    del client
    broker = RedisBroker(url=shared_redis.url, middleware=[])
    broker.declare_queue("chat")
    return broker


def message(queue: str = "chat", **options: object) -> dramatiq.Message[object]:
    """A message as an application would send it."""
    return dramatiq.Message(queue_name=queue, actor_name="answer", args=(), kwargs={}, options=options)


def test_an_empty_redis_is_no_failure(reader: Reader) -> None:
    """The snapshot is empty and has no errors."""
    snapshot = reader.read()
    assert snapshot.failure == ""
    assert snapshot.server is not None
    assert (snapshot.queues, snapshot.workers, snapshot.totals, snapshot.stores) == ((), (), (), ())
    assert snapshot.errors == {}
    assert 0 < snapshot.round_trip < 5


def test_the_server_is_described(reader: Reader, client: redis.Redis) -> None:
    """The fields of INFO that have a metric or are used to judge the data."""
    before = time.time()
    server = reader.read().server
    after = time.time()
    info = client.info()
    assert server is not None
    assert (server.run_id, server.version, server.software) == (
        info["run_id"],
        info["redis_version"],
        "redis",
    )
    assert (server.role, server.mode, server.aof, server.loading) == ("master", "standalone", False, False)
    assert server.memory_used > 100_000
    assert (server.memory_max, server.maxmemory_policy) == (0, "noeviction")
    assert (server.link_up, server.lag) == (None, None)
    assert before <= server.time <= after


def test_queues_of_the_settings_exist_at_zero(shared_redis: RedisServer, make_reader: MakeReader) -> None:
    """A queue that is only configured is 0, not absent."""
    with shared_redis.client() as client:
        client.flushall()
    snapshot = make_reader(shared_redis.url, queues=("chat", "deep-research")).read()
    assert [queue.name for queue in snapshot.queues] == ["chat", "deep-research"]
    assert queue_of(snapshot, "chat") == Queue("chat", 0, 0, 0, 0, 0)


def test_depths_are_those_of_dramatiq(
    shared_redis: RedisServer, make_reader: MakeReader, broker: RedisBroker
) -> None:
    """Waiting, held, delayed and dead jobs of a real broker."""
    for _ in range(5):
        broker.enqueue(message())
    for _ in range(3):
        broker.enqueue(message(), delay=60_000)
    consumer = broker.consume("chat", prefetch=2)
    first, second = next(consumer), next(consumer)
    assert first
    assert second
    before = time.time()
    consumer.nack(second)
    after = time.time()
    chat = queue_of(make_reader(shared_redis.url, queues=("chat",)).read(), "chat")
    assert (chat.waiting, chat.messages, chat.delayed, chat.dead, chat.dead_expiring) == (3, 4, 3, 1, 0)
    assert chat.dead_oldest is not None
    assert before - 0.001 <= chat.dead_oldest <= after  # Dramatiq writes milliseconds


def test_dead_letters_are_counted_within_their_lifetime(
    shared_redis: RedisServer, make_reader: MakeReader, client: redis.Redis
) -> None:
    """Those that maintenance would delete are not there; those of the last day before are expiring."""
    now, day = time.time(), 86_400
    ages = {"gone": 7.01 * day, "soon": 6.5 * day, "later": 5.9 * day, "new": 1}
    client.zadd("dramatiq:chat.XQ", {name: (now - age) * 1000 for name, age in ages.items()})
    chat = queue_of(make_reader(shared_redis.url, queues=("chat",)).read(), "chat")
    assert (chat.dead, chat.dead_expiring) == (3, 1)
    assert chat.dead_oldest == pytest.approx(now - 6.5 * day, abs=0.01)
    short = make_reader(shared_redis.url, queues=("chat",), dead_message_ttl=3600.0)
    assert queue_of(short.read(), "chat").dead == 1


def test_a_worker_is_what_it_wrote(reader: Reader, client: redis.Redis) -> None:
    """Every field of a heartbeat arrives; the stamp is Redis' own."""
    state = State(
        draining=True,
        interval=2.5,
        threads=7,
        consumers=4,
        rss=123_456_789,
        limit=2**33,
        cpu=12.25,
        jobs=42,
        running={"chat": 2},
        held={"chat": 5, "plots and graphs": 1},
        delayed={"chat": 1},
        uncounted=("chat", "größer"),
        oldest=(RunningJob("chat", "answer", 12.5, "m-1"), RunningJob("chat", "größer", 1.0, "m-2")),
        skew=-0.25,
        flush_age=0.125,
    )
    before = time.time()
    WireFleet(client).flush("w1", state)
    worker = worker_of(reader.read())
    assert worker.identity == IDENTITY
    assert before <= worker.seen <= time.time()
    for name in State.__dataclass_fields__:
        if name != "oldest":
            assert getattr(worker.state, name) == getattr(state, name), name
    oldest = [(job.queue, job.actor, job.age, job.redis_message_id) for job in worker.state.oldest]
    assert oldest == [("chat", "answer", 12.5, "m-1"), ("chat", "größer", 1.0, "m-2")]


def test_an_idle_worker_has_the_defaults(reader: Reader, client: redis.Redis) -> None:
    """What a heartbeat leaves out is zero or empty."""
    WireFleet(client).flush("w1", State())
    state = worker_of(reader.read()).state
    for name in State.__dataclass_fields__:
        assert getattr(state, name) == getattr(State(), name), name


def test_heartbeats_change_between_reads(reader: Reader, client: redis.Redis) -> None:
    """Nothing is remembered that has changed, and a worker that is gone is gone."""
    fleet = WireFleet(client)
    fleet.flush("w1", State(jobs=1))
    fleet.flush("w2", State(jobs=2))
    assert worker_of(reader.read()).state.jobs == 1
    fleet.flush("w1", State(jobs=3), version="v2")
    snapshot = reader.read()
    assert worker_of(snapshot).state.jobs == 3
    assert worker_of(snapshot).identity.version == "v2"
    client.hdel(fleet.keys.beats, "w1")
    assert [worker.id for worker in reader.read().workers] == ["w2"]


def test_many_workers_are_read_in_pieces(shared_redis: RedisServer, make_reader: MakeReader) -> None:
    """Each read has each of some thousand workers once: new ones from the next read on, no removed ones."""
    with shared_redis.client() as client:
        client.flushall()
        fleet = WireFleet(client)
        fleet.flush("w0")
        beat = client.hget(fleet.keys.beats, "w0") or b""
        client.hset(fleet.keys.beats, mapping={f"w{i}": beat for i in range(4321)})
        reader = make_reader(shared_redis.url)
        client.config_resetstat()
        for _ in range(3):
            names = [worker.id for worker in reader.read().workers]
            assert len(names) == 4321
            assert set(names) == {f"w{i}" for i in range(4321)}
        client.hdel(fleet.keys.beats, *[f"w{i}" for i in range(1000)])
        client.hset(fleet.keys.beats, mapping={f"x{i}": beat for i in range(1500)})
        assert {worker.id for worker in reader.read().workers} == {
            *[f"w{i}" for i in range(1000, 4321)],
            *[f"x{i}" for i in range(1500)],
        }
        client.hdel(fleet.keys.beats, *[f"w{i}" for i in range(1000, 4321)])
        for _ in range(2):
            assert {worker.id for worker in reader.read().workers} == {f"x{i}" for i in range(1500)}


def test_totals_and_store(reader: Reader, client: redis.Redis) -> None:
    """Totals by queue, the fleet's own under the empty name, and to which data set they belong."""
    fleet = WireFleet(client)
    fleet.flush("w1", totals={"chat": {"processed|answer": 3}, WHOLE_FLEET: {"boots|worker-1": 1}})
    fleet.flush("w1", totals={"chat": {"processed|answer": 4, "failures|answer|KeyError": 1}})
    snapshot = reader.read()
    (store,) = snapshot.stores
    assert (store.wire, store.epoch) == (1, fleet.epoch)
    assert snapshot.server is not None
    assert store.server == snapshot.server.run_id
    found = {totals.queue: totals for totals in snapshot.totals}
    assert found["chat"].fields == {"processed|answer": 7, "failures|answer|KeyError": 1}
    assert found[WHOLE_FLEET].fields == {"boots|worker-1": 1}
    assert {totals.epoch for totals in snapshot.totals} == {fleet.epoch}
    assert {totals.wire for totals in snapshot.totals} == {1}
    assert [queue.name for queue in snapshot.queues] == ["chat"]


def test_a_queue_that_appears_is_read_at_once(reader: Reader, client: redis.Redis) -> None:
    """With its depth and its totals, in the same read that finds it in the registry."""
    fleet = WireFleet(client)
    fleet.flush("w1", totals={"chat": {"processed|answer": 1}})
    reader.read()
    client.rpush("dramatiq:plots", "a", "b")
    fleet.flush("w1", totals={"plots": {"processed|plot": 5}})
    snapshot = reader.read()
    assert queue_of(snapshot, "plots").waiting == 2
    assert {totals.queue: totals.fields for totals in snapshot.totals}["plots"] == {"processed|plot": 5}


def test_queues_of_workers_are_known(reader: Reader, client: redis.Redis) -> None:
    """A queue that is consumed exists at 0, before anything was counted in it."""
    WireFleet(client).flush("w1", queues=("chat", "plots", "chat.DQ", ""))
    reader.read()
    snapshot = reader.read()
    assert {queue.name: queue.waiting for queue in snapshot.queues} == {"chat": 0, "plots": 0}
    assert snapshot.errors == {"bad_name": 2}


def test_a_wiped_redis_keeps_its_queues_at_zero(reader: Reader, client: redis.Redis) -> None:
    """A queue once known stays known: empty is 0, not absent."""
    WireFleet(client).flush("w1", totals={"chat": {"processed|answer": 1}})
    reader.read()
    client.flushall()
    snapshot = reader.read()
    assert queue_of(snapshot, "chat").waiting == 0
    assert (snapshot.totals, snapshot.stores, snapshot.workers) == ((), (), ())


def test_the_wire_version_before_is_read_apart(
    shared_redis: RedisServer, make_reader: MakeReader, client: redis.Redis
) -> None:
    """Workers of both versions; totals and store of each, marked; the older one until its keys are gone."""
    new, old = WireFleet(client), WireFleet(client, version=0)
    new.flush("w1", totals={"chat": {"processed|answer": 1}})
    old.flush("w0", totals={"chat": {"processed|answer": 10}, "plots": {"processed|plot": 2}})
    reader = make_reader(shared_redis.url)
    for _ in range(2):
        snapshot = reader.read()
        assert {worker.id for worker in snapshot.workers} == {"w1", "w0"}
        assert {store.wire: store.epoch for store in snapshot.stores} == {1: new.epoch, 0: old.epoch}
        found = {(totals.wire, totals.queue): totals.fields for totals in snapshot.totals}
        assert found == {
            (1, "chat"): {"processed|answer": 1},
            (0, "chat"): {"processed|answer": 10},
            (0, "plots"): {"processed|plot": 2},
        }
        assert {queue.name for queue in snapshot.queues} == {"chat", "plots"}
    client.delete(*client.keys("bioagents:*:v0:*"))
    reader.read()
    snapshot = reader.read()
    assert {worker.id for worker in snapshot.workers} == {"w1"}
    assert {totals.wire for totals in snapshot.totals} == {1}


def test_older_workers_that_appear_later_are_noticed(reader: Reader, client: redis.Redis) -> None:
    """The background looks for them, so that a scrape need not."""
    reader.read()
    WireFleet(client, version=0).flush("w0")
    reader.audit()
    assert [worker.id for worker in reader.read().workers] == ["w0"]


def test_a_namespace_of_its_own(
    shared_redis: RedisServer, make_reader: MakeReader, client: redis.Redis
) -> None:
    """Two fleets in one Redis never see each other."""
    WireFleet(client, "other").flush("w1", totals={"chat": {"processed|answer": 1}})
    client.rpush("other:chat", "a")
    assert make_reader(shared_redis.url, namespace="dramatiq").read().workers == ()
    snapshot = make_reader(shared_redis.url, namespace="other").read()
    assert queue_of(snapshot, "chat").waiting == 1
    assert worker_of(snapshot)
