"""The increases that a real Prometheus sees equal the record."""

from __future__ import annotations

from collections import Counter
from pathlib import Path

from record import METRICS, Series
from recorded_fleet import recorded_fleet

from bioagents_alerts import write_prometheus
from support.monitoring import Prometheus
from support.polling import wait_until
from support.redis_server import RedisServer


def increases(prometheus: Prometheus) -> Counter[Series]:
    """From its raw samples: each increase, and the whole value after a decrease."""
    names = "|".join(f"bioagents_{name}" for name in METRICS)
    matrix = prometheus._api("query", query=f'{{__name__=~"{names}"}}[1h]')["result"]
    total: Counter[Series] = Counter()
    for series in matrix:
        labels, last = series["metric"], 0.0
        name = labels["__name__"].removeprefix("bioagents_")
        key = (name, labels["queue"], labels["actor"], labels.get("exception", ""))
        for _, text in series["values"]:
            total[key] += int(float(text) - last if float(text) >= last else float(text))
            last = float(text)
    return +total


def test_prometheus_adds_up_the_record(tmp_path: Path, redis_server: RedisServer) -> None:
    """Over a restart of the workers; jobs that they had just fetched are redelivered."""
    with recorded_fleet(tmp_path, redis_server.url, HEARTBEAT_TIMEOUT="15000") as fleet:
        first = fleet.workers()
        observer = fleet.exporter()
        config = write_prometheus(tmp_path, [f"127.0.0.1:{fleet.exporters[0].port}"], [], [], 1)
        prometheus = Prometheus(tmp_path, config)
        try:
            fleet.produce(60)
            first.stop()
            fleet.workers()
            fleet.produce(60)
            fleet.settle()
            fleet.assert_exact(observer)
            wait_until(lambda: increases(prometheus) == fleet.expected(), what="Prometheus has all")
            assert not prometheus.complaints()
        finally:
            prometheus.stop()
