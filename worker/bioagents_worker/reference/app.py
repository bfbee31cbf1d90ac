"""What ``dramatiq bioagents_worker.reference.app`` loads: a broker, our middleware, the actors.

This is the one module that reads the environment and sets up a broker when it is imported, because that is
how a Dramatiq application starts. Environment: see :mod:`bioagents_worker.reference.environment`.
"""

from __future__ import annotations

import os

import dramatiq
from dramatiq.brokers.redis import RedisBroker
from dramatiq.middleware import CurrentMessage

from bioagents_worker import JobMetrics
from bioagents_worker.reference.actors import declare
from bioagents_worker.reference.environment import Environment

environment = Environment.read(os.environ)
broker = RedisBroker(url=environment.redis_url, namespace=environment.namespace)  # type: ignore[no-untyped-call]  # Dramatiq leaves it untyped
broker.add_middleware(JobMetrics())
broker.add_middleware(CurrentMessage())
dramatiq.set_broker(broker)
actors = declare(broker, speed=environment.speed)
