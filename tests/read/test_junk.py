"""Damaged data in Redis: the affected part is left out and counted, everything else is right."""

from __future__ import annotations

import pickle
from collections import Counter
from collections.abc import Callable
from dataclasses import replace

import pytest
import redis
from hypothesis import given
from hypothesis import strategies as st

from bioagents_exporter.read.errors import CAUSES, Cause
from bioagents_exporter.read.heartbeats import HeartbeatDecoder
from bioagents_exporter.read.queues import MAX_QUEUES, KnownQueues
from bioagents_exporter.read.reader import Reader
from bioagents_exporter.read.snapshot import Queue, Snapshot
from bioagents_exporter.read.totals import TotalsDecoder, WireVersion
from bioagents_worker.wire import WHOLE_FLEET, Keys, State, encode_beat, encode_identity
from read.conftest import MakeReader
from support.redis_server import RedisServer
from support.wire_fleet import IDENTITY, WireFleet

KEYS = Keys("dramatiq")
CONSUMER = replace(IDENTITY, queues=("good",))
GOOD = f"1764000000000000\n{encode_beat(encode_identity(CONSUMER), State(jobs=1))}".encode()


@pytest.fixture
def fleet(client: redis.Redis) -> WireFleet:
    """A healthy queue, ``good``, with two jobs, and a healthy worker."""
    fleet = WireFleet(client)
    totals = {"good": {"processed|a": 5}, "bad": {"processed|a": 1}}
    fleet.flush("healthy", totals=totals, queues=("good",))
    client.rpush("dramatiq:good", "1", "2")
    return fleet


def check_good(snapshot: Snapshot) -> None:
    """The healthy part is whole."""
    assert snapshot.failure == ""
    assert set(snapshot.errors) <= set(CAUSES)
    good = {queue.name: queue for queue in snapshot.queues}["good"]
    assert (good.waiting, good.messages, good.delayed, good.dead) == (2, 0, 0, 0)
    assert {t.queue: t.fields for t in snapshot.totals}["good"] == {"processed|a": 5}
    assert "healthy" in {worker.id for worker in snapshot.workers}


def bad_queue(snapshot: Snapshot) -> Queue:
    """The queue whose keys are damaged."""
    return {queue.name: queue for queue in snapshot.queues}["bad"]


#: Part of a queue → the end of its key.
PARTS = {"waiting": "", "messages": ".msgs", "delayed": ".DQ.msgs", "dead": ".XQ"}


@pytest.mark.usefixtures("fleet")
def test_a_key_of_dramatiq_of_the_wrong_type(reader: Reader, client: redis.Redis) -> None:
    """Only this one number is missing."""
    for part, end in PARTS.items():
        client.set(f"dramatiq:bad{end}", "junk")
        for _ in range(2):
            snapshot = reader.read()
            check_good(snapshot)
            assert snapshot.errors == {"wrong_type": 1}, part
            parts = {name: getattr(bad_queue(snapshot), name) for name in PARTS}
            assert parts == dict.fromkeys(PARTS, 0) | {part: None}
        client.delete(f"dramatiq:bad{end}")


def test_a_messages_hash_of_the_wrong_type_under_a_head(
    reader: Reader, client: redis.Redis, fleet: WireFleet
) -> None:
    """The head is named; its message cannot be."""
    del fleet
    client.rpush("dramatiq:bad", "1")
    client.set("dramatiq:bad.msgs", "junk")
    snapshot = reader.read()
    check_good(snapshot)
    assert snapshot.errors == {"wrong_type": 2}
    assert (bad_queue(snapshot).waiting, bad_queue(snapshot).head_ready) == (1, None)


def test_a_key_of_ours_of_the_wrong_type(reader: Reader, client: redis.Redis, fleet: WireFleet) -> None:
    """The other keys are read; without sequences no store is known, so that derive publishes no totals."""
    reader.read()
    for name in ("totals:bad", "seqs", "beats", "queues", "totals:"):
        key = fleet.keys.prefix + name
        if client.exists(key):
            client.rename(key, "kept")
        client.set(key, "junk")
        snapshot = reader.read()
        assert snapshot.errors == {"wrong_type": 1}, name
        assert {queue.name for queue in snapshot.queues} == {"good", "bad"}, name
        assert bool(snapshot.stores) == (name != "seqs")
        assert bool(snapshot.workers) == (name != "beats")
        assert ("bad" in {totals.queue for totals in snapshot.totals}) == (name != "totals:bad")
        assert "good" in {totals.queue for totals in snapshot.totals}, name
        client.delete(key)
        if client.exists("kept"):
            client.rename("kept", key)


