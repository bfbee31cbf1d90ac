"""A stand-in for Grafana's HTTP API: no Grafana, but a server written from the API's documentation.

It knows health, folders, data sources, dashboards by uid and their versions, with the statuses that the pages
"Dashboard API", "Dashboard Versions", "Folder API" and "Data source API" of the documentation name: 401, 403,
404, 409, 412 (``version-mismatch``) and 400 for provisioned boards. It can lose connections.
"""

from __future__ import annotations

import json
import threading
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any, Self
from urllib.parse import unquote, urlsplit

Answer = tuple[int, Any]


@dataclass
class Board:
    """One stored dashboard with its history."""

    body: dict[str, Any]
    folder: str
    messages: list[str]
    provisioned: bool = False

    @property
    def version(self) -> int:
        return len(self.messages)


@dataclass
class State:
    """What the stand-in has, and how it is to misbehave."""

    tokens: dict[str, str] = field(default_factory=lambda: {"editor": "Editor", "viewer": "Viewer"})
    folders: dict[str, str] = field(default_factory=dict)
    boards: dict[str, Board] = field(default_factory=dict)
    sources: list[dict[str, str]] = field(default_factory=list)
    requests: list[str] = field(default_factory=list)
    writes: int = 0
    lose: str = ""  # "request" or "reply" of the next POST of a dashboard
    plain_versions: bool = False  # the answer's form before Grafana 11
    before_save: Any = None  # called once before the next dashboard is saved


class GrafanaStandIn:
    """Listens on a free port of 127.0.0.1 while the context lasts."""

    def __init__(self, path: str = "") -> None:
        self.state, self.path = State(), path

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self._server.server_address[1]}{self.path}"

    def edit(self, uid: str) -> None:
        """A person saves the board in the browser."""
        self.state.boards[uid].messages.append("")

    def __enter__(self) -> Self:
        """Start to listen."""
        handler = type("Handler", (_Handler,), {"state": self.state, "prefix": f"{self.path}/api"})
        self._server = ThreadingHTTPServer(("127.0.0.1", 0), handler)
        self._thread = threading.Thread(target=self._server.serve_forever, kwargs={"poll_interval": 0.01})
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        """Stop and wait until it has."""
        self._server.shutdown()
        self._server.server_close()
        self._thread.join()


class _Handler(BaseHTTPRequestHandler):
    state: State
    prefix: str

    def log_message(self, *_: object) -> None:
        """Stay silent."""

    def do_GET(self) -> None:
        self._handle(None)

    def do_DELETE(self) -> None:
        self._handle(None)

    def do_POST(self) -> None:
        self._handle(json.loads(self.rfile.read(int(self.headers["Content-Length"]))))

    def _handle(self, body: dict[str, Any] | None) -> None:
        path = urlsplit(self.path).path
        self.state.requests.append(f"{self.command} {path}")
        saves = self.command == "POST" and path.endswith("/dashboards/db")
        lose, self.state.lose = (self.state.lose, "") if saves else ("", self.state.lose)
        answer = (0, None) if lose == "request" else self._route(path.removeprefix(self.prefix), body)
        if lose:
            self.close_connection = True
            return
        self._send(*answer)

    def _send(self, status: int, body: object) -> None:
        text = json.dumps(body).encode()
        self.send_response(status)
        self.send_header("Content-Type", "application/json; charset=UTF-8")
        self.send_header("Content-Length", str(len(text)))
        self.end_headers()
        self.wfile.write(text)

    def _route(self, path: str, body: dict[str, Any] | None) -> Answer:
        if path == "/health":
            return 200, {"database": "ok", "version": "12.2.0", "commit": "0000000"}
        role = self.state.tokens.get(self.headers.get("Authorization", "").removeprefix("Bearer "))
        if role is None:
            return 401, {"message": "Invalid API key"}
        if self.command != "GET":
            if role != "Editor":
                return 403, {"message": "You'll need additional permissions to perform this action."}
            self.state.writes += 1
        kind, _, rest = path.lstrip("/").partition("/")
        route = {"folders": self._folders, "datasources": self._sources, "dashboards": self._boards}.get(kind)
        return route(rest, body) if route else (404, {"message": "Not found"})

    def _folders(self, rest: str, body: dict[str, Any] | None) -> Answer:
        folders = self.state.folders
        if self.command == "DELETE":
            folders.pop(rest)
            return 200, {"message": "Folder deleted"}
        if body is None:
            return 200, [{"id": 1, "uid": uid, "title": title} for uid, title in folders.items()]
        if body["title"] in folders.values():
            return 409, {"message": "a folder with the same name already exists in the current location"}
        uid = str(body.get("uid") or f"folder{len(folders) + 1}")
        folders[uid] = body["title"]
        return 200, {"id": 1, "uid": uid, "title": body["title"]}

    def _sources(self, rest: str, _: dict[str, Any] | None) -> Answer:
        key, wanted = rest.split("/", 1)
        found = [source for source in self.state.sources if source[key] == unquote(wanted)]
        return (200, found[0]) if found else (404, {"message": "Data source not found"})

    def _boards(self, rest: str, body: dict[str, Any] | None) -> Answer:
        if body is not None:
            return self._save(body)
        uid, _, more = rest.removeprefix("uid/").partition("/")
        board = self.state.boards.get(uid)
        if board is None:
            return 404, {"message": "Dashboard not found"}
        if more == "versions":
            versions = [{"version": i, "message": m} for i, m in enumerate(board.messages, 1)][::-1]
            return 200, versions if self.state.plain_versions else {"continueToken": "", "versions": versions}
        meta = {"folderUid": board.folder, "provisioned": board.provisioned, "version": board.version}
        return 200, {"dashboard": {**board.body, "id": 1, "version": board.version}, "meta": meta}

    def _save(self, body: dict[str, Any]) -> Answer:
        hook, self.state.before_save = self.state.before_save, None
        if hook:
            hook()
        board, uid = body["dashboard"], body["dashboard"]["uid"]
        have = self.state.boards.get(uid)
        if refusal := self._refusal(body, have):
            return refusal
        messages = [*(have.messages if have else []), body.get("message", "")]
        self.state.boards[uid] = Board(board, body.get("folderUid") or "", messages)
        return 200, {"id": 1, "uid": uid, "status": "success", "version": len(messages), "url": f"/d/{uid}"}

    def _refusal(self, body: dict[str, Any], have: Board | None) -> Answer | None:
        folder = body.get("folderUid")
        if folder and folder not in self.state.folders:
            return 400, {"message": "folder not found"}
        if have and have.provisioned:
            return 400, {"message": "Cannot save provisioned dashboard"}
        if have and not body["overwrite"] and have.version != body["dashboard"].get("version"):
            said = "The dashboard has been changed by someone else"
            return 412, {"status": "version-mismatch", "message": said}
        return None
