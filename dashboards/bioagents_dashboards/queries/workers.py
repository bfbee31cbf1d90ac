"""Who works, on what, how evenly and how soundly.

Each worker has an id that tells a person nothing. ``BY_WORKER`` queries give the highest series by worker
with host and process id, of workers that consume a chosen queue. The others give one series for each fleet,
whichever queue is chosen, unless their docstring says more.

A thousand workers are read at each of hundreds of steps. So what is drawn comes from the rules, which record
it with the worker's names: it is a tenth of the work of joining the copies' own series.
"""

from __future__ import annotations

from typing import Final

from bioagents_dashboards.queries.alerts import while_rules_are_loaded
from bioagents_dashboards.queries.promql import (
    TARGET,
    TOP,
    bottom,
    gauge,
    near_threshold,
    rate,
    recorded,
    top,
)
from bioagents_dashboards.queries.redis import redis_up

#: A table has at most this many lines of workers.
LISTED: Final = 50

#: Where the alerts WorkerMemoryHigh, WorkerRestarting and WorkerClockSkew begin.
MEMORY_HIGH: Final = 0.9
BOOTS_HIGH: Final = 3.5
SKEW_HIGH: Final = 10

_WORKER: Final = ("worker",)
#: What a worker is, besides its id.
FACTS: Final = "host, pid, queues, version"
_HOUR: Final = 3600
#: The attempts of half an hour, for each slot, from which on WorkersUneven compares workers.
_COMPARABLE: Final = 40


def workers_alive() -> str:
    """Workers with a fresh heartbeat, draining ones included; 0 where Redis is read and knows of none.

    Nothing while the rules are not loaded.
    """
    return f"{_alive()} or {_zero()}"


def workers_missing() -> str:
    """Workers that fell silent without a goodbye within the last hour."""
    return gauge("workers_missing")


def workers_draining() -> str:
    """Workers that finish what they have and then stop."""
    working = f"sum without (queues, version, threads) ({_taking_jobs()})"
    return f"{_alive()} - ({working} or 0 * {_alive()}) or {_zero()}"


def fleet_slots() -> str:
    """Threads of all workers that could run a job (a worker of several queues counts once)."""
    return recorded("fleet:bioagents_worker_slots:sum")


def fleet_running() -> str:
    """Jobs that all workers run."""
    return recorded("fleet:bioagents_worker_running_jobs:sum")


# What may go wrong, one number for each fleet.


def fullest_host() -> str:
    """The highest share of its limit that a host's workers use together; hosts of chosen queues."""
    return f"max without (host) ({_memory_of_hosts()})"


def leaking_workers() -> str:
    """How many workers of chosen queues look like a leak."""
    leaking = _of_workers("memory_leak:deriv6h")
    return (
        f"count without (worker, host, pid, queues) ({leaking})"
        f" or 0 * max without (worker, host, pid, queues) ({_of_workers('memory_rss_bytes:max')})"
    )


def least_share_of_load() -> str:
    """Attempts of the worker that does least to the average of its role, where there are enough of them."""
    least = f"min without (worker, host, pid) ({_of_workers('jobs:share_rate30m')})"
    attempts = recorded("role:bioagents_worker_jobs:rate30m", "queues")
    threads = recorded("role:bioagents_worker_threads:avg", "queues")
    return f"min without (queues) ({least} and {attempts} > {threads} * {_COMPARABLE} / 1800)"


def most_boots() -> str:
    """Boots within an hour for each worker that a host had, on the worst of all hosts."""
    return f"max without (host) ({recorded('host:bioagents_worker_boots:ratio1h')})"


def lost_threads() -> str:
    """Threads that died in living workers of chosen queues."""
    return f"sum without (worker, host, pid, queues) ({_of_workers('threads_lost:sum')})"


def worst_clock_skew() -> str:
    """The most by which a worker's clock differs from that of Redis, in seconds."""
    return recorded("fleet:bioagents_worker_clock_skew_seconds:max")


# Memory.


def memory_by_host() -> str:
    """By host: the share of the limit that its workers use together, the fullest hosts of chosen queues."""
    return top(TOP, _memory_of_hosts())