#: Fields next to ``processed|a`` → what is read of them, and how many errors are counted.
FIELDS: list[tuple[dict[str | bytes, str], dict[str, int] | None, int]] = [
    ({"x|a": "1.5"}, {"processed|a": 1}, 1),  # a float
    ({"x|a": "1_0"}, {"processed|a": 1}, 1),  # what int() would take
    ({"x|a": " 1"}, {"processed|a": 1}, 1),  # a space
    ({"x|a": ""}, {"processed|a": 1}, 1),  # nothing
    ({"x|a": "9" * 30}, {"processed|a": 1}, 1),  # more than Redis counts
    ({"x|a": "1\n2"}, {"processed|a": 1}, 1),  # two lines
    ({b"\xff|a": "1", "y|a": "junk"}, {"processed|a": 1}, 2),  # a name that is not text
    ({'q"uo\nte|a': "7"}, {"processed|a": 1, 'q"uo\nte|a': 7}, 0),  # a strange name
    ({"x|a": "-3"}, {"processed|a": 1, "x|a": -3}, 0),  # a negative number
    ({"__epoch": "junk"}, None, 1),  # no epoch
    ({"__epoch": "-1"}, None, 1),  # a negative epoch
]


def test_fields_of_totals(reader: Reader, fleet: WireFleet) -> None:
    """What is not an integer or has no name is left out and counted, at every read."""
    key = fleet.keys.totals("bad")
    good = fleet.client.hgetall(key)
    for fields, left, errors in FIELDS:
        fleet.client.delete(key)
        fleet.client.hset(key, mapping=good | fields)  # type: ignore[arg-type]
        for _ in range(2):
            snapshot = reader.read()
            check_good(snapshot)
            assert snapshot.errors == ({"bad_totals": errors} if errors else {}), fields
            assert {t.queue: t.fields for t in snapshot.totals}.get("bad") == left, fields


def test_sequences_without_an_epoch(reader: Reader, client: redis.Redis, fleet: WireFleet) -> None:
    """The data set to which the totals belong is unknown then, which is counted."""
    for epoch in (b"junk", b"1.5", b"\xff"):
        client.hset(fleet.keys.seqs, "__epoch", epoch)
        snapshot = reader.read()
        check_good(snapshot)
        assert snapshot.stores == (), epoch
        assert snapshot.errors == {"bad_totals": 1}, epoch


IDENTITY_LINE, STATE_LINE = GOOD.split(b"\n")[1:]


BEATS = [
    b"",  # nothing
    b"junk",  # junk
    pickle.dumps([1]),  # pickle
    b"\xff" * 20,  # no text
    GOOD.replace(b"1764000000000000", b"yesterday"),  # no time
    GOOD.replace(b"1764000000000000", b"-1"),  # a negative time
    GOOD.replace(b"1764000000000000", b"9" * 400),  # a huge time
    b"1\n" + IDENTITY_LINE,  # no state
    b"1\n{}\n{}",  # an empty identity
    GOOD + b"\n{}",  # a line too many
    GOOD.replace(b'"pid":4711', b'"pid":"4711"'),  # a pid of another type
    GOOD.replace(b'"queues":["good"]', b'"queues":"good"'),  # queues of another type
    b"1\n" + IDENTITY_LINE + b"\n[]",  # a state of another type
    *(
        b"1\n" + IDENTITY_LINE + b"\n" + state
        for state in (
            b'{"jobs":1.5}',
            b'{"jobs":-1}',
            b'{"jobs":true}',
            b'{"jobs":"1"}',
            b'{"jobs":9223372036854775808}',
            b'{"cpu":NaN}',
            b'{"cpu":1e999}',
            b'{"cpu":-0.5}',
            b'{"interval":-5}',
            b'{"skew":-1e300}',
            b'{"held":{"chat":-5}}',
            b'{"held":{"chat":null}}',
            b'{"held":["chat"]}',
            b'{"held":{"\\ud800":1}}',
            b'{"held":{"\xff":1}}',
            b'{"oldest":[["chat","answer",1]]}',
            b'{"oldest":[["chat","answer","old","m"]]}',
            b'{"oldest":[["chat",5,1,"m"]]}',
            b'{"draining":1}',
            b'{"limit":"max"}',
            b'{"new":' + b"[" * 100_000,
        )
    ),
]


