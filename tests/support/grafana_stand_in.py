"""A stand-in for Grafana's HTTP API: no Grafana, but a server written from the API's documentation.

It knows health, settings, folders, data sources, search, dashboards by uid and their versions, with the
fields and statuses that Grafana's documentation of its HTTP API has on the pages "Other", "Folder", "Data
source", "Folder/Dashboard Search", "Dashboard" and "Dashboard Versions": 401, 403, 404, 409 for a folder that
exists, 412 with the status ``version-mismatch``. The 400 for a provisioned board is Grafana's own answer,
which those pages do not name. It can lose connections, and be something else.
"""

from __future__ import annotations

import json
import ssl
import threading
from collections.abc import Callable
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any, Self
from urllib.parse import parse_qs, unquote, urlsplit

from support.programs import Certificate

Answer = tuple[int, Any]


@dataclass
class Board:
    """One stored dashboard with its history."""

    body: dict[str, Any]
    folder: str
    messages: list[str]
    provisioned: bool = False
    authors: list[str] = field(default_factory=list)
    writable: bool = True
    removable: bool = True

    @property
    def version(self) -> int:
        return len(self.messages)


@dataclass
class Loss:
    """A connection that breaks at a request."""

    request: str  # "METHOD end-of-path"
    part: str  # "request": before it is carried out; "reply": after
    after: int = 0  # so many such requests come through
    for_good: bool = False  # nothing comes through any more
    began: bool = False


@dataclass
class State:
    """What the stand-in has, and how it is to misbehave."""

    tokens: dict[str, str] = field(default_factory=lambda: {"editor": "Editor", "viewer": "Viewer"})
    version: str = "12.2.0"
    hides_version: bool = False  # from those who are not signed in
    folders: dict[str, str] = field(default_factory=dict)
    nested: dict[str, str] = field(default_factory=dict)  # not at the root
    closed: set[str] = field(default_factory=set)  # folders in which the token may not save
    boards: dict[str, Board] = field(default_factory=dict)
    sources: list[dict[str, str]] = field(default_factory=list)
    requests: list[str] = field(default_factory=list)
    writes: int = 0
    loss: Loss | None = None
    plain_versions: bool = False  # the answer's form before Grafana 11
    before: dict[str, Callable[[], object]] = field(default_factory=dict)  # called once before such a request
    refuses: dict[str, Answer] = field(default_factory=dict)  # "METHOD end-of-path" → answer
    redirects_to: str = ""
    page: str = ""  # of another server: HTML, whatever is asked


class GrafanaStandIn:
    """Listens on a free port of 127.0.0.1 while the context lasts."""

    def __init__(self, path: str = "", certificate: Certificate | None = None) -> None:
        self.state, self.path, self._certificate = State(), path, certificate

    @property
    def url(self) -> str:
        scheme = "https" if self._certificate else "http"
        return f"{scheme}://127.0.0.1:{self._server.server_address[1]}{self.path}"

    def edit(self, uid: str, author: str = "alice") -> None:
        """A person adds a panel in the browser."""
        board = self.state.boards[uid]
        panel = {"title": "Mine", "type": "text"}
        board.body = {**board.body, "panels": [*board.body["panels"], panel]}
        board.messages.append("")
        board.authors.append(author)

    def __enter__(self) -> Self:
        """Start to listen."""
        handler = type("Handler", (_Handler,), {"state": self.state, "prefix": f"{self.path}/api"})
        self._server = ThreadingHTTPServer(("127.0.0.1", 0), handler)
        if self._certificate:
            context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
            context.load_cert_chain(self._certificate.certificate, self._certificate.key)
            self._server.socket = context.wrap_socket(self._server.socket, server_side=True)
            self._server.handle_error = lambda *_: None  # type: ignore[method-assign,assignment] # a refused handshake
        self._thread = threading.Thread(target=self._server.serve_forever, kwargs={"poll_interval": 0.01})
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        """Stop and wait until it has."""
        self._server.shutdown()
        self._server.server_close()
        self._thread.join()


