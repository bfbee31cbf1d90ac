"""How each fault is caused and repaired: signals, commands to Redis, jobs that misbehave.

A scenario is a generator: the code before a ``yield`` causes a fault, the code after it repairs it.
"""

from __future__ import annotations

import contextlib
import itertools
import os
import signal
import threading
import time
from collections.abc import Generator

import redis

from bioagents_worker.wire import missing_after
from faults.background import background
from faults.fleet import Fleet, signal_group
from support.polling import wait_until

Scenario = Generator[None, None, None]


# -- workers ---------------------------------------------------------------------------------------------


def kill_a_worker(fleet: Fleet) -> Scenario:
    """Kill -9 in the middle of a job while another worker runs; then a third one is started."""
    with fleet.switch("gate-closed"):
        _kill_a_busy_worker(fleet)
        yield
    fleet.add_worker()
    fleet.forget_missing()


def _kill_a_busy_worker(fleet: Fleet) -> None:
    fleet.producer.send("research")
    wait_until((fleet.folder / "running").exists, what="a running job")
    pid = int((fleet.folder / "running").read_text())
    victim = next(worker for worker in fleet.workers if os.getpgid(pid) == worker.pid)
    victim.kill()
    fleet.workers.remove(victim)


def orphan_jobs(fleet: Fleet) -> Scenario:
    """Kill -9 of one of two workers, while Dramatiq's maintenance, which would requeue its jobs, is off."""
    with fleet.switch("gate-closed"):
        _kill_a_busy_worker(fleet)
        yield
    fleet.replace_worker(fleet.workers[0], MAINTENANCE="1000000")
    fleet.forget_missing()


def kill_all_workers(fleet: Fleet) -> Scenario:
    """Kill -9 while jobs arrive. A new worker repairs the fleet, the old one is still missing."""
    fleet.workers.pop().kill()
    yield
    fleet.add_worker()
    yield
    fleet.forget_missing()


def stop_one_of_two(fleet: Fleet) -> Scenario:
    """SIGTERM, and no other worker is started."""
    fleet.workers.pop().stop()
    yield
    fleet.add_worker()


def pause_a_worker(fleet: Fleet) -> Scenario:
    """SIGSTOP, like a host that swaps or whose virtual machine is moved."""
    signal_group(fleet.workers[0], signal.SIGSTOP)
    try:
        yield
    finally:
        signal_group(fleet.workers[0], signal.SIGCONT)


def fill_the_memory(fleet: Fleet) -> Scenario:
    """A worker uses the whole memory of its container."""
    fleet.producer.send("leak", 120)
    yield
    fleet.replace_worker(fleet.workers[0])


def leak(fleet: Fleet) -> Scenario:
    """A worker keeps a little memory of every job."""
    with fleet.producer.traffic("leak", 1, per_second=2):
        yield
    fleet.replace_at_once(fleet.workers[0])


def poison(fleet: Fleet) -> Scenario:
    """Jobs that kill their worker each time; a supervisor starts it again."""
    with fleet.supervised():
        with fleet.switch("poison"):
            for _ in range(3):
                fleet.producer.send("poison")
                # Longer than it takes, and than the five minutes within which losses count as one.
                time.sleep(max(8, 360 / fleet.factor))
            yield
        time.sleep(8 + missing_after(5.0))  # the last of them has died and is reported as missing
    fleet.forget_missing()


def restart_again_and_again(fleet: Fleet) -> Scenario:
    """A health check stops a worker as soon as it is up; another worker runs."""

    def check(ended: threading.Event) -> None:
        while not ended.is_set():
            fleet.workers.pop().stop()
            fleet.add_worker()

    with background(check):
        yield


def drain(fleet: Fleet) -> Scenario:
    """SIGTERM for a worker in the middle of a long job, with more of them prefetched."""
    with fleet.switch("gate-closed"):
        fleet.producer.send("research", times=16)
        wait_until((fleet.folder / "running").exists, what="a running job")
        worker = fleet.workers.pop(0)
        worker.signal(signal.SIGTERM)
        yield
    worker.process.wait(60)


def pause_fetching(fleet: Fleet) -> Scenario:
    """A running worker with free slots fetches no jobs."""
    with fleet.switch("paused"):
        yield


def skewed_configuration(fleet: Fleet) -> Scenario:
    """An incomplete deployment: one worker has the new version and another number of threads."""
    fleet.add_worker(VERSION="2.0", THREADS="2")
    yield
    fleet.replace_worker(fleet.workers[0], VERSION="2.0", THREADS="2")