def test_a_heartbeat_that_cannot_be_read(reader: Reader, client: redis.Redis, fleet: WireFleet) -> None:
    """This worker is left out and counted, at every read, and is back with its next good heartbeat."""
    for beat in BEATS:
        client.hset(fleet.keys.beats, "sick", beat)
        for _ in range(2):
            snapshot = reader.read()
            check_good(snapshot)
            assert snapshot.errors == {"bad_heartbeat": 1}, beat[:300]
            assert [worker.id for worker in snapshot.workers] == ["healthy"], beat[:300]
        client.hset(fleet.keys.beats, "sick", GOOD)
        assert {worker.id for worker in reader.read().workers} == {"healthy", "sick"}


def test_a_heartbeat_of_a_later_version_is_read(
    reader: Reader, client: redis.Redis, fleet: WireFleet
) -> None:
    """Unknown fields are ignored."""
    beat = GOOD.replace(b'"pid":4711', b'"pid":4711,"gpu":["A100"]').replace(
        b'"jobs":1', b'"jobs":7,"gpu":0.5'
    )
    client.hset(fleet.keys.beats, "newer", beat)
    snapshot = reader.read()
    check_good(snapshot)
    assert snapshot.errors == {}
    assert {worker.id: worker.state.jobs for worker in snapshot.workers}["newer"] == 7


def test_a_worker_whose_id_is_no_text(reader: Reader, client: redis.Redis, fleet: WireFleet) -> None:
    """It could not be published; one with quotes and newlines can."""
    client.hset(fleet.keys.beats, b"\xff\xfe", GOOD)
    client.hset(fleet.keys.beats, 'w"\n', GOOD)
    snapshot = reader.read()
    check_good(snapshot)
    assert snapshot.errors == {"bad_heartbeat": 1}
    assert {worker.id for worker in snapshot.workers} == {"healthy", 'w"\n'}


def test_names_of_queues(reader: Reader, client: redis.Redis, fleet: WireFleet) -> None:
    """Quotes and newlines are names; what is not text, a part of a queue, or Dramatiq's own key is none."""
    strange = ['with "quotes"', "two\nlines", "größe", "back\\slash", "{braces}"]
    for number, name in enumerate(strange, 3):
        client.rpush(f"dramatiq:{name}", *["x"] * number)
        client.sadd(fleet.keys.queues, name)
    none = [b"\xff\xfe", b"good.DQ", b"good.XQ", b"good.msgs", b"__heartbeats__", b"__acks__.x.good"]
    client.sadd(fleet.keys.queues, *none)
    client.rpush(b"dramatiq:\xff\xfe", "x")
    for _ in range(2):
        snapshot = reader.read()
        check_good(snapshot)
        assert snapshot.errors == {"bad_name": len(none)}
        waiting = {queue.name: queue.waiting for queue in snapshot.queues}
        expected = {name: number for number, name in enumerate(strange, 3)}
        assert waiting == expected | {"good": 2, "bad": 0}


def test_names_of_queues_in_heartbeats(reader: Reader, client: redis.Redis, fleet: WireFleet) -> None:
    """Impossible names are counted while a heartbeat has them, and its other queues are known."""
    fleet.flush("odd", State(), queues=("", "good.DQ", "good.XQ", "__acks__", "new"))
    for _ in range(2):
        snapshot = reader.read()
        check_good(snapshot)
        assert snapshot.errors == {"bad_name": 4}
    assert {queue.name for queue in snapshot.queues} == {"good", "bad", "new"}
    fleet.flush("odd", State(), queues=("late", "new"))
    assert reader.read().errors == {}
    assert {queue.name for queue in reader.read().queues} == {"good", "bad", "late", "new"}
    fleet.flush("odd", State(), queues=("good.DQ",))
    assert reader.read().errors == {"bad_name": 1}
    client.hdel(fleet.keys.beats, "odd")
    assert reader.read().errors == {}


