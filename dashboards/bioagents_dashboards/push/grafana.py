"""The few calls of Grafana's HTTP API that we make, with answers of our own types."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any
from urllib.parse import quote

from bioagents_dashboards.push.connection import Connection
from bioagents_dashboards.push.http import Http, NotFound
from bioagents_dashboards.shipped import BoardJson, DataSource

_PAGE = 1000  # of a list, as large as Grafana makes it without being asked


@dataclass(frozen=True, slots=True)
class Folder:
    """A folder as Grafana has it."""

    title: str
    writable: bool  # with this token; True where Grafana does not say


@dataclass(frozen=True, slots=True)
class Stored:
    """A board as Grafana has it."""

    body: BoardJson
    version: int
    folder: str  # uid; "" at the root
    folder_title: str
    provisioned: bool  # it comes from a file on Grafana's disk
    writable: bool  # with this token; True where Grafana does not say
    removable: bool  # the same
    message: str  # of its newest version
    author: str  # of its newest version; "" where Grafana does not say


class Grafana:
    """One Grafana; each method is one or two requests. GrafanaError for every refusal."""

    def __init__(self, connection: Connection) -> None:
        self.url = connection.url
        self._http = Http(connection)
        self._api = self._http.api

    def check(self) -> str:
        """The version of the Grafana that answers, "" where it hides it; NotGrafana for something else."""
        try:
            health = self._http.ask("its health", lambda: self._api.client.GET("/health"), dict)
        except NotFound as error:
            raise self._http.no_grafana() from error
        if "database" not in health:
            raise self._http.no_grafana()
        return str(health.get("version") or self._version_for_the_signed_in())

    def folder(self, uid: str) -> Folder | None:
        """The folder with this uid, wherever it is."""
        what = f"folder {uid!r}"
        try:
            return self._http.ask(what, lambda: self._api.folder.get_folder(uid), _folder)
        except NotFound:
            return None

    def folders(self) -> dict[str, str]:
        """Uid → title of the folders at the root that the token may see."""
        found: dict[str, str] = {}
        for page in range(1, 1000):
            more = self._folders(page)
            found.update(more)
            if len(more) < _PAGE:
                break
        return found

    def create_folder(self, uid: str, title: str) -> None:
        """Make a folder at the root."""
        self._http.ask(
            f"folder {title!r}", lambda: self._api.folder.create_folder(title, uid), lambda it: it["uid"]
        )

    def delete_folder(self, uid: str) -> None:
        """Remove a folder with all that is in it."""
        self._http.ask(f"folder {uid!r}", lambda: self._api.folder.delete_folder(uid), lambda _: None)

    def is_empty(self, uid: str) -> bool:
        """Whether nothing that we may see is in a folder."""
        search = self._api.search.search_dashboards
        return self._http.ask(
            f"folder {uid!r}", lambda: search(folder_uids=uid), lambda found: not list(found)
        )

    def source(self, name: str) -> DataSource:
        """The data source of this uid or, without one, of this name; NotFound."""
        what, path = f"data source {name!r}", quote(name, safe="")
        try:
            return self._http.ask(what, lambda: self._api.datasource.get_datasource_by_uid(path), _source)
        except NotFound:
            return self._http.ask(what, lambda: self._api.datasource.get_datasource_by_name(path), _source)

    def board(self, uid: str) -> Stored | None:
        """What Grafana has under this uid."""
        what = f"dashboard {uid!r}"
        try:
            found = self._http.ask(what, lambda: self._api.dashboard.get_dashboard(uid), _body_and_meta)
        except NotFound:
            return None
        return _stored(*found, *self._newest(uid))

    def tagged(self, tags: list[str]) -> list[str]:
        """The uids of the boards that carry all of these tags."""
        search = self._api.search.search_dashboards
        return self._http.ask(
            "the list of dashboards",
            lambda: search(tag=tags, type_="dash-db", limit=5000),
            lambda found: [str(hit["uid"]) for hit in found],
        )

    def save(self, board: BoardJson, *, folder: str, version: int, message: str) -> None:
        """Create or replace a board that has ``version`` (0: new); Conflict where it has another by now."""
        payload = {
            "dashboard": {**board, "version": version},
            "folderUid": folder,
            "message": message,
            "overwrite": False,  # the version says what we saw; Grafana refuses where it has another
        }
        update = self._api.dashboard.update_dashboard
        self._http.ask(f"dashboard {board['title']!r}", lambda: update(payload), lambda it: it["uid"])

    def delete(self, uid: str) -> None:
        """Remove a board."""
        self._http.ask(
            f"dashboard {uid!r}", lambda: self._api.dashboard.delete_dashboard(uid), lambda _: None
        )

    def _folders(self, page: int) -> dict[str, str]:
        return self._http.ask(
            "folders",
            lambda: self._api.client.GET("/folders", params={"limit": _PAGE, "page": page}),
            lambda found: {str(folder["uid"]): str(folder["title"]) for folder in found},
        )

    def _newest(self, uid: str) -> tuple[str, str]:
        """Message and author of the newest version."""
        call = self._api.dashboard_versions.get_dashboard_versions
        return self._http.ask(f"versions of {uid!r}", lambda: call(dashboard_uid=uid), _newest)

    def _version_for_the_signed_in(self) -> str:
        """``hide_version`` keeps it from those who are not, and health asks without a token."""
        return self._http.ask(
            "its settings",
            lambda: self._api.client.GET("/frontend/settings"),
            lambda settings: str(settings["buildInfo"].get("version") or ""),
        )


def _folder(found: dict[str, Any]) -> Folder:
    return Folder(str(found["title"]), found.get("canSave") is not False)


def _source(found: dict[str, Any]) -> DataSource:
    return DataSource(str(found["uid"]), str(found["name"]), str(found["type"]))


def _body_and_meta(found: dict[str, Any]) -> tuple[BoardJson, dict[str, Any]]:
    return dict(found["dashboard"]), dict(found["meta"])


def _stored(body: BoardJson, meta: dict[str, Any], message: str, author: str) -> Stored:
    return Stored(
        body=body,
        version=int(body.get("version") or 0),
        folder=str(meta.get("folderUid") or ""),
        folder_title=str(meta.get("folderTitle") or meta.get("folderUid") or "General"),
        provisioned=bool(meta.get("provisioned")),
        writable=meta.get("canSave") is not False,
        removable=meta.get("canDelete") is not False,
        message=message,
        author=author,
    )


def _newest(found: Any) -> tuple[str, str]:  # noqa: ANN401 - JSON
    # A plain list before Grafana 11, an object with a token for the next page since.
    versions = found["versions"] if isinstance(found, dict) else found
    newest: dict[str, Any] = max(versions, key=lambda version: int(version["version"]), default={})
    return str(newest.get("message") or ""), str(newest.get("createdBy") or "")
