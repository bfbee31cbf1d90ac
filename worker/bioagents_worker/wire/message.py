"""The fields of a Dramatiq message that workers and the exporter read, each parsed here and nowhere else.

A message may hold anything: producers in other languages write it, and applications set options themselves. A
parser takes what Dramatiq takes, never raises, and gives None for anything else, so that a worker and the
exporter agree about each value.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final, NewType, TypeAlias

#: The message option with the wall-clock time in ms at which the job became ready to run.
READY_OPTION: Final = "bioagents_ready"
#: The id of the message for which :data:`READY_OPTION` was set. Applications copy options to other messages,
#: and the time is not theirs.
READY_OF_OPTION: Final = "bioagents_of"
#: Options of Dramatiq, both Unix times in ms: when a delayed job is due, and when an attempt failed that is
#: retried.
ETA_OPTION: Final = "eta"
REQUEUED_OPTION: Final = "requeue_timestamp"

#: Names one enqueue of a job in Redis: in lists, hashes and sets, and in the option ``redis_message_id``. A
#: job that is enqueued again, by a retry or by the application, gets another; if redelivered, it keeps it.
#: The id of the message stays the same, so that nothing in Redis may be counted or found by it.
RedisMessageId = NewType("RedisMessageId", str)
REDIS_ID_OPTION: Final = "redis_message_id"

#: A Unix time in ms, with a fraction if the producer calculated with floats: ``delay=8000.0``.
Milliseconds: TypeAlias = int | float

#: Years 2001 and 33658. A smaller number is no time in ms (0 for "not set", or a time in seconds): a wait
#: since then would be decades. A larger one, infinity included, is a time that never comes.
_EARLIEST: Final = 10**12
_LATEST: Final = 10**15


def milliseconds(value: object) -> Milliseconds | None:
    """A Unix time in ms, at most the year 33658; None for anything that is no time."""
    if type(value) is int and _EARLIEST <= value <= _LATEST:  # fast, since every job has such a time
        return value
    if isinstance(value, bool) or not isinstance(value, (int, float)) or not value >= _EARLIEST:
        return None  # NaN is not greater than anything
    return min(value, _LATEST)


def due_time(eta: object) -> Milliseconds | None:
    """The time at which a delayed job is due; None if ``eta`` is no number.

    Dramatiq runs a job at once if its ``eta`` is not after now: the result is 0 for a number that is no time.
    """
    number = isinstance(eta, (int, float)) and not isinstance(eta, bool)
    return milliseconds(eta) or 0 if number else None


def ready_when_enqueued(options: Mapping[str, Any], now_ms: int) -> Milliseconds:
    """The time at which a job is ready that is enqueued now: its ``eta``, unless it is over or no time."""
    due = milliseconds(options.get(ETA_OPTION))
    return now_ms if due is None or due < now_ms else due


def own_stamp(options: Mapping[str, Any], message_id: object) -> object:
    """The time that JobMetrics set for this message; None if there is none, or one of another message."""
    return options.get(READY_OPTION) if options.get(READY_OF_OPTION, message_id) == message_id else None


def ready_when_due(options: Mapping[str, Any], message_id: object, sent: object) -> Milliseconds | None:
    """The time at which a delayed job is ready; None if it has none.

    ``sent`` is its ``message_timestamp``. The latest counts: the stamp of JobMetrics is older than the
    ``eta`` if a worker without JobMetrics retried the job; an ``eta`` that the application sets may be older
    than the job.
    """
    times = (own_stamp(options, message_id), options.get(ETA_OPTION), sent)
    return max((ms for ms in map(milliseconds, times) if ms is not None), default=None)


def first_stamp(options: Mapping[str, Any], message_id: object) -> object:
    """What the options say about the time at which the job became ready: our stamp, or the last failure.

    None if our stamp was copied from another message: that one failed, not this.
    """
    stamp = options.get(READY_OPTION)
    if not stamp:
        return options.get(REQUEUED_OPTION)
    return stamp if options.get(READY_OF_OPTION, message_id) == message_id else None


def ready_time(stamp: object, sent: object) -> Milliseconds | None:
    """The time at which a job became ready; None if it is not known.

    Args:
        stamp: From :func:`first_stamp`.
        sent: The ``message_timestamp``, right for a job that was sent without a delay and never retried.
    """
    known = milliseconds(stamp)
    return milliseconds(sent) if known is None else known


def text(value: object) -> str:
    """A name or an id as text that has an encoding in UTF-8; a value of another type as Python shows it."""
    shown = value if isinstance(value, str) else repr(value)
    return shown if shown.isascii() else shown.encode(errors="backslashreplace").decode()
