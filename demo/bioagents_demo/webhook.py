"""The receiver of the demo's alerts: an HTTP server in this process, to which Alertmanager posts."""

from __future__ import annotations

import json
import threading
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from http import HTTPStatus
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from queue import Empty, SimpleQueue
from typing import Any, Final

_LONGEST_BODY: Final = 1_000_000  # bytes


@dataclass(frozen=True, slots=True)
class Alert:
    """One alert of one notification."""

    name: str
    status: str  # "firing" or "resolved"
    receiver: str
    queue: str  # empty: the whole fleet
    summary: str

    def __str__(self) -> str:
        """One line for people."""
        subject = f"{self.name} ({self.queue})" if self.queue else self.name
        return f"{self.receiver} {self.status}: {subject}: {self.summary}"


class Webhook:
    """Keeps posted alerts until they are taken."""

    def __init__(self, port: int) -> None:
        self.port = port
        self.url = f"http://127.0.0.1:{port}/"
        self.alerts: SimpleQueue[Alert] = SimpleQueue()
        self._statuses: dict[tuple[str, str], str] = {}

    def take(self) -> Iterator[Alert]:
        """The alerts that changed since the last call, in their order.

        A notification repeats all alerts of its group, and may resolve one that never was firing here.
        """
        with suppress(Empty):
            while True:
                alert = self.alerts.get_nowait()
                if self._statuses.get((alert.name, alert.queue), "resolved") != alert.status:
                    self._statuses[alert.name, alert.queue] = alert.status
                    yield alert


@contextmanager
def listening() -> Iterator[Webhook]:
    """A webhook on a free port of 127.0.0.1, closed at the end."""
    server = ThreadingHTTPServer(("127.0.0.1", 0), _Handler)
    server.daemon_threads = True
    webhook = Webhook(server.server_port)
    server.webhook = webhook  # type: ignore[attr-defined]  # how the handler finds it
    threading.Thread(target=server.serve_forever, args=(0.05,), name="webhook", daemon=True).start()
    try:
        yield webhook
    finally:
        server.shutdown()
        server.server_close()


def alerts_of(notification: Mapping[str, Any]) -> Iterator[Alert]:
    """The alerts of one notification in Alertmanager's format, version 4."""
    for alert in notification["alerts"]:
        yield Alert(
            name=alert["labels"]["alertname"],
            status=alert["status"],
            receiver=notification["receiver"],
            queue=alert["labels"].get("queue", ""),
            summary=alert["annotations"].get("summary", ""),
        )


class _Handler(BaseHTTPRequestHandler):
    def do_POST(self) -> None:
        length = int(self.headers.get("Content-Length", "0"))
        status = HTTPStatus.OK
        try:
            # A longer body is cut, so it is not valid JSON.
            for alert in alerts_of(json.loads(self.rfile.read(min(length, _LONGEST_BODY)))):
                self.server.webhook.alerts.put(alert)  # type: ignore[attr-defined]
        except (ValueError, KeyError, TypeError, AttributeError):  # not sent by Alertmanager
            status = HTTPStatus.BAD_REQUEST
        self.send_response(status)
        self.end_headers()

    def log_message(self, *_: object) -> None:
        """Log nothing: the display shows the alerts."""
