"""The wire format: what is encoded is decoded as it was, and the bytes in Redis do not change unnoticed."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bioagents_worker import wire
from bioagents_worker.wire import RunningJob, State

IDENTITY = wire.Identity("h", 1, "b", ("q",), 8, 1.5, "2", "3", "0")
JOB = RunningJob("q", "a\nb", 1.235, "id")


def test_keys_share_the_slot_of_the_brokers() -> None:
    """A namespace with a hash tag gives it to our keys; without one they have a tag of their own."""
    prefixes = {
        "dramatiq": "bioagents:{dramatiq}:v1:",
        "{dramatiq}": "bioagents:{dramatiq}:v1:",
        "app{7}jobs": "bioagents:{7}:app7jobs:v1:",
        "a}b{c": "bioagents:{abc}:v1:",
        "{}x": "bioagents:{x}:v1:",
    }
    assert {namespace: wire.Keys(namespace).prefix for namespace in prefixes} == prefixes
    for namespace, prefix in prefixes.items():
        tag = wire.hash_tag(f"{namespace}:queue")
        assert tag is None or wire.hash_tag(prefix) == tag


def test_namespaces_without_clear_keys_are_refused() -> None:
    """With other braces than one hash tag the fleets ``ab`` and ``a{b`` would share their keys."""
    good = ["dramatiq", "{dramatiq}", "app{7}jobs", "dramatiq:staging"]
    assert [wire.parse_namespace(namespace) for namespace in good] == good
    for namespace in ("a{b", "a}b", "{a}{b}", "{}x", "a b", "", "a*", "a?", "a[b]", "a\\b", "a\x7fb"):
        with pytest.raises(ValueError, match="expected the namespace of RedisBroker"):
            wire.parse_namespace(namespace)


def test_heartbeat_has_two_lines_of_json() -> None:
    """Identity and state; zeros are left out, a line feed in a name is escaped."""
    first, second = wire.encode_beat(wire.encode_identity(IDENTITY), State(oldest=(JOB,))).split("\n")
    assert json.loads(first) == {
        "host": "h", "pid": 1, "broker": "b", "queues": ["q"], "threads": 8, "start": 1.5,
        "dramatiq": "2", "python": "3", "monitor": "0", "version": "",
    }  # fmt: skip
    assert json.loads(second) == {"interval": 5.0, "oldest": [["q", "a\nb", 1.235, "id"]]}


def test_stored_heartbeat_is_read_as_it_was_written() -> None:
    """Each field of State, with a value of its own; a field that a later version adds is ignored."""
    state = State(
        draining=True, interval=7.5, threads=3, consumers=4, rss=5, limit=6, cpu=1.5, jobs=8,
        running={"q": 1}, held={"q": 2}, delayed={"q": 3}, uncounted=("q",), oldest=(JOB,),
        skew=-0.25, flush_age=0.125, unknown=("rss",),
    )  # fmt: skip
    assert all(getattr(state, name) != getattr(State(), name) for name in State.__slots__)
    beat = wire.encode_beat(wire.encode_identity(IDENTITY), state)
    time_us, identity, encoded = wire.split_beat(f"1700000000000001\n{beat}".encode())
    assert (time_us, identity.decode()) == (1_700_000_000_000_001, wire.encode_identity(IDENTITY))
    assert wire.decode_state(encoded) == state
    assert wire.decode_state(b'{"new": 1, "threads": 3}') == State(threads=3)
    assert wire.split_beat(b"17") == (17, b"", b""), "a producer's value is a time alone"


def test_heartbeat_without_a_time_is_an_error() -> None:
    """Also a time with any number of digits, which Python does not parse."""
    for stored in (b"", b"x\n{}\n{}", b"-1\n{}\n{}", b"9" * 18, b"\xff\n\n"):
        with pytest.raises(ValueError, match="no time"):
            wire.split_beat(stored)


def accepted(encoded: bytes) -> bool:
    """Whether it is read as a state; any other error than a ValueError fails the test."""
    try:
        wire.decode_state(encoded)
    except ValueError:
        return False
    return True


def test_anything_else_than_a_state_is_a_value_error() -> None:
    """Anything may be in Redis, and a reader has one error to catch."""
    others = [
        b"", b"[]", b'"text"', b"[" * 100_000, b'{"oldest":5}', b'{"oldest":[{}]}', b"\xff",
        b'{"oldest":[["q","a",1]]}', b'{"interval":[]}', b'{"interval":1' + b"0" * 400 + b"}",
    ]  # fmt: skip
    assert not [encoded for encoded in others if accepted(encoded)]


NAMES = st.text(st.sampled_from('ab|_ "\n0'), max_size=6)


@given(NAMES, st.sampled_from(wire.COUNTERS), st.sampled_from(["E", "(other)"]))
def test_fields_of_actors_are_parsed_as_they_were_built(actor: str, counter: str, exception: str) -> None:
    """Whatever the actor is called, the separator included."""
    built = {
        wire.counter_field(counter, actor): (counter, actor, ""),
        wire.failures_field(actor, exception): ("failures", actor, exception),
        wire.sum_field(wire.WAIT, actor): ("wait_us", actor, ""),
        wire.sum_field(wire.DURATION, actor): ("duration_us", actor, ""),
        wire.bucket_field(wire.WAIT, actor, 0): ("wait", actor, "0"),
        wire.bucket_field(wire.DURATION, actor, 21): ("duration", actor, "21"),
    }
    assert {name: wire.parse_actor_field(name) for name in built} == built


def test_other_fields_belong_to_no_actor() -> None:
    """A bucket has only one name, and only buckets of this version are known."""
    others = [
        "",
        "a",
        "__epoch",
        "boots|h",
        "dropped|",
        "failures|a",
        "wait|a",
        "wait|a|22",
        "wait|a|01",
        "x|a",
    ]
    assert not [field for field in others if wire.parse_actor_field(field)]


def test_boots_are_parsed_by_host() -> None:
    """A host of any name; no other field."""
    assert wire.parse_boots_field(wire.boots_field("a|b")) == "a|b"
    assert wire.parse_boots_field(wire.counter_field("dead", "boots")) is None


def test_worker_is_missing_from_three_intervals_on() -> None:
    """And never before 15 seconds; at the limit itself it is missing."""
    limits = {0.1: 15.0, 5.0: 15.0, 6.0: 18.0, 30.0: 90.0}
    assert {interval: wire.missing_after(interval) for interval in limits} == limits
    assert all(wire.is_alive(limit - 0.001, interval) for interval, limit in limits.items())
    assert not any(wire.is_alive(limit, interval) for interval, limit in limits.items())


def test_page_of_the_wire_format_names_everything() -> None:
    """Each key, each field of identity and state, and each counter."""
    page = (Path(__file__).parents[2] / "docs" / "reference" / "wire-format.md").read_text()
    keys = [name for name, value in vars(wire.Keys).items() if isinstance(value, property)]
    named = [f"…{key}" for key in keys if key != "prefix"]
    named += [*wire.Identity.__slots__, *State.__slots__, *wire.COUNTERS]
    assert not [name for name in named if f"`{name}`" not in page]
