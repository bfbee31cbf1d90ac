"""A real ``bioagents exporter`` on a free port, and requests to it."""

from __future__ import annotations

import base64
import http.client
import json
import re
import ssl
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from support.polling import wait_until
from support.programs import Program

_LISTENING = re.compile(r"listening on (https?)://([^/:]+|\[[^\]]+\]):(\d+)/metrics")


@dataclass(frozen=True)
class Answer:
    """What the exporter said."""

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
    """Started at once; ready when it says where it listens."""

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
        """Where it is, without a path."""
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
        """Whatever happens."""
        self.program.kill()
