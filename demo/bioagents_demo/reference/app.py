"""The application that ``dramatiq bioagents_demo.reference.app`` loads: broker, middleware, actors.

This is the only module that reads the environment and sets up a broker when it is imported: this is how a
Dramatiq application starts. For the variables see :mod:`bioagents_demo.reference.environment`.
"""

from __future__ import annotations

import os

import dramatiq
from dramatiq.brokers.redis import RedisBroker
from dramatiq.middleware import CurrentMessage

from bioagents_demo.reference.actors import declare
from bioagents_demo.reference.environment import Environment
from bioagents_worker import JobMetrics

environment = Environment.read(os.environ)
broker = RedisBroker(url=environment.redis_url, namespace=environment.namespace)  # type: ignore[no-untyped-call]  # Dramatiq leaves it untyped
broker.add_middleware(JobMetrics())
broker.add_middleware(CurrentMessage())
dramatiq.set_broker(broker)
actors = declare(broker, speed=environment.speed)