def skewed_clock(fleet: Fleet) -> Scenario:
    """A worker on a host whose clock is two minutes ahead."""
    fleet.replace_worker(fleet.workers[0], CLOCK_AHEAD="120")
    yield
    fleet.replace_worker(fleet.workers[0])


# -- jobs ------------------------------------------------------------------------------------------------


def flood(fleet: Fleet) -> Scenario:
    """Twice as many jobs as the workers can complete."""
    with fleet.producer.traffic("answer", 0.4, per_second=20):
        yield
    drop_the_backlog(fleet)


def wait_too_long(fleet: Fleet) -> Scenario:
    """Jobs that take longer than expected."""
    fleet.producer.send("answer", 1.0, times=1500)
    yield
    drop_the_backlog(fleet)


def drop_the_backlog(fleet: Fleet) -> None:
    """Remove the waiting jobs; those that workers have fetched still run."""
    with fleet.client() as client:
        while ids := client.lpop("dramatiq:chat", 100):
            client.hdel("dramatiq:chat.msgs", *ids)


def failing_actor(fleet: Fleet) -> Scenario:
    """Every attempt fails with one of two exceptions."""
    with fleet.switch("model-broken"):
        yield


def fail_now_and_then(fleet: Fleet) -> Scenario:
    """In a quiet queue some jobs need a second attempt."""

    def stumble(ended: threading.Event) -> None:
        for number in itertools.count():
            fleet.producer.send("stumble", str(number))
            if ended.wait(130 / fleet.factor):  # at least two in each window of five minutes
                return

    with background(stumble):
        yield


def fail_for_good(fleet: Fleet) -> Scenario:
    """Jobs that fail and are not retried."""
    with fleet.producer.traffic("reject", per_second=3):
        yield
    fleet.command("DEL", "dramatiq:chat.XQ", "dramatiq:chat.XQ.msgs")


def retry_without_end(fleet: Fleet) -> Scenario:
    """A few jobs that ask for a retry at every attempt."""
    with fleet.switch("model-busy"):
        fleet.producer.send("postpone", times=6)
        yield


def short_jobs(fleet: Fleet) -> None:
    """Jobs of the queue deep-research arrive all the time and take no time, as long as its gate is open."""
    fleet.cleanup.enter_context(fleet.producer.traffic("research", per_second=2))


def hang(fleet: Fleet, jobs: int = 1) -> Scenario:
    """One job hangs and the others run; or jobs hang in every slot."""
    with fleet.switch("gate-closed"):
        fleet.producer.send("research", times=jobs)
        yield


def dead_letters(fleet: Fleet) -> Scenario:
    """A job is too old when its turn comes: a dead letter, and no failure."""
    fleet.producer.send("reject", max_age=1)
    yield
    fleet.command("DEL", "dramatiq:chat.XQ", "dramatiq:chat.XQ.msgs")


def old_dead_letter(fleet: Fleet, days: float = 5.0) -> None:
    """Add a dead letter that is so many days old; DeadLetters fired at that time."""
    died = round((time.time() - days * 86400) * 1000)
    fleet.command("HSET", "dramatiq:chat.XQ.msgs", "old", "{}")
    fleet.command("ZADD", "dramatiq:chat.XQ", died, "old")


def dead_letters_expire(fleet: Fleet) -> Scenario:
    """A dead letter is six and a half days old; Dramatiq keeps them for seven."""
    old_dead_letter(fleet, 6.5)
    yield
    fleet.command("DEL", "dramatiq:chat.XQ", "dramatiq:chat.XQ.msgs")


def unserved_queue(fleet: Fleet) -> Scenario:
    """Jobs for a queue that no worker consumes."""
    fleet.producer.declare_reports()
    fleet.producer.send("report", times=3)
    yield
    fleet.add_worker(QUEUES="reports")


def overdue_delayed_job(fleet: Fleet) -> Scenario:
    """The worker holds at most two delayed jobs, and two that are due in an hour came first."""
    fleet.producer.send("research", times=2, delay=3_600_000)
    depth = ("HLEN", "dramatiq:deep-research.DQ.msgs"), ("LLEN", "dramatiq:deep-research.DQ")
    wait_until(lambda: [fleet.command(*words) for words in depth] == [2, 0], what="delayed jobs in memory")
    fleet.producer.send("research", delay=500)
    yield
    fleet.replace_worker(fleet.workers[0], dramatiq_delay_queue_prefetch="100")


def lost_ids(fleet: Fleet) -> Scenario:
    """An operator deletes the list of a queue but not its messages: no list and no worker has these jobs."""
    with fleet.client() as client:
        client.hset("dramatiq:deep-research.msgs", mapping={f"lost-{number}": "{}" for number in range(3)})
    yield
    fleet.command("HDEL", "dramatiq:deep-research.msgs", "lost-0", "lost-1", "lost-2")


