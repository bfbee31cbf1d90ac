"""Times the hooks of one middleware; answers each line of input with one line of JSON.

Usage: hooks_probe.py KIND (none, ours or dramatiq), REDIS_URL in the environment.
Input: WHAT THREADS JOBS BLOCKS, where WHAT is ``process`` (before and after an attempt) or ``life`` (of a whole
job); JOBS of all threads together make a block, and between two blocks the process has time to flush.
Output: microseconds per job: ``wall`` of the hooks (median of the blocks), and ``cpu`` of the whole process from
the first block until after the last one, including background work (adding up, flushing, heartbeats).
"""

from __future__ import annotations

import json
import os
import statistics
import sys
import threading
import time
from collections.abc import Callable, Sequence

import dramatiq
from dramatiq.brokers.redis import RedisBroker
from dramatiq.middleware import Middleware

Block = Callable[[Sequence[dramatiq.MessageProxy]], None]
SETTLE = 0.15  # seconds after a block: one flush or more


def middleware(kind: str) -> Middleware:
    match kind:
        case "ours":
            from bioagents_worker import JobMetrics

            return JobMetrics()
        case "dramatiq":
            from dramatiq.middleware.prometheus import Prometheus

            return Prometheus()
    return Middleware()  # each hook does nothing


class Probe:
    """A worker process without jobs, so that only the calls of this program are measured."""

    def __init__(self, kind: str) -> None:
        self.hooks = middleware(kind)
        self.broker = RedisBroker(url=os.environ["REDIS_URL"], middleware=[])
        self.broker.add_middleware(self.hooks)
        self.actor = dramatiq.actor(lambda: None, broker=self.broker, actor_name="nothing")
        self.broker.emit_after("process_boot")
        dramatiq.Worker(self.broker, queues={"none"}, worker_threads=1).start()

    def process(self, proxies: Sequence[dramatiq.MessageProxy]) -> None:
        before, after, broker = (
            self.hooks.before_process_message,
            self.hooks.after_process_message,
            self.broker,
        )
        for proxy in proxies:
            before(broker, proxy)
            after(broker, proxy)

    def life(self, proxies: Sequence[dramatiq.MessageProxy]) -> None:
        hooks, broker = self.hooks, self.broker
        for proxy in proxies:
            message = proxy._message
            hooks.before_enqueue(broker, message, None)
            hooks.after_enqueue(broker, message, None)
            hooks.before_process_message(broker, proxy)
            hooks.after_process_message(broker, proxy)
            hooks.before_ack(broker, proxy)
            hooks.after_ack(broker, proxy)

    def measure(self, what: str, threads: int, jobs: int, blocks: int) -> dict[str, float]:
        block: Block = self.life if what == "life" else self.process
        walls, cpu = [], 0.0
        for _ in range(blocks):
            work = [
                [dramatiq.MessageProxy(self.actor.message()) for _ in range(jobs // threads)]
                for _ in range(threads)
            ]
            before = time.process_time()
            walls.append(run(block, work) / jobs)
            time.sleep(SETTLE)
            cpu += time.process_time() - before
        return {"wall": statistics.median(walls) * 1e6, "cpu": cpu / jobs / blocks * 1e6}


def run(block: Block, work: list[list[dramatiq.MessageProxy]]) -> float:
    """Run each list in its own thread, all at the same time; returns seconds until the last one ends."""
    start = threading.Barrier(len(work) + 1)

    def body(proxies: list[dramatiq.MessageProxy]) -> None:
        start.wait()
        block(proxies)

    threads = [threading.Thread(target=body, args=(proxies,)) for proxies in work]
    for thread in threads:
        thread.start()
    start.wait()
    began = time.perf_counter()
    for thread in threads:
        thread.join()
    return time.perf_counter() - began


def main(kind: str) -> None:
    probe = Probe(kind)
    print(json.dumps({}), flush=True)
    for line in sys.stdin:
        what, *numbers = line.split()
        print(json.dumps(probe.measure(what, *map(int, numbers))), flush=True)
    os._exit(0)  # do not wait for the threads of the idle worker


if __name__ == "__main__":
    main(sys.argv[1])
