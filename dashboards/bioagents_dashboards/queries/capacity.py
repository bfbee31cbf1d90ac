"""How many workers are needed, whether those there suffice and for how long, and what they cost.

``BY_QUEUE`` queries give one series for each queue of a fleet, the others one for each fleet. A worker of
several queues counts in each of them, so numbers of workers and slots by queue do not add up; what is asked
of a fleet as a whole comes from its workers instead.
"""

from __future__ import annotations

from typing import Final

from bioagents_dashboards.queries.jobs import arrivals_of_queues, completions_of_queues
from bioagents_dashboards.queries.promql import (
    TOP,
    bottom,
    gauge,
    near_limit,
    recorded,
    top,
)
from bioagents_dashboards.queries.queues import drain_time, in_service, slots_in_use, workers
from bioagents_dashboards.queries.workers import workers_alive

#: A graph with several lines for each queue has this many queues.
FEW: Final = 4

#: From this share of the wait limit on, the growth of a wait says something; below, one job that has just
#: come would look like a queue that stands still.
FROM_SHARE: Final = 0.1


def desired() -> str:
    """BY_QUEUE: workers that the queue should have for the jobs that wait in it."""
    return gauge("queue_desired_workers")


def fewest() -> str:
    """BY_QUEUE: the minimum of workers."""
    return gauge("queue_min_workers")


def most() -> str:
    """BY_QUEUE: the maximum of workers."""
    return gauge("queue_max_workers")


def load() -> str:
    """BY_QUEUE: jobs that run or wait, for each slot; +Inf when jobs wait and there is none."""
    return gauge("queue_load_ratio")


def short() -> str:
    """BY_QUEUE: workers that a queue in service should have and has not; below 0, what it has beyond."""
    return in_service(f"{desired()} - {workers()}")


def wait_limit_breaks_in() -> str:
    """BY_QUEUE: seconds until the oldest wait is at its limit, 0 once it is; nothing while that is not near.

    The jobs that wait arrived within the wait of the oldest, A. So W of them stand W/A to the second, and
    where s of them start per second, the head of the queue moves s*A/W seconds of arrivals ahead in each
    second. The oldest wait grows by what is missing to 1 in that, and has as much time left as the limit is
    away, divided by this growth.
    """
    waiting = _recorded_waiting()
    growth = f"(1 - ({_starts()} or 0 * {waiting}) * {_oldest()} / ({waiting} > 0))"
    left = f"clamp_min({gauge('queue_wait_limit_seconds')} - {_oldest()}, 0)"
    long_enough = f"{_oldest()} > {FROM_SHARE} * {gauge('queue_wait_limit_seconds')}"
    # For five minutes after a gap the rate is too low: that is no standstill.
    return f"({left} / ({growth} > 0) or {left} == 0) and {long_enough} and {waiting} offset 5m"


def _oldest() -> str:
    """BY_QUEUE: age of the oldest waiting job, as the rules record it."""
    return recorded("queue:bioagents_queue_oldest_job_age_seconds:max", "queue")


def _recorded_waiting() -> str:
    return recorded("queue:bioagents_jobs_waiting:max", "queue")


def _starts() -> str:
    """BY_QUEUE: jobs per second that a worker took up, over five minutes."""
    return recorded("queue:bioagents_wait_slo_events:rate5m", "queue")


# One number for each fleet.


def workers_to_add() -> str:
    """Workers that the queues in service should have and have not, each queue for itself."""
    return f"sum without (queue) (clamp_min({short()}, 0)) or 0 * max without (queue) ({workers()})"


def queues_at_maximum() -> str:
    """Queues whose jobs wait for slots although as many workers as allowed are there."""
    full = f"{load()} > 1 and {workers()} >= {most()}"
    return f"count without (queue) ({full}) or 0 * max without (queue) ({workers()})"


def first_limit_to_break() -> str:
    """The least of :func:`wait_limit_breaks_in`, +Inf where no queue has one; nothing without the rules."""
    return (
        f"min without (queue) ({wait_limit_breaks_in()}) or Inf + max without (queue) ({_recorded_waiting()})"
    )