def memory_threshold() -> str:
    """Where WorkerMemoryHigh begins, once half of it is used."""
    return near_threshold(f"({_memory_of_hosts()})", MEMORY_HIGH, "host")


def worker_memory() -> str:
    """BY_WORKER: resident memory."""
    return _most("memory_rss_bytes:max")


def worker_memory_limit() -> str:
    """BY_WORKER: the memory limits of the same workers, where more than half of them is used."""
    return f"{_of_workers('memory_limit_bytes:near')} and {worker_memory()}"


def memory_growth() -> str:
    """BY_WORKER: bytes an hour by which its memory grew over six hours."""
    return f"{_most('memory_rss_bytes:deriv6h')} * {_HOUR} > 0"


def memory_leaks() -> str:
    """BY_WORKER: the same, of those that look like a leak."""
    return f"{_most('memory_leak:deriv6h')} * {_HOUR}"


# Load.


def cpu_used() -> str:
    """BY_WORKER: processors that it keeps busy, over five minutes; 1 is one of them all the time."""
    return _most("cpu_seconds:rate5m")


def running_jobs() -> str:
    """BY_WORKER: jobs that it ran at a time on average of half an hour."""
    return _most("running_jobs:avg30m")


def least_loaded() -> str:
    """BY_WORKER, but the lowest: its attempts of half an hour to the average of its role."""
    return bottom(TOP, _of_workers("jobs:share_rate30m"))


# Who comes and goes.


def starts_by_host() -> str:
    """By host: workers that started, per minute; the hosts with the most."""
    return top(TOP, f"{rate('worker_boots_total', keep=('host',))} * 60")


def boots_in_an_hour() -> str:
    """By host: boots within an hour for each worker that it had, the hosts with the most."""
    return top(TOP, recorded("host:bioagents_worker_boots:ratio1h"))


def boots_threshold() -> str:
    """Above which WorkerRestarting begins, once half of it is used."""
    return near_threshold(recorded("host:bioagents_worker_boots:ratio1h"), BOOTS_HIGH, "host")


def workers_by_version() -> str:
    """By version, ``unnamed`` where the application names none: workers of chosen queues that take jobs."""
    by_version = f"sum without (queues, threads) ({configurations()})"
    return f'label_replace({by_version}, "version", "unnamed", "version", "")'


def configurations() -> str:
    """By queues, version and threads: workers of chosen queues that take jobs."""
    return recorded("role:bioagents_worker_info:count", "queues")


# Whether heartbeats and clocks can be relied on.


def heartbeat_age() -> str:
    """BY_WORKER: seconds since it was last heard of, missing ones included."""
    return _most("heartbeat_age_seconds:min")


def flush_age() -> str:
    """BY_WORKER: seconds that its oldest count waited to be handed over."""
    return _most("flush_age_seconds:max")


def clock_skew() -> str:
    """BY_WORKER: seconds by which its clock differs from that of Redis."""
    return _most("clock_skew_seconds:abs")


def clock_skew_threshold() -> str:
    """Above which WorkerClockSkew begins, once half of it is used."""
    return near_threshold(worst_clock_skew(), SKEW_HIGH)


def lost_threads_by_worker() -> str:
    """BY_WORKER: threads that died while it lives."""
    return f"{_most('threads_lost:sum')} > 0"


# Tables: one line for each worker of a chosen queue, those that use the largest share of their memory limit.


def listed_facts() -> str:
    """By worker and what it is: always 1."""
    return f"{_facts()} and ignoring ({FACTS}) {_fullest()}"


def listed_memory_share() -> str:
    """By worker: share of the limit; nothing without a limit."""
    return _listed(memory_share())


def listed_memory() -> str:
    """By worker: bytes."""
    return _listed(gauge("worker_memory_rss_bytes"))


def listed_cpu() -> str:
    """By worker: processors that it keeps busy."""
    return _listed(rate("worker_cpu_seconds_total", keep=_WORKER))


def listed_slots() -> str:
    """By worker: threads that take jobs, 0 while it drains."""
    return _listed(gauge("worker_slots"))


