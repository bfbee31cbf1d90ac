"""Messages that are not read, in other encodings or too large: their ages are unknown, which is no error."""

from __future__ import annotations

import gzip
import json
import logging
import pickle
import zlib
from typing import Any

import dramatiq
import msgspec
import pytest
import redis
from dramatiq.encoder import JSONEncoder, PickleEncoder
from hypothesis import given
from hypothesis import strategies as st

from bioagents_exporter.derive import Memory, derive
from bioagents_exporter.read.reader import Reader
from bioagents_exporter.read.unread import ENCODINGS, MAX_MESSAGE, Reason, decode_message
from bioagents_exporter.settings import Settings
from read.conftest import MakeReader
from read.test_heads import NOW, put, take
from support.redis_server import RedisServer


class Bomb:
    """Fails the test if it is unpickled."""

    def __reduce__(self) -> tuple[object, tuple[str]]:
        """Called by pickle when it loads."""
        return (pytest.fail, ("unpickled",))


def fields(*args: object) -> dict[str, Any]:
    """A message of Dramatiq, as an encoder gets it."""
    options = {"eta": NOW * 1000, "redis_message_id": "x"}
    message: Any = dramatiq.Message("chat", "answer", args, {}, options)
    return dict(message.asdict())


JSON_TEXT = JSONEncoder().encode(fields())
#: How an application may encode its messages → what the metric says.
ENCODED = {
    PickleEncoder().encode(fields(Bomb())): Reason.PICKLE,
    pickle.dumps(fields(), protocol=2): Reason.PICKLE,
    msgspec.msgpack.encode(fields()): Reason.MSGPACK,
    msgspec.msgpack.encode({str(n): n for n in range(20)}): Reason.MSGPACK,
    gzip.compress(JSON_TEXT): Reason.GZIP,
    zlib.compress(JSON_TEXT): Reason.ZLIB,
    zlib.compress(JSON_TEXT, level=9): Reason.ZLIB,
    b"\x28\xb5\x2f\xfd\x20": Reason.ZSTD,
    b"gAAAAABmT2t0eA": Reason.OTHER,  # encrypted, as Fernet does
    b"\xff\xfe\x00": Reason.OTHER,
    b"\x0a\x04chat": Reason.OTHER,  # a protocol buffer
    json.dumps({"version": 1, "body": fields()}).encode(): Reason.OTHER,  # an envelope
    json.dumps([*fields().values()]).encode(): Reason.OTHER,
    b"{\x8f\x02\xff": Reason.OTHER,  # encrypted, and begins with a brace
    repr(fields()).encode(): Reason.OTHER,
    b"[" * 60_000: Reason.OTHER,
    b"null": Reason.OTHER,
    b"x" * (MAX_MESSAGE + 1): Reason.TOO_LARGE,
    JSON_TEXT + b" " * MAX_MESSAGE: Reason.TOO_LARGE,
}
#: Names of the cases that are the same in each process that runs tests; messages hold a new id each time.
IDS = [f"{reason.value}-{number}" for number, reason in enumerate(ENCODED.values())]


@pytest.fixture
def reader(shared_redis: RedisServer, client: redis.Redis, make_reader: MakeReader) -> Reader:
    """A reader that knows the queue from the start."""
    del client
    return make_reader(shared_redis.url, queues=("chat",))


@pytest.mark.parametrize(("raw", "reason"), ENCODED.items(), ids=IDS)
def test_the_next_job_is_named_and_has_no_age(
    reader: Reader, client: redis.Redis, raw: bytes, reason: Reason
) -> None:
    """It is never decoded, waits, and its encoding stays named until a message that is read follows."""
    reader.read()  # the list is empty: a bound that a backlog makes wrong, since jobs come and go unseen
    put(client, raw=raw)
    for _ in range(2):
        snapshot = reader.read()
        assert (snapshot.errors, snapshot.unread) == ({}, {("chat", reason.value): 1})
        assert (snapshot.queues[0].waiting, snapshot.queues[0].head_ready) == (1, None)
    take(client)
    assert reader.read().unread == (snapshot.unread if reason in ENCODINGS else {})
    put(client, sent=NOW)
    snapshot = reader.read()
    assert (snapshot.unread, snapshot.errors) == ({}, {})
    assert snapshot.queues[0].head_ready is not None


