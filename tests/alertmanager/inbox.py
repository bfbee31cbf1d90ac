"""What messages are sent to: an HTTP server that keeps them whole, and a mail server that keeps letters."""

from __future__ import annotations

import json
import socketserver
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from email import message_from_bytes, policy
from email.message import EmailMessage
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any


@dataclass(frozen=True, slots=True)
class Posted:
    """One HTTP request: one message to people."""

    path: str
    authorization: str | None
    body: dict[str, Any]

    @property
    def receiver(self) -> str:
        """Of a message to a webhook."""
        return str(self.body["receiver"])

    @property
    def fleets(self) -> set[str]:
        """Those whose alerts are in a message to a webhook."""
        return {alert["labels"].get("fleet", "") for alert in self.body["alerts"]}

    @property
    def names(self) -> list[str]:
        """The alerts' names, in order, once each."""
        return list(dict.fromkeys(alert["labels"]["alertname"] for alert in self.body["alerts"]))


class Inbox:
    """Keeps every message that was posted to it, in order."""

    def __init__(self, port: int) -> None:
        self.url = f"http://127.0.0.1:{port}/"
        self.messages: list[Posted] = []

    def of(self, fleet: str) -> list[Posted]:
        """The messages to the webhook that hold alerts of this fleet."""
        return [message for message in self.messages if fleet in message.fleets]

    def to(self, path: str) -> list[Posted]:
        """What was posted to one path."""
        return [message for message in self.messages if message.path == path]


@contextmanager
def inbox() -> Iterator[Inbox]:
    """An HTTP server of this process on a free port; it answers as each service does."""

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            body = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
            found.messages.append(Posted(self.path, self.headers["Authorization"], body))
            self.send_response(202 if "routing_key" in body else 200)
            self.end_headers()
            self.wfile.write(b"ok")

        def log_message(self, *_: object) -> None:
            """Say nothing: the messages are the record."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    found = Inbox(server.server_port)
    with _serving(server):
        yield found


@dataclass(frozen=True, slots=True)
class Mailbox:
    """``host:port`` of a mail server, the commands that it received, and the letters."""

    address: str
    commands: list[str]
    letters: list[EmailMessage]


@contextmanager
def mailbox() -> Iterator[Mailbox]:
    """A mail server that knows as much of the protocol as Alertmanager needs."""
    letters: list[EmailMessage] = []
    commands: list[str] = []
    answers = {
        "EHLO": "250-hello\r\n250 AUTH PLAIN",
        "AUTH": "235 welcome",
        "DATA": "354 go on",
        "QUIT": "221 bye",
    }

    class Handler(socketserver.StreamRequestHandler):
        def handle(self) -> None:
            self._say("220 ready")
            while line := self.rfile.readline():
                commands.append(line.decode().strip())
                verb = commands[-1].split()[0].upper()
                self._say(answers.get(verb, "250 ok"))
                if verb == "DATA":
                    lines = b"".join(iter(self.rfile.readline, b".\r\n"))
                    # A dot at a line's beginning is doubled on the way.
                    lines = lines.replace(b"\n..", b"\n.")
                    letters.append(message_from_bytes(lines, policy=policy.default))
                    self._say("250 ok")

        def _say(self, line: str) -> None:
            self.wfile.write(f"{line}\r\n".encode())

    server = socketserver.ThreadingTCPServer(("127.0.0.1", 0), Handler)
    with _serving(server):
        yield Mailbox(f"127.0.0.1:{server.server_address[1]}", commands, letters)


@contextmanager
def _serving(server: socketserver.BaseServer) -> Iterator[None]:
    thread = threading.Thread(target=server.serve_forever, args=(0.05,), name="inbox")
    thread.start()
    try:
        yield
    finally:
        server.shutdown()
        thread.join()
        server.server_close()
