"""One reply → one value; what is not of the expected type is left out and counted."""

from __future__ import annotations

import math
from collections import Counter

import hiredis

from bioagents_exporter.read.causes import Cause
from bioagents_exporter.read.failures import cause_of
from bioagents_exporter.read.resp import Reply


def refused(reply: Reply, errors: Counter[str]) -> None:
    """Count a reply that cannot be used."""
    errors[cause_of(reply) if isinstance(reply, hiredis.ReplyError) else Cause.WRONG_TYPE] += 1


def integer(reply: Reply, errors: Counter[str]) -> int | None:
    """An integer reply."""
    if isinstance(reply, int):
        return reply
    refused(reply, errors)
    return None


def text(reply: Reply, errors: Counter[str]) -> bytes | None:
    """A bulk reply; None too where there is nothing."""
    if isinstance(reply, bytes):
        return reply
    if reply is not None:
        refused(reply, errors)
    return None


def array(reply: Reply, errors: Counter[str]) -> list[Reply]:
    """An array reply; empty where there is none."""
    if isinstance(reply, list):
        return reply
    refused(reply, errors)
    return []


def score(reply: Reply, errors: Counter[str]) -> float | None:
    """The score of the one member in the reply of a range WITHSCORES, in seconds of its milliseconds."""
    pair = array(reply, errors)
    if not pair:
        return None
    value = pair[-1]
    seconds = float(value) / 1000 if isinstance(value, bytes) else math.nan
    if math.isfinite(seconds):
        return seconds
    errors[Cause.WRONG_TYPE] += 1
    return None