class _Handler(BaseHTTPRequestHandler):
    disable_nagle_algorithm = True  # a header and a body are two writes
    state: State
    prefix: str

    def log_message(self, *_: object) -> None:
        """Log nothing."""

    def do_GET(self) -> None:
        self._handle(None)

    def do_DELETE(self) -> None:
        self._handle(None)

    def do_POST(self) -> None:
        self._handle(json.loads(self.rfile.read(int(self.headers["Content-Length"]))))

    def _handle(self, body: dict[str, Any] | None) -> None:
        parts = urlsplit(self.path)
        self.query = parse_qs(parts.query)
        self.state.requests.append(f"{self.command} {parts.path}")
        lost = self._lost()
        answer = (0, None) if lost == "request" else self._answer(parts.path, body)
        if lost:
            self.close_connection = True
        else:
            self._send(*answer)

    def _lost(self) -> str:
        loss = self.state.loss
        if loss is None or not (loss.began or self._is_now(loss.request)):
            return ""
        loss.after -= 1
        if loss.after >= 0:
            return ""
        loss.began, self.state.loss = True, loss if loss.for_good else None
        return loss.part

    def _is_now(self, request: str) -> bool:
        """Whether this request is "METHOD end-of-path"."""
        method, end = request.split(" ")
        return self.command == method and urlsplit(self.path).path.endswith(end)

    def _answer(self, path: str, body: dict[str, Any] | None) -> Answer:
        for request in filter(self._is_now, list(self.state.before)):
            self.state.before.pop(request)()
        for request in filter(self._is_now, self.state.refuses):
            return self.state.refuses[request]
        return self._route(path.removeprefix(self.prefix), body)

    def _send(self, status: int, body: object) -> None:
        status = 301 if self.state.redirects_to else 200 if self.state.page else status
        text = (self.state.page or json.dumps(body)).encode()
        kind = "text/html" if self.state.page else "application/json"
        self.send_response(status)
        if self.state.redirects_to:
            self.send_header("Location", self.state.redirects_to)
        self.send_header("Content-Type", f"{kind}; charset=UTF-8")
        self.send_header("Content-Length", str(len(text)))
        self.end_headers()
        self.wfile.write(text)

    def _route(self, path: str, body: dict[str, Any] | None) -> Answer:
        if path == "/health":
            version = {} if self.state.hides_version else {"version": self.state.version, "commit": "0000000"}
            return 200, {"database": "ok", **version}
        role = self.state.tokens.get(self.headers.get("Authorization", "").removeprefix("Bearer "))
        if role is None:
            return 401, {"message": "Invalid API key"}
        if self.command != "GET":
            if role != "Editor":
                return 403, {"message": "You'll need additional permissions to perform this action."}
            self.state.writes += 1
        return self._known(path, body)

    def _known(self, path: str, body: dict[str, Any] | None) -> Answer:
        kind, _, rest = path.lstrip("/").partition("/")
        if kind == "frontend":
            return 200, {"buildInfo": {"version": self.state.version}}
        if kind == "search":
            return self._search()
        route = {"folders": self._folders, "datasources": self._sources, "dashboards": self._boards}.get(kind)
        return route(rest, body) if route else (404, {"message": "Not found"})

    def _search(self) -> Answer:
        wanted = set(self.query.get("tag", []))
        folders = self.query.get("folderUIDs")
        boards = [
            (uid, board)
            for uid, board in self.state.boards.items()
            if folders is None or board.folder in folders
        ]
        found = [(uid, board.body) for uid, board in boards if wanted <= set(board.body.get("tags", []))]
        return 200, [{"uid": uid, "title": body["title"], "type": "dash-db"} for uid, body in found]

    def _folders(self, rest: str, body: dict[str, Any] | None) -> Answer:
        folders, known = self.state.folders, {**self.state.folders, **self.state.nested}
        if rest and rest not in known:
            return 404, {"message": "folder not found", "status": "not-found"}
        if self.command == "DELETE":
            folders.pop(rest)
            return 200, {"message": "Folder deleted"}
        if rest:
            return 200, {"id": 1, "uid": rest, "title": known[rest], "canSave": rest not in self.state.closed}
        if body is None:
            size, page = int(self.query["limit"][0]), int(self.query["page"][0])
            shown = list(folders.items())[size * (page - 1) : size * page]
            return 200, [{"id": 1, "uid": uid, "title": title} for uid, title in shown]
        if body["uid"] in known:
            return 409, {"message": "a folder with that uid already exists"}
        folders[body["uid"]] = body["title"]
        return 200, {"id": 1, "uid": body["uid"], "title": body["title"]}

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
        if self.command == "DELETE":
            del self.state.boards[uid]
            return 200, {"title": board.body["title"], "message": f"Dashboard {board.body['title']} deleted"}
        return self._versions(board) if more == "versions" else self._one(board)

    def _versions(self, board: Board) -> Answer:
        authors = [*["sa-bioagents"] * (board.version - len(board.authors)), *board.authors]
        pairs = enumerate(zip(board.messages, authors, strict=True), 1)
        versions = [{"version": i, "message": message, "createdBy": by} for i, (message, by) in pairs][::-1]
        return 200, versions if self.state.plain_versions else {"continueToken": "", "versions": versions}

    def _one(self, board: Board) -> Answer:
        title = {**self.state.folders, **self.state.nested}.get(board.folder, "General")
        meta = {"folderUid": board.folder, "folderTitle": title, "provisioned": board.provisioned}
        meta |= {"version": board.version, "canSave": board.writable, "canDelete": board.removable}
        return 200, {"dashboard": {**board.body, "id": 1, "version": board.version}, "meta": meta}

    def _save(self, body: dict[str, Any]) -> Answer:
        board, uid = body["dashboard"], body["dashboard"]["uid"]
        have = self.state.boards.get(uid)
        if refusal := self._refusal(body, have):
            return refusal
        messages = [*(have.messages if have else []), body.get("message", "")]
        authors = [*have.authors, "sa-bioagents"] if have else []
        self.state.boards[uid] = Board(board, body.get("folderUid") or "", messages, authors=authors)
        return 200, {"id": 1, "uid": uid, "status": "success", "version": len(messages), "url": f"/d/{uid}"}

    def _refusal(self, body: dict[str, Any], have: Board | None) -> Answer | None:
        folder = body.get("folderUid")
        if folder and folder not in {**self.state.folders, **self.state.nested}:
            return 400, {"message": "folder not found"}
        if have and have.provisioned:
            return 400, {"message": "Cannot save provisioned dashboard"}
        if have and not body["overwrite"] and have.version != body["dashboard"].get("version"):
            said = "The dashboard has been changed by someone else"
            return 412, {"status": "version-mismatch", "message": said}
        return None
