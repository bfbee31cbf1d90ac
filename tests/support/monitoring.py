"""A real Prometheus, a real Alertmanager and a webhook that keeps what it receives."""

from __future__ import annotations

import json
import re
import threading
import urllib.parse
import urllib.request
from collections.abc import Mapping
from dataclasses import dataclass
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any, Final

from support.polling import free_port, wait_until
from support.programs import Program, Release, require


def get(url: str) -> str:
    """The body of a page of a server on this host; OSError unless it answers 200."""
    with urllib.request.urlopen(url, timeout=10) as answer:
        return str(answer.read().decode())


def answers(url: str) -> bool:
    """Whether the page answers with 200."""
    try:
        get(url)
    except OSError:
        return False
    return True


class _Server:
    """A program with a page ``/-/ready``."""

    def __init__(self, args: list[str], *, folder: Path, address: str, release: Release) -> None:
        self.address, self.url = address, f"http://{address}"
        program = [require(args[0], release), *args[1:]]
        self.program = Program(program, cwd=folder, name=f"{args[0]}-{release}")
        try:
            wait_until(self._ready, what=f"{args[0]} on {address}, see {self.program.log}")
        except AssertionError:
            self.stop()
            raise

    def _ready(self) -> bool:
        assert self.program.running, self.program.output()
        return answers(f"{self.url}/-/ready")

    def stop(self) -> None:
        self.program.stop()

    def complaints(self) -> list[str]:
        """The warnings and errors in its log."""
        return [
            line
            for line in self.program.output().splitlines()
            if any(f"level={level}" in line.lower() for level in ("warn", "error", "crit"))
        ]


_REFUSED: Final = "different value but same timestamp"
_MISSED: Final = re.compile(
    r'^prometheus_rule_group_iterations_missed_total\{rule_group="[^"]*;([^";]+)"\} [1-9]', re.MULTILINE
)


class Prometheus(_Server):
    """Runs ``config``, a file of :func:`bioagents_alerts.write_prometheus`, with further ``flags``."""

    def __init__(self, folder: Path, config: Path, *flags: str, release: Release = "stable") -> None:
        address = f"127.0.0.1:{free_port()}"
        args = ["prometheus", f"--config.file={config}", f"--storage.tsdb.path={folder / f'data-{release}'}"]
        args += [f"--web.listen-address={address}", *flags]
        super().__init__(args, folder=folder, address=address, release=release)

    def _api(self, path: str, **parameters: str) -> Any:  # noqa: ANN401 - JSON of many shapes
        page = f"{self.url}/api/v1/{path}?{urllib.parse.urlencode(parameters)}"
        return json.loads(get(page))["data"]

    def query(self, expression: str) -> list[tuple[dict[str, str], float]]:
        """Labels and value of each series of an instant query."""
        result = self._api("query", query=expression)["result"]
        return [(series["metric"], float(series["value"][1])) for series in result]

    def targets(self) -> list[dict[str, Any]]:
        """The scraped targets, with ``health``, ``lastError`` and ``scrapeUrl``."""
        return list(self._api("targets", state="active")["activeTargets"])

    def alert_states(self) -> dict[str, str]:
        """Alert name → ``pending`` or ``firing``; alerts that are neither are left out."""
        return {alert["labels"]["alertname"]: alert["state"] for alert in self._api("alerts")["alerts"]}

    def complaints(self) -> list[str]:
        """The warnings and errors in its log, without those of groups that were evaluated late.

        After an evaluation that took longer than the interval, Prometheus may evaluate the group twice at
        one timestamp; the second result is refused. Its own metrics show which groups missed evaluations.
        """
        found = super().complaints()
        if not any(_REFUSED in line for line in found):
            return found
        late = {f"group={group} " for group in _MISSED.findall(get(f"{self.url}/metrics"))}
        return [line for line in found if _REFUSED not in line or not any(group in line for group in late)]


class Alertmanager(_Server):
    """Runs ``config`` without a cluster port."""

    def __init__(self, folder: Path, config: Path, *, release: Release = "stable") -> None:
        address = f"127.0.0.1:{free_port()}"
        data = folder / f"alerts-{release}"
        args = ["prometheus-alertmanager", f"--config.file={config}", f"--storage.path={data}"]
        args += ["--cluster.listen-address=", f"--web.listen-address={address}"]
        super().__init__(args, folder=folder, address=address, release=release)


@dataclass(frozen=True, slots=True)
class Notice:
    """One alert in one notification."""

    name: str
    status: str  # "firing" or "resolved"
    receiver: str
    labels: Mapping[str, str]
    annotations: Mapping[str, str]


class Webhook:
    """An HTTP server in this process that keeps every alert of the notifications it receives, in order."""

    def __init__(self) -> None:
        self.notices: list[Notice] = []
        self._server = ThreadingHTTPServer(("127.0.0.1", 0), _handler(self.notices))
        self._thread = threading.Thread(target=self._server.serve_forever, args=(0.05,), name="webhook")
        self._thread.start()

    @property
    def url(self) -> str:
        """Where Alertmanager posts to."""
        return f"http://127.0.0.1:{self._server.server_port}/"

    def find(self, name: str, status: str) -> list[Notice]:
        """The notices of one alert with one status."""
        return [notice for notice in self.notices if (notice.name, notice.status) == (name, status)]

    def stop(self) -> None:
        """Close the port."""
        self._server.shutdown()
        self._thread.join()
        self._server.server_close()


def _handler(notices: list[Notice]) -> type[BaseHTTPRequestHandler]:
    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            message = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
            notices.extend(_notice(message["receiver"], alert) for alert in message["alerts"])
            self.send_response(200)
            self.end_headers()

        def log_message(self, *_: object) -> None:
            """No log: the notices are the record."""

    return Handler


def _notice(receiver: str, alert: Mapping[str, Any]) -> Notice:
    labels: dict[str, str] = alert["labels"]
    return Notice(labels["alertname"], alert["status"], receiver, labels, alert["annotations"])


class StaticExposition:
    """Serves one text as ``/metrics``, for tests of the runners above."""

    def __init__(self, text: str) -> None:
        self.text = text
        self._server = ThreadingHTTPServer(("127.0.0.1", 0), _exposition(self))
        self._thread = threading.Thread(target=self._server.serve_forever, args=(0.05,), name="exposition")
        self._thread.start()

    @property
    def address(self) -> str:
        """``host:port`` to scrape."""
        return f"127.0.0.1:{self._server.server_port}"

    def stop(self) -> None:
        """Close the port."""
        self._server.shutdown()
        self._thread.join()
        self._server.server_close()


def _exposition(source: StaticExposition) -> type[BaseHTTPRequestHandler]:
    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            self.send_response(200)
            self.send_header("Content-Type", "text/plain; version=0.0.4; charset=utf-8")
            self.end_headers()
            self.wfile.write(source.text.encode())

        def log_message(self, *_: object) -> None:
            """No log: Prometheus scrapes every second."""

    return Handler
