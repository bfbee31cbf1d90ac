"""Keys and heartbeats."""

from __future__ import annotations

import json

import pytest

from bioagents_worker import wire


@pytest.mark.parametrize(
    ("namespace", "prefix"),
    [
        ("dramatiq", "bioagents:{dramatiq}:v1:"),
        ("{dramatiq}", "bioagents:{dramatiq}:v1:"),
        ("app{7}jobs", "bioagents:{7}:app7jobs:v1:"),
        ("a}b{c", "bioagents:{abc}:v1:"),
        ("{}x", "bioagents:{x}:v1:"),
    ],
)
def test_keys_share_the_slot_of_the_brokers(namespace: str, prefix: str) -> None:
    """A namespace with a hash tag lends it; without one our keys share a tag of their own."""
    assert wire.Keys(namespace).prefix == prefix
    tag = wire.hash_tag(f"{namespace}:queue")
    assert tag is None or wire.hash_tag(prefix) == tag


def test_beat_is_two_lines_of_json() -> None:
    """Identity and state, zeros left out, job ids whole."""
    identity = wire.Identity("h", 1, "b", ("q",), 8, 1.5, "2", "3", "0")
    job = wire.RunningJob("q", "a\nb", 1.23456, "id")
    first, second = wire.encode_beat(wire.encode_identity(identity), wire.State(oldest=(job,))).split("\n")
    assert json.loads(first)["queues"] == ["q"]
    assert json.loads(second) == {"interval": 5.0, "oldest": [["q", "a\nb", 1.235, "id"]]}