# -- Redis -----------------------------------------------------------------------------------------------


def stop_redis(fleet: Fleet) -> Scenario:
    """SIGTERM; its data are on disk."""
    fleet.redis.stop()
    yield
    fleet.redis.start()


def pause_redis(fleet: Fleet) -> Scenario:
    """SIGSTOP: connections stay open without answers. Then the workers are restarted, as the runbook says."""
    fleet.redis.pause()
    began = time.monotonic()
    try:
        yield
        # Longer than twice the workers' timeout.
        time.sleep(max(0, began + 12 - time.monotonic()))
    finally:
        fleet.redis.resume()
    fleet.replace_worker(fleet.workers[0])


def fill_redis(fleet: Fleet) -> Scenario:
    """Redis is full. The worker holds a delayed job, and its consumer thread for such jobs dies."""
    fleet.producer.send("research", delay=3_600_000)
    wait_until(lambda: not fleet.command("LLEN", "dramatiq:deep-research.DQ"), what="a delayed job in memory")
    used = fleet.client().info("memory")["used_memory"]
    fleet.command("CONFIG", "SET", "maxmemory", used - 1)
    yield
    fleet.command("CONFIG", "SET", "maxmemory", 0)
    yield
    fleet.replace_worker(fleet.workers[0])


def evict(fleet: Fleet) -> Scenario:
    """A cache shares this Redis, and its policy evicts any key. Without the policy Redis is almost full."""
    with fleet.client() as client:
        client.mset({f"cache:{number}": "x" * 1000 for number in range(5000)})
        client.config_set("maxmemory-policy", "allkeys-lru")
        client.config_set("maxmemory-samples", "20")
        client.config_set("maxmemory", client.info("memory")["used_memory"] - 100_000)

    def cache(ended: threading.Event) -> None:
        number = 0
        with fleet.client() as client:
            while not ended.wait(0.05):
                number += 1
                with contextlib.suppress(redis.OutOfMemoryError):  # where nothing may be evicted any more
                    client.set(f"cache:new:{number}", "x" * 1000)

    with background(cache):
        yield
    with fleet.client() as client:
        client.config_set("maxmemory-policy", "noeviction")
        client.config_set("maxmemory", round(client.info("memory")["used_memory"] / 0.95))
    yield
    fleet.command("CONFIG", "SET", "maxmemory", 0)
    fleet.replace_worker(fleet.workers[0])


def endanger(fleet: Fleet) -> Scenario:
    """A policy under which a full Redis evicts any key."""
    fleet.command("CONFIG", "SET", "maxmemory-policy", "allkeys-lru")
    yield
    fleet.command("CONFIG", "SET", "maxmemory-policy", "noeviction")


def restart_redis(fleet: Fleet) -> Scenario:
    """Redis keeps its data, but the workers lose the delayed jobs that they held in memory."""
    fleet.producer.send("answer", times=3, delay=3_600_000)
    depth = ("HLEN", "dramatiq:chat.DQ.msgs"), ("LLEN", "dramatiq:chat.DQ")
    wait_until(lambda: [fleet.command(*words) for words in depth] == [3, 0], what="delayed jobs in memory")
    fleet.redis.stop()
    yield
    fleet.redis.start()
    yield
    fleet.replace_worker(fleet.workers[0])


def break_replication(fleet: Fleet) -> Scenario:
    """A replica connects to a wrong address."""
    with fleet.replica.client() as client:
        client.replicaof("127.0.0.1", 1)
        yield
        client.replicaof("127.0.0.1", fleet.redis.port)


def slow_redis(fleet: Fleet) -> Scenario:
    """Commands keep Redis busy."""

    def busy(ended: threading.Event) -> None:
        with fleet.client() as client, contextlib.suppress(redis.RedisError):
            while not ended.wait(0.02):
                client.execute_command("DEBUG", "SLEEP", "0.25")

    with background(busy):
        yield


# -- the exporter ----------------------------------------------------------------------------------------


def lose_the_exporter(fleet: Fleet) -> Scenario:
    """Kill -9; then it is started again at the same address."""
    fleet.exporters[0].kill()
    yield
    fleet.start_exporter(listen=f"127.0.0.1:{fleet.exporters[0].port}")


def unreadable_key(fleet: Fleet) -> Scenario:
    """The key of the dead letters has the wrong type."""
    fleet.command("SET", "dramatiq:deep-research.XQ", "oops")
    yield
    fleet.command("DEL", "dramatiq:deep-research.XQ")
