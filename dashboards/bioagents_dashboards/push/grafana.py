"""The few calls of Grafana's HTTP API that we make, with answers and errors of our own types."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Final
from urllib.parse import quote

import niquests
from grafana_client.api import GrafanaApi
from grafana_client.client import GrafanaClientError, GrafanaException

from bioagents_dashboards.push.connection import Connection
from bioagents_dashboards.push.errors import Conflict, GrafanaError, NoAnswer, NotFound

#: Seconds until a call counts as not answered.
TIMEOUT: Final = 15.0

_REFUSED: Final = {
    401: "the token is wrong or has expired: expected a service account token in $GRAFANA_TOKEN or "
    "--grafana.token-file",
    403: "the token has no permission for this: expected a service account with the role Editor",
}


@dataclass(frozen=True, slots=True)
class Stored:
    """A board as Grafana has it."""

    version: int
    folder: str  # uid; "" at the root
    provisioned: bool  # it comes from a file on Grafana's disk
    message: str  # of its newest version


@dataclass(frozen=True, slots=True)
class Source:
    """A data source."""

    uid: str
    name: str
    kind: str


class Grafana:
    """One Grafana; each method is one or two requests. GrafanaError for every refusal."""

    def __init__(self, connection: Connection) -> None:
        self.url = connection.url
        self._api: Any = GrafanaApi(
            auth=connection.token,
            protocol=connection.scheme,
            host=connection.host,
            port=connection.port,
            url_path_prefix=connection.path,
            timeout=TIMEOUT,
        )

    def check(self) -> str:
        """The version of the Grafana that answers; GrafanaError where something else does."""
        answer = self._call("its health", lambda: self._api.client.GET("/health"))
        if not isinstance(answer, dict) or "database" not in answer:
            raise GrafanaError(f"{self.url} answers, but is no Grafana: expected the address before /api")
        return str(answer.get("version", ""))

    def folders(self) -> dict[str, str]:
        """Uid → title of the folders at the root that the token may see."""
        found = self._call("folders", self._api.folder.get_all_folders)
        return {str(folder["uid"]): str(folder["title"]) for folder in found}

    def create_folder(self, title: str) -> str:
        """The new folder's uid."""
        return str(self._call(f"folder {title!r}", lambda: self._api.folder.create_folder(title))["uid"])

    def delete_folder(self, uid: str) -> None:
        """Remove a folder with all that is in it."""
        self._call(f"folder {uid!r}", lambda: self._api.folder.delete_folder(uid))

    def source(self, name: str) -> Source:
        """The data source of this uid or, without one, of this name; NotFound."""
        what, path = f"data source {name!r}", quote(name, safe="")
        try:
            found = self._call(what, lambda: self._api.datasource.get_datasource_by_uid(path))
        except NotFound:
            found = self._call(what, lambda: self._api.datasource.get_datasource_by_name(path))
        return Source(str(found["uid"]), str(found["name"]), str(found["type"]))

    def board(self, uid: str) -> Stored | None:
        """What Grafana has under this uid."""
        what = f"dashboard {uid!r}"
        try:
            found = self._call(what, lambda: self._api.dashboard.get_dashboard(uid))
        except NotFound:
            return None
        meta = found["meta"]
        return Stored(
            version=int(found["dashboard"].get("version", 0)),
            folder=str(meta.get("folderUid") or ""),
            provisioned=bool(meta.get("provisioned")),
            message=self._newest_message(uid),
        )

    def save(
        self, board: dict[str, object], *, folder: str, version: int, message: str, overwrite: bool
    ) -> None:
        """Create or replace a board that has ``version`` (0: new); Conflict where it has another by now."""
        payload = {
            "dashboard": {**board, "version": version},
            "folderUid": folder,
            "message": message,
            "overwrite": overwrite,
        }
        self._call(f"dashboard {board['title']!r}", lambda: self._api.dashboard.update_dashboard(payload))

    def _newest_message(self, uid: str) -> str:
        call = self._api.dashboard_versions.get_dashboard_versions
        found = self._call(f"versions of {uid!r}", lambda: call(dashboard_uid=uid, limit=1))
        # A plain list before Grafana 11, an object with a token for the next page since.
        versions = found["versions"] if isinstance(found, dict) else found
        return str(versions[0].get("message", "")) if versions else ""

    def _call(self, what: str, request: Callable[[], Any]) -> Any:  # noqa: ANN401 - JSON
        try:
            return request()
        except GrafanaClientError as error:
            raise self._refusal(what, error) from error
        except (GrafanaException, niquests.exceptions.RequestException) as error:
            raise self._no_answer(what, error) from error
        except json.JSONDecodeError as error:
            raise GrafanaError(
                f"{self.url} answers, but is no Grafana: expected the address before /api"
            ) from error

    def _refusal(self, what: str, error: GrafanaClientError) -> GrafanaError:
        status = int(error.status_code)
        said = error.response.get("message", "") if isinstance(error.response, dict) else ""
        reason = _REFUSED.get(status) or str(said) or "no reason given"
        kind = {404: NotFound, 409: Conflict, 412: Conflict}.get(status, GrafanaError)
        return kind(f"Grafana at {self.url} refused {what} ({status}): {reason}")

    def _no_answer(self, what: str, error: Exception) -> GrafanaError:
        status = int(getattr(error, "status_code", 0))
        if status:
            return GrafanaError(f"Grafana at {self.url} failed at {what} ({status}): {error}")
        return NoAnswer(f"no answer from {self.url} about {what}: {_short(error)}")


def _short(error: Exception) -> str:
    """The innermost cause, which is the one that a person understands."""
    cause: BaseException = error
    while cause.__context__ is not None:
        cause = cause.__context__
    return str(cause) or type(cause).__name__
