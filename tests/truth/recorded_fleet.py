"""A fleet whose jobs write a record of all they do, and observers of its exporters."""

from __future__ import annotations

import os
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import redis
from record import METRICS, Series, expected
from times import violations

from support.exporter import Exporter, Observer
from support.polling import wait_until
from support.programs import Program, start_workers

HERE = Path(__file__).parent


class RecordedFleet:
    """Workers, producers and exporters of one test; ``url``: of Redis, for workers and producers."""

    def __init__(self, folder: Path, url: str, *, exporter_url: str | None = None, **env: str) -> None:
        self.folder, self.url = folder, url
        self.exporter_url = exporter_url or url
        self.record = folder / "record.txt"
        self.record.touch()
        self.env = {"REDIS_URL": url, "RECORD": str(self.record), "PYTHONPATH": str(HERE), **env}
        self.env |= {"dramatiq_restart_delay": "200"}
        self.programs: list[Program] = []
        self.exporters: list[Exporter] = []
        self.observers: list[Observer] = []

    def workers(self, *, processes: int = 2, threads: int = 4, program: tuple[str, ...] = ("-m", "dramatiq"),
                args: tuple[str, ...] = (), python: str = sys.executable, **env: str) -> Program:  # fmt: skip
        """Start a group of workers."""
        name = f"workers{len(self.programs)}"
        group = start_workers(
            "app", cwd=self.folder, path=HERE, processes=processes, threads=threads, env={**self.env, **env},
            args=args, name=name, program=program, python=python,
        )  # fmt: skip
        self.programs.append(group)
        return group

    def exporter(self) -> Observer:
        """Start an exporter and an observer that scrapes it."""
        exporter = Exporter(
            self.folder, "--redis.url", self.exporter_url, name=f"exporter{len(self.exporters)}"
        )
        self.exporters.append(exporter)
        observer = Observer(f"http://127.0.0.1:{exporter.port}/metrics", METRICS)
        self.observers.append(observer)
        return observer

    def produce(self, rounds: int, *, pause: float = 0.0, python: str = sys.executable, **env: str) -> None:
        """Send rounds of jobs from another process, and wait for its end."""
        command = [python, str(HERE / "app.py"), str(rounds), str(pause)]
        subprocess.run(
            command, check=True, timeout=300, env={**os.environ, **self.env, **env}, cwd=self.folder
        )

    def run(self, code: str) -> None:
        """Run a line of Python in a producer of the application."""
        command = [sys.executable, "-c", f"from app import *\n{code}"]
        subprocess.run(command, check=True, env={**os.environ, **self.env}, cwd=self.folder, timeout=60)

    def producer(self, rounds: int, *, pause: float) -> Program:
        """Send rounds of jobs in the background."""
        command = [sys.executable, str(HERE / "app.py"), str(rounds), str(pause)]
        program = Program(command, cwd=self.folder, name=f"producer{len(self.programs)}", env=self.env)
        self.programs.append(program)
        return program

    def expected(self) -> Counter[Series]:
        return expected(self.record)

    def client(self) -> redis.Redis:
        return redis.Redis.from_url(self.exporter_url)

    def idle(self) -> bool:
        """Whether no job waits, runs or is delayed."""
        client = self.client()
        return not any(client.hlen(f"dramatiq:{q}{d}.msgs") for q in ("chat", "deep") for d in ("", ".DQ"))

    def settle(self, *, timeout: float = 90, idle: bool = True) -> None:
        """Wait until all jobs are done (if ``idle``) and the record has not changed for 1.5 seconds."""
        if idle:
            wait_until(self.idle, timeout=timeout, interval=0.2, what="all jobs done")
        self._still(timeout)

    def _still(self, timeout: float) -> None:
        deadline, size, since = time.monotonic() + timeout, -1, time.monotonic()
        while time.monotonic() < deadline:
            now = self.record.stat().st_size
            if now != size:
                size, since = now, time.monotonic()
            elif time.monotonic() - since > 1.5:
                return
            time.sleep(0.1)
        raise AssertionError("the record did not stop changing")

    def difference(self, observer: Observer) -> dict[Series, tuple[int, int]]:
        """Series → (record, observed), where they differ."""
        record, seen = self.expected(), observer.seen()
        return {key: (record[key], seen[key]) for key in sorted(record | seen) if record[key] != seen[key]}

    def assert_exact(self, *observers: Observer, timeout: float = 20) -> None:
        """Wait until each counter of each observer equals the record; it still does two scrapes later."""
        for observer in observers or self.observers:
            deadline = time.monotonic() + timeout
            while (difference := self.difference(observer)) and time.monotonic() < deadline:
                time.sleep(0.2)
            assert not difference, difference
            scrapes = observer.scrapes
            wait_until(lambda o=observer, n=scrapes: o.scrapes >= n + 2, what="two more scrapes")
            assert not (difference := self.difference(observer)), difference

    def assert_times(self) -> None:
        """Assert that the record allows every sum and every bucket of both histograms."""
        for exporter in self.exporters:
            assert not (wrong := violations(self.record, exporter.get("/metrics").text)), wrong

    def assert_never_above(self, observer: Observer) -> None:
        record = self.expected()
        above = {key: (record[key], n) for key, n in observer.seen().items() if n > record[key]}
        assert not above, above

    def close(self) -> None:
        for observer in self.observers:
            observer.stop()
        for exporter in self.exporters:
            exporter.program.kill()
        for program in self.programs:
            program.kill()


@contextmanager
def recorded_fleet(
    folder: Path, url: str, *, exporter_url: str | None = None, **env: str
) -> Iterator[RecordedFleet]:
    """A fleet whose processes are all stopped at the end."""
    built = RecordedFleet(folder, url, exporter_url=exporter_url, **env)
    try:
        yield built
    finally:
        built.close()