def test_a_dead_letter_set_with_a_strange_score(
    reader: Reader, client: redis.Redis, fleet: WireFleet
) -> None:
    """An infinite time is no time; the count is kept."""
    del fleet
    client.zadd("dramatiq:bad.XQ", {"forever": float("inf")})
    snapshot = reader.read()
    check_good(snapshot)
    assert snapshot.errors == {"wrong_type": 1}
    assert (bad_queue(snapshot).dead, bad_queue(snapshot).dead_oldest) == (1, None)


def test_too_many_queues_are_bounded_and_counted() -> None:
    """What is not a fleet any more cannot fill the exporter's memory."""
    known = KnownQueues("dramatiq", WireVersion("dramatiq", 1).totals_command)
    errors: Counter[str] = Counter()
    known.add({f"q{i:05d}" for i in range(MAX_QUEUES + 5)}, errors)
    known.add(["q00001", "one more"], errors)
    assert len(known.all) == MAX_QUEUES
    assert errors == {Cause.TOO_MANY_QUEUES: 6}


def test_every_key_damaged_in_every_way(
    shared_redis: RedisServer, client: redis.Redis, make_reader: MakeReader, fleet: WireFleet
) -> None:
    """Each key of ours and of Dramatiq's as each type of Redis, read and audited: never a crash."""
    writers: list[Callable[[str], object]] = [
        lambda key: client.set(key, b"\x80junk"),
        lambda key: client.rpush(key, b"\xff", ""),
        lambda key: client.sadd(key, b"\xff", "", "good"),
        lambda key: client.hset(key, mapping={b"\xff": b"\xff", "": "", "a": "b"}),
        lambda key: client.zadd(key, {b"\xff": float("-inf"), "": 0}),  # type: ignore[type-var]
        lambda key: client.xadd(key, {"a": "b"}),
    ]
    queue = [f"dramatiq:good{part}" for part in ("", ".msgs", ".DQ", ".DQ.msgs", ".XQ", ".XQ.msgs")]
    acks = f"dramatiq:__acks__.{IDENTITY.broker}.good"
    names = ["seqs", "beats", "queues", "producers", "gone", "totals:good", f"totals:{WHOLE_FLEET}", "lost"]
    keys = [*queue, acks, f"{acks}.DQ", "dramatiq:__heartbeats__", *(fleet.keys.prefix + n for n in names)]
    for key in keys:
        for write in writers:
            client.flushall()
            fleet.epoch = 0
            WireFleet(client).flush("w1", totals={"good": {"processed|a": 5}}, queues=("good",))
            client.delete(key)
            write(key)
            reader = make_reader(shared_redis.url, queues=("good",))
            for _ in range(2):
                snapshot = reader.read()
                assert snapshot.failure == "", key
                assert set(snapshot.errors) <= set(CAUSES)
                reader.audit()
            reader.close()


@given(st.lists(st.tuples(st.binary(max_size=20), st.binary(max_size=60))))
def test_heartbeats_of_any_bytes(pairs: list[tuple[bytes, bytes]]) -> None:
    """No bytes raise."""
    errors: Counter[str] = Counter()
    decoder = HeartbeatDecoder()
    unique = dict(pairs)
    workers = decoder.decode([*unique, b"good"], [*unique.values(), GOOD], errors)
    assert len(workers) + errors[Cause.BAD_HEARTBEAT] == len({*unique, b"good"}) or b"good" in unique


@given(
    st.dictionaries(
        st.binary(max_size=10), st.one_of(st.binary(max_size=10), st.integers().map(lambda n: b"%d" % n))
    )
)
def test_totals_of_any_bytes(pairs: dict[bytes, bytes]) -> None:
    """Every field is either an integer or counted."""
    errors: Counter[str] = Counter()
    pairs |= {b"__epoch": b"5"}
    raw = [part for pair in pairs.items() for part in pair]
    totals = TotalsDecoder(1).decode("chat", list(raw), errors)
    assert totals is not None
    assert len(totals.fields) + errors[Cause.BAD_TOTALS] == len(pairs) - 1
    for name, value in totals.fields.items():
        assert pairs[name.encode()].lstrip(b"-").isdigit()
        assert int(pairs[name.encode()]) == value