def listed_threads() -> str:
    """By worker: threads with which it started."""
    return _listed(gauge("worker_threads"))


def listed_consumers() -> str:
    """By worker: consumer threads that live."""
    return _listed(gauge("worker_consumer_threads"))


def listed_running() -> str:
    """By worker: jobs that it runs."""
    return _listed(gauge("worker_running_jobs"))


def listed_pace() -> str:
    """By worker: attempts per second that it finishes."""
    return _listed(rate("worker_jobs_total", keep=_WORKER))


def listed_heartbeat_age() -> str:
    """By worker: seconds since it was last heard of."""
    return _listed(_silent_for())


def listed_uptime() -> str:
    """By worker: seconds since it started."""
    return _listed(f"time() - {gauge('worker_start_time_seconds')}")


def missing_workers() -> str:
    """By worker and what it is: seconds for which it has been silent, the longest first."""
    return top(LISTED, described(f"({_silent_for()} unless {gauge('worker_threads')})"))


def draining_workers() -> str:
    """By worker and what it is: jobs that it still runs before it stops.

    A worker that offers no slots and runs nothing is about to end, or has lost all its threads.
    """
    draining = f"({gauge('worker_running_jobs')} > 0 and {gauge('worker_slots')} == 0)"
    return top(LISTED, described(draining))


# What marks deployments and restarts on every board.


def new_versions() -> str:
    """By version: what no worker that takes jobs ran a minute ago, in a fleet that had some then."""
    now, before = (f"max without (queues, threads) ({_taking_jobs()}{ago})" for ago in ("", " offset 1m"))
    return f"({now} unless {before}) and on (job, {', '.join(TARGET)}) {before}"


def boots_by_host() -> str:
    """By host: boots of workers per second, where there are any."""
    return f"{rate('worker_boots_total', keep=('host',))} > 0"


def _of_workers(what: str) -> str:
    """What the rules record of each worker, of a chosen queue, with host, pid and queues."""
    return recorded(f"worker:bioagents_worker_{what}", "worker", "queues")


def _most(what: str) -> str:
    return top(TOP, _of_workers(what))


def _names() -> str:
    """1 for each worker of a chosen queue; missing ones included."""
    return _of_workers("info:max")


def _facts() -> str:
    """As :func:`_names`, with the version too; for what is asked once and not at each step.

    One for each worker: copies that disagree about it for a moment would make the join fail.
    """
    info = gauge("worker_info", keep=("worker", *FACTS.split(", ")), how="max")
    return f"topk without ({FACTS}) (1, {info})"


def described(by_worker: str) -> str:
    """The same with what each worker is: only that knows its queues, so their variable chooses here."""
    return f"{by_worker} * ignoring ({FACTS}) group_left ({FACTS}) {_facts()}"


def memory_share() -> str:
    """By worker: share of its memory limit; nothing without a limit."""
    return f"{gauge('worker_memory_rss_bytes')} / ({gauge('worker_memory_limit_bytes')} > 0)"


def _listed(by_worker: str) -> str:
    return f"({by_worker}) and {_fullest()}"


def _fullest() -> str:
    """Those without a limit come last, not never."""
    share = f"({memory_share()} or 0 * {gauge('worker_memory_rss_bytes')})"
    return top(LISTED, f"{share} and ignoring (host, pid, queues) {_names()}")


def _alive() -> str:
    """Living workers, draining ones included, whichever queue is chosen."""
    return f"sum without (host) ({recorded('host:bioagents_workers:count')})"


def _taking_jobs() -> str:
    """By queues, version and threads: workers that take jobs, whichever queue is chosen."""
    return recorded("role:bioagents_worker_info:count")


def _zero() -> str:
    """0 for each fleet whose Redis is read, while the rules are loaded that count its workers."""
    return f"0 * ({while_rules_are_loaded(f'{redis_up()} == 1')})"


def _memory_of_hosts() -> str:
    hosts = f"max without (worker, pid, queues) ({_names()})"
    return f"{recorded('host:bioagents_worker_memory:ratio')} and {hosts}"


def _silent_for() -> str:
    return f"time() - {gauge('worker_last_heartbeat_timestamp_seconds')}"
