"""Someone who scrapes an exporter and adds up increases, as Prometheus does."""

from __future__ import annotations

import threading
import urllib.request
from collections import Counter
from collections.abc import Iterable

from prometheus_client.parser import text_string_to_metric_families

#: (metric without prefix, queue, actor, exception)
Series = tuple[str, str, str, str]


class Observer:
    """Scrapes in a thread until it is stopped; a scrape that fails is left out."""

    def __init__(self, url: str, metrics: Iterable[str], *, interval: float = 0.2) -> None:
        self.url, self.interval = url, interval
        self.total: Counter[Series] = Counter()
        self.scrapes = 0
        self._metrics = frozenset(f"bioagents_{name}" for name in metrics)
        self._last: dict[tuple[Series, str], float] = {}
        self._lock, self._stopped = threading.Lock(), threading.Event()
        self._thread = threading.Thread(target=self._run, daemon=True)
        self._thread.start()

    def scrape(self) -> bool:
        """One scrape; whether it succeeded."""
        try:
            with urllib.request.urlopen(self.url, timeout=10) as response:
                text = response.read().decode()
        except OSError:
            return False
        with self._lock:
            for family in text_string_to_metric_families(text):
                for sample in family.samples:
                    if sample.name in self._metrics:
                        self._take(sample.name.removeprefix("bioagents_"), sample.labels, sample.value)
            self.scrapes += 1
        return True

    def _take(self, name: str, labels: dict[str, str], value: float) -> None:
        series = (name, labels["queue"], labels["actor"], labels.get("exception", ""))
        key = (series, labels.get("wire", ""))
        before = self._last.get(key, 0.0)
        self.total[series] += int(value - before if value >= before else value)
        self._last[key] = value

    def seen(self) -> Counter[Series]:
        """The increases so far, without those that are zero."""
        with self._lock:
            return +self.total

    def _run(self) -> None:
        while not self._stopped.wait(self.interval):
            self.scrape()

    def stop(self) -> None:
        self._stopped.set()
        self._thread.join()
