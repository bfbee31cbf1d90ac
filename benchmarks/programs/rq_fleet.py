"""Run by RQ's environment: real queues with jobs, and workers registered by RQ's own code.

Usage: rq_fleet.py PORT QUEUES WORKERS
"""

from __future__ import annotations

import sys

import redis
import rq  # not in our environment

JOBS = 3  # waiting in each queue
WORKER_TTL = 3600  # seconds without a heartbeat: none is sent here


def main(port: int, queues: int, workers: int) -> None:
    connection = redis.Redis(port=port)
    all_queues = [rq.Queue(f"queue-{i:04}", connection=connection) for i in range(queues)]
    for queue in all_queues:
        for _ in range(JOBS):
            queue.enqueue("math.sqrt", 2)
    for number in range(workers):
        mine = [all_queues[(number + k) % queues] for k in range(min(2, queues))]
        worker = rq.Worker(mine, connection=connection, name=f"worker-{number:04}", worker_ttl=WORKER_TTL)
        worker.register_birth()


if __name__ == "__main__":
    main(*map(int, sys.argv[1:]))