def worst_load() -> str:
    """The highest load of any queue."""
    return f"max without (queue) ({load()})"


def busy() -> str:
    """Share of the slots of all workers of the fleet in which a job runs."""
    return recorded("fleet:bioagents_worker_slots:busy_ratio")


def arrivals_to_completions() -> str:
    """Jobs that arrive for each that is done, over five minutes; nothing where none is."""
    arrived, done = (f"sum without (queue) ({of()})" for of in (arrivals_of_queues, completions_of_queues))
    return f"{arrived} / ({done} > 0)"


def worker_time_per_job() -> str:
    """Seconds that all workers lived for each job done in any queue, over five minutes."""
    return f"({workers_alive()}) / ({_done()} > 0)"


def idle_slots() -> str:
    """Slots in which no job runs."""
    return recorded("fleet:bioagents_worker_slots_free:sum")


# Over time.


def most_desired() -> str:
    """BY_QUEUE: the wish, of the queues in service that want the most workers."""
    wish, serving = (
        recorded(f"queue:bioagents_queue_{name}", "queue")
        for name in ("desired_workers:max", "min_workers:in_service")
    )
    return f"topk({FEW}, {wish} and {serving})"


def their_workers() -> str:
    """BY_QUEUE: the workers of these queues."""
    return _of_most_desired(_recorded_workers())


def their_maximum() -> str:
    """BY_QUEUE: the most that these queues may have, where more than half of it is desired."""
    return near_limit(most_desired(), most())


def their_minimum() -> str:
    """BY_QUEUE: the least that these queues must have, where they have no more."""
    return _of_most_desired(f"{fewest()} and {_recorded_workers()} <= {fewest()}")


def shortest() -> str:
    """BY_QUEUE: :func:`short`, of the queues that lack the most workers."""
    return top(TOP, short())


def added() -> str:
    """BY_QUEUE: by how much the workers of a queue became more within five minutes."""
    return top(TOP, f"{workers()} - {_before()} > 0")


def removed() -> str:
    """BY_QUEUE: by how much they became fewer."""
    return top(TOP, f"{_before()} - {workers()} > 0")


def highest_loads() -> str:
    """BY_QUEUE: load, where there are slots."""
    return top(TOP, f"{load()} < Inf")


def fullest_queues() -> str:
    """BY_QUEUE: share of the slots that is in use."""
    return top(TOP, slots_in_use())


def soonest_to_break() -> str:
    """BY_QUEUE: :func:`wait_limit_breaks_in`, the soonest."""
    return bottom(TOP, wait_limit_breaks_in())


def longest_drains() -> str:
    """BY_QUEUE: seconds until nothing waits, of queues whose backlog shrinks."""
    return top(TOP, f"{drain_time()} < Inf")


def drain_limit() -> str:
    """BY_QUEUE: the limit of that time, where it matters."""
    return near_limit(longest_drains(), gauge("queue_drain_limit_seconds"))


def worker_time_by_queue() -> str:
    """BY_QUEUE: seconds that its workers lived for each job done."""
    return top(TOP, f"{workers()} / ({completions_of_queues()} > 0)")


def cpu_time_per_job() -> str:
    """Seconds of processor time that all workers used for each job done in any queue, over five minutes."""
    return f"{recorded('fleet:bioagents_worker_cpu_seconds:rate5m')} / ({_done()} > 0)"


def _done() -> str:
    """Jobs per second that are done in all queues, over five minutes: a worker's time is not one queue's."""
    return f"sum without (queue) ({recorded('queue:bioagents_jobs_completed:rate5m')})"


def _of_most_desired(by_queue: str) -> str:
    return f"({by_queue}) and {most_desired()}"


def _recorded_workers() -> str:
    return recorded("queue:bioagents_queue_workers:max", "queue")


def _before() -> str:
    return gauge("queue_workers", ago="5m")
