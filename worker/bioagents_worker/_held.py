"""What a worker holds: jobs that it has fetched and not acknowledged, counted in Dramatiq's objects."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from typing import Any, NamedTuple

from dramatiq.common import q_name

from bioagents_worker._tally import canonical


class Held(NamedTuple):
    """Numbers of jobs by queue, without zeros."""

    jobs: dict[str, int]
    delayed: dict[str, int]  # fetched from the delay queue
    uncounted: tuple[str, ...]  # queues of which the worker may hold more than these numbers


def held(worker: Any, running: Mapping[str, int]) -> Held:  # noqa: ANN401 - untyped in dramatiq 1
    """What the worker holds, with the jobs that are ``running``, by queue.

    Dramatiq's consumer counts message ids: a message that was enqueued three times counts once. After a
    reconnect it counts from zero, though jobs that it fetched before still run, or wait in memory. So the
    jobs in memory are counted too, and the larger number is used. A consumer of the application's own may
    not count at all, and may keep jobs where they are not seen.
    """
    jobs, delayed = Counter(running), Counter[str]()
    for item in list(worker.work_queue.queue):
        message = item[1] if isinstance(item, tuple) else item.message  # a tuple in Dramatiq 1
        jobs[canonical(message.queue_name)] += 1
    uncounted = set()
    for name, thread in list(worker.consumers.items()):
        queue = q_name(name)
        numbers = jobs if queue == name else delayed
        numbers[queue] += thread.delay_queue.qsize() + _cached(thread.consumer)
        count = _outstanding(thread.consumer)
        if count is None:
            uncounted.add(queue)
        else:
            numbers[queue] = max(numbers[queue], count)
    return Held(dict(+jobs), dict(+delayed), tuple(sorted(uncounted)))


def _cached(consumer: Any) -> int:  # noqa: ANN401 - as above
    """Messages that Dramatiq's consumer has fetched and not passed on yet."""
    cache = getattr(consumer, "message_cache", None)
    return len(cache) if isinstance(cache, list) else 0


def _outstanding(consumer: Any) -> int | None:  # noqa: ANN401 - as above
    """How many jobs a consumer says that it holds; None if it does not say."""
    if consumer is None:  # its thread has just started
        return 0
    try:
        count = consumer.outstanding_message_count
    except Exception:  # noqa: BLE001 - the application's own code
        return None
    return count if isinstance(count, int) else None
