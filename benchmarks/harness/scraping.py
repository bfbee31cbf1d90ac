"""Scrapes as Prometheus does: over one connection, kept alive if the server allows it."""

from __future__ import annotations

import http.client
import statistics
import time
from collections.abc import Callable

from support.polling import wait_until

ACCEPT = "text/plain;version=0.0.4;q=0.9,*/*;q=0.1"


class Scraper:
    """A client of one target on 127.0.0.1."""

    def __init__(self, port: int, *, gzip: bool = False) -> None:
        self.port = port
        self._headers = {"Accept": ACCEPT, "Accept-Encoding": "gzip" if gzip else "identity"}
        self._connection = http.client.HTTPConnection("127.0.0.1", port, timeout=60)

    def get(self, path: str = "/metrics") -> bytes:
        """The body; RuntimeError for any status but 200."""
        self._connection.request("GET", path, headers=self._headers)
        response = self._connection.getresponse()
        body = response.read()
        if response.status != http.client.OK:
            raise RuntimeError(f"port {self.port}{path}: status {response.status}")
        return body

    def try_get(self, path: str = "/metrics") -> bytes:
        """The body; empty while the server does not answer."""
        try:
            return self.get(path)
        except (OSError, http.client.HTTPException, RuntimeError):
            self._connection.close()
            return b""

    def seconds(self) -> float:
        """The time of one scrape, from the request to the last byte."""
        began = time.perf_counter()
        self.get()
        return time.perf_counter() - began

    def wait(self, text: bytes = b"", *, timeout: float = 60.0) -> bytes:
        """The first body that holds ``text``."""

        def found() -> bytes:
            body = self.try_get()
            return body if text in body else b""

        return wait_until(found, timeout=timeout, what=f"{text!r} on port {self.port}")

    def stop(self) -> None:
        self._connection.close()


def p50(scraper: Scraper, scrapes: int, before: Callable[[], object] | None = None) -> float:
    """The median in seconds; ``before`` runs ahead of each scrape, without being timed."""
    scraper.wait()  # untimed: servers close connections that were idle for some seconds
    times = []
    for _ in range(scrapes):
        if before is not None:
            before()
        times.append(scraper.seconds())
    return statistics.median(times)