@pytest.mark.parametrize(("raw", "reason"), ENCODED.items(), ids=IDS)
def test_delayed_jobs_are_named_and_not_overdue(
    reader: Reader, client: redis.Redis, raw: bytes, reason: Reason
) -> None:
    """With others that can be read, those alone are counted."""
    client.hset("dramatiq:chat.DQ.msgs", mapping={"1": raw, "2": raw})
    for overdue in (None, 1):
        for _ in range(2):
            reader.read()
            reader.audit()
        snapshot = reader.read()
        assert (snapshot.errors, snapshot.unread) == ({}, {("chat", reason.value): 2})
        assert snapshot.audits["chat"].overdue == overdue
        client.hset("dramatiq:chat.DQ.msgs", "3", JSON_TEXT)
    client.delete("dramatiq:chat.DQ.msgs")
    reader.audit()
    assert reader.read().unread == {}


def test_each_reason_is_said_once(
    reader: Reader, client: redis.Redis, caplog: pytest.LogCaptureFixture
) -> None:
    """Not at each read, nor for each message."""
    with caplog.at_level(logging.WARNING):
        for raw in [*ENCODED, *ENCODED]:
            put(client, raw=raw)
            reader.read()
            reader.read()
            take(client)
    said = [record.message for record in caplog.records if "messages_not_read" in record.message]
    reasons = set(ENCODED.values())
    assert reasons == set(Reason) - {Reason.DAMAGED, Reason.NO_TIME}
    assert len(said) == len(reasons)
    assert all(sum(f"reason={reason.value} queue=chat" in line for line in said) == 1 for reason in reasons)


def test_what_the_first_read_finds_is_said(
    reader: Reader, client: redis.Redis, caplog: pytest.LogCaptureFixture
) -> None:
    """The exporter logs only errors until it listens, which is after its first read."""
    put(client, raw=PickleEncoder().encode(fields()))
    for level in (logging.ERROR, logging.INFO, logging.INFO):
        caplog.set_level(level)
        reader.read()
    assert [record.message.split(":")[0] for record in caplog.records if "not_read" in record.message] == [
        "messages_not_read reason=pickle queue=chat limit_bytes=65536"
    ]


def test_the_metric_names_queue_and_reason(reader: Reader, client: redis.Redis) -> None:
    """The age of the queue is absent, and no error is counted."""
    put(client, raw=PickleEncoder().encode(fields()))
    found = derive(reader.read(), Memory(), Settings(), 0.0)
    published = {family.metric.name: dict(zip(family.keys, family.values, strict=False)) for family in found}
    assert published["queue_unreadable_messages"] == {("chat", "pickle"): 1}
    assert published["queue_oldest_job_age_seconds"] == {}
    assert set(published["exporter_scrape_errors_total"].values()) == {0}


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(),
    lambda values: st.lists(values, max_size=3) | st.dictionaries(st.text(), values, max_size=3),
    max_leaves=5,
)


@given(JSON, st.sampled_from([None, 2]), st.booleans())
def test_json_of_dramatiq_is_read(value: object, indent: int | None, ascii_only: bool) -> None:  # noqa: FBT001 - drawn
    """However it is written, and whatever its arguments are."""
    text = json.dumps(fields(value), indent=indent, ensure_ascii=ascii_only)
    found = decode_message(text.encode(errors="surrogatepass"))
    assert isinstance(found, dict)
    assert found["options"] == fields()["options"]


@given(JSON)
def test_other_json_is_another_encoding(value: object) -> None:
    """An encoder may write any form; only what begins as Dramatiq's and ends early is damaged."""
    assert decode_message(json.dumps(value).encode()) is Reason.OTHER


@given(st.integers(2, len(JSON_TEXT) - 1))
def test_a_message_that_is_cut_off_is_damaged(end: int) -> None:
    """Wherever it ends."""
    assert decode_message(JSON_TEXT[:end]) is Reason.DAMAGED


@given(st.dictionaries(st.text(), JSON, min_size=1), st.integers(2, 5))
def test_encoders_are_recognised(message: dict[str, object], protocol: int) -> None:
    """Any dictionary in pickle and in compressed JSON."""
    assert decode_message(pickle.dumps(message, protocol=protocol)) is Reason.PICKLE
    assert decode_message(gzip.compress(json.dumps(message).encode())) is Reason.GZIP
    assert decode_message(zlib.compress(json.dumps(message).encode())) is Reason.ZLIB
