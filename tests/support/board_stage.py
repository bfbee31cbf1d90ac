"""A small real fleet under load, two exporters and a Prometheus: what the boards' queries are run against."""

from __future__ import annotations

import json
import sys
import time
import urllib.parse
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from bioagents_alerts import write_prometheus, write_rules
from support.boards import EVERYTHING, Query, fill
from support.monitoring import Prometheus, answers, get
from support.polling import free_port, wait_until
from support.programs import Program
from support.redis_server import RedisServer

APP: Final = Path(__file__).parents[1] / "dashboards" / "app"
RATE_INTERVAL: Final = "15s"

#: Limits that this fleet reaches within a minute; dead letters that all expire within a day.
_CONFIG: Final = "limits: {defaults: {wait: 5s}}\n"
_DEAD_MESSAGE_TTL: Final = "1h"

Series = tuple[dict[str, str], float]


@dataclass(frozen=True, slots=True)
class BoardStage:
    """Where the queries go, and the two exporters behind it."""

    prometheus: Prometheus
    exporters: tuple[str, str]

    def run(self, query: Query, **values: str) -> list[Series]:
        """The series of a query, as Grafana asks for them, with the last value of each."""
        expression = fill(query.expression, {**EVERYTHING, "__rate_interval": RATE_INTERVAL, **values})
        if query.instant:
            return self.prometheus.query(expression)
        now = time.time()
        parameters = {"query": expression, "start": f"{now - 60}", "end": f"{now}", "step": "5"}
        page = f"{self.prometheus.url}/api/v1/query_range?{urllib.parse.urlencode(parameters)}"
        answer: dict[str, Any] = json.loads(get(page))
        assert "warnings" not in answer
        return [(series["metric"], float(series["values"][-1][1])) for series in answer["data"]["result"]]


@contextmanager
def board_stage(folder: Path) -> Iterator[BoardStage]:
    """Chat workers that fail now and then, research workers with a backlog, an alert about to fire."""
    with ExitStack() as cleanup:
        redis = RedisServer(folder / "redis")
        cleanup.callback(redis.kill)
        for queue, processes in (("chat", "2"), ("deep-research", "1")):
            flags = ("--queues", queue, "--processes", processes, "--threads", "4", "--speed", "10")
            worker = _bioagents(folder, f"worker-{queue}", "worker", "--redis.url", redis.url, *flags)
            cleanup.callback(worker.kill)
        producer = [sys.executable, str(APP / "produce.py")]
        program = Program(producer, cwd=folder, name="producer", env={"REDIS_URL": redis.url})
        cleanup.callback(program.kill)
        (folder / "exporter.yml").write_text(_CONFIG)
        exporters = (_exporter(folder, redis.url, cleanup), _exporter(folder, redis.url, cleanup))
        rules = write_rules(folder / "rules", factor=120)
        config = write_prometheus(folder, exporters, rules, [], scrape_interval=1.0)
        prometheus = Prometheus(folder, config)
        cleanup.callback(prometheus.stop)
        yield BoardStage(prometheus, exporters)


def _exporter(folder: Path, redis_url: str, cleanup: ExitStack) -> str:
    address = f"127.0.0.1:{free_port()}"
    flags = (
        "--redis.url",
        redis_url,
        "--web.listen-address",
        address,
        "--redis.dead-message-ttl",
        _DEAD_MESSAGE_TTL,
    )
    exporter = _bioagents(folder, f"exporter-{address}", "exporter", *flags, "--config.file", "exporter.yml")
    cleanup.callback(exporter.stop)
    wait_until(lambda: answers(f"http://{address}/-/ready"), what=f"the exporter, see {exporter.log}")
    return address


def _bioagents(folder: Path, name: str, *arguments: str) -> Program:
    return Program([sys.executable, "-m", "bioagents_cli", *arguments], cwd=folder, name=name)
