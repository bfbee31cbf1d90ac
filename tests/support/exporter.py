"""A real ``bioagents exporter``, requests to it, and an observer that adds up increases."""

from __future__ import annotations

import base64
import http.client
import json
import re
import ssl
import sys
import threading
import urllib.request
from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from prometheus_client.parser import text_string_to_metric_families

from support.polling import wait_until
from support.programs import Program

_LISTENING = re.compile(r"listening on (https?)://([^/:]+|\[[^\]]+\]):(\d+)/metrics")


@dataclass(frozen=True)
class Answer:
    """A response of the exporter."""

    status: int
    headers: dict[str, str]
    body: bytes

    @property
    def text(self) -> str:
        """The body as text."""
        return self.body.decode()

    def json(self) -> Any:  # noqa: ANN401 - any JSON
        """The body as JSON."""
        return json.loads(self.body)

    def value(self, series: str) -> float | None:
        """The number of one series of an exposition, None without it."""
        lines = (line.rpartition(" ") for line in self.text.splitlines())
        return next((float(value) for name, _, value in lines if name == series), None)


class Exporter:
    """Started by the constructor, which waits until it listens."""

    def __init__(
        self,
        folder: Path,
        *args: str,
        env: dict[str, str] | None = None,
        listen: str = "127.0.0.1:0",
        name: str = "exporter",
    ) -> None:
        command = [sys.executable, "-m", "bioagents_cli", "exporter", "--web.listen-address", listen, *args]
        self.program = Program(command, cwd=folder, name=name, env=env)
        wait_until(lambda: self._listening() or not self.program.running, what="the exporter")
        found = self._listening()
        assert found, self.program.output()
        self.scheme, self.host, self.port = found[1], found[2].strip("[]"), int(found[3])

    def _listening(self) -> re.Match[str] | None:
        return _LISTENING.search(self.program.output())

    @property
    def url(self) -> str:
        """Its URL without a path."""
        return f"{self.scheme}://{self.host}:{self.port}"

    def get(
        self,
        path: str,
        *,
        method: str = "GET",
        headers: dict[str, str] | None = None,
        login: str = "",
        tls: ssl.SSLContext | None = None,
    ) -> Answer:
        """One request on a connection of its own; ``login`` is ``user:password``."""
        own = {"Authorization": "Basic " + base64.b64encode(login.encode()).decode()} if login else {}
        kind = http.client.HTTPSConnection if tls else http.client.HTTPConnection
        options: dict[str, Any] = {"context": tls} if tls else {}
        connection = kind(self.host, self.port, timeout=30, **options)
        try:
            connection.request(method, path, headers={**(headers or {}), **own})
            response = connection.getresponse()
            return Answer(response.status, dict(response.getheaders()), response.read())
        finally:
            connection.close()

    def stop(self) -> int:
        """SIGTERM; the exit status."""
        return self.program.stop()

    def kill(self) -> None:
        """SIGKILL."""
        self.program.kill()


#: (metric without prefix, queue, actor, exception)
Series = tuple[str, str, str, str]


class Observer:
    """Scrapes in a thread and adds up increases as Prometheus does; a scrape that fails is left out."""

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
