"""grafana-client, with its answers checked and its errors turned into ours.

UsageError
└── GrafanaError        one line that says what Grafana refused
    ├── NotFound        404
    ├── Conflict        412, or 409: another object or version under that name
    ├── NotGrafana      something else answers
    └── NoAnswer        no connection, none in time, or one lost in the middle
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Final, TypeVar

import niquests
from grafana_client.api import GrafanaApi
from grafana_client.client import GrafanaClientError, GrafanaException

from bioagents_cli.parsing import UsageError
from bioagents_dashboards.push.connection import Connection

#: Seconds until a call counts as not answered.
TIMEOUT: Final = 15.0

_REFUSED: Final = {
    401: "the token is wrong or has expired: expected a service account token in $GRAFANA_TOKEN or "
    "--grafana.token-file",
    403: "the token has no permission for this: expected a service account with the role Editor",
}

Answer = TypeVar("Answer")


class GrafanaError(UsageError):
    """Grafana refused or answered something that we do not understand."""


class NotFound(GrafanaError):  # noqa: N818 - an answer, and often no error
    """Grafana does not have the requested object (404)."""


class Conflict(GrafanaError):  # noqa: N818 - an answer
    """Grafana has another object, or another version of it, under that name (409, 412)."""


class NotGrafana(GrafanaError):  # noqa: N818 - what was found
    """The answer is not one of Grafana's API: another server responds at this address."""


class NoAnswer(GrafanaError):  # noqa: N818 - what happened
    """Grafana did not answer; it is not known whether it applied the request."""


class Http:
    """Makes requests to one Grafana."""

    def __init__(self, connection: Connection) -> None:
        self.url = connection.url
        self.api: Any = GrafanaApi(
            auth=connection.token,
            protocol=connection.scheme,
            host=connection.host,
            port=connection.port,
            url_path_prefix=connection.path,
            verify=str(connection.ca_file) if connection.ca_file else True,
            timeout=TIMEOUT,
        )
        # A redirected POST arrives as a GET: better no answer than the answer to another question.
        self.api.client.s.hooks["response"].append(self._stay)

    def ask(self, what: str, request: Callable[[], Any], read: Callable[[Any], Answer]) -> Answer:
        """The answer to a request about ``what``, as ``read`` makes it; GrafanaError for all else."""
        try:
            return read(request())
        except GrafanaClientError as error:
            raise self._refusal(what, error) from error
        except niquests.exceptions.JSONDecodeError as error:
            raise self.no_grafana() from error
        except (GrafanaException, niquests.exceptions.RequestException, OSError) as error:
            raise self._no_answer(what, error) from error
        except (KeyError, TypeError, ValueError, AttributeError, IndexError) as error:
            raise self.no_grafana() from error

    def no_grafana(self) -> NotGrafana:
        """The error where something else answers."""
        return NotGrafana(
            f"{self.url} answers, but is not a Grafana server: expected the address before /api"
        )

    def _stay(self, response: object, **_: object) -> None:
        if isinstance(response, niquests.Response) and response.is_redirect:
            target = str(response.headers.get("Location", "")).partition("?")[0]
            raise GrafanaError(
                f"{self.url} redirects ({response.status_code}) to {target!r}: expected the address of the "
                "Grafana itself"
            )

    def _refusal(self, what: str, error: GrafanaClientError) -> GrafanaError:
        status = int(error.status_code)
        reason = _REFUSED.get(status) or _said(error) or "no reason given"
        kind = {404: NotFound, 409: Conflict, 412: Conflict}.get(status, GrafanaError)
        return kind(f"Grafana at {self.url} refused {what} ({status}): {reason}")

    def _no_answer(self, what: str, error: Exception) -> GrafanaError:
        status = int(getattr(error, "status_code", 0))
        if status:
            reason = _said(error) or "no reason given"
            return GrafanaError(f"Grafana at {self.url} failed at {what} ({status}): {reason}")
        if isinstance(error, niquests.exceptions.SSLError):
            return NoAnswer(
                f"no TLS with {self.url}: {_short(error)}; expected a certificate that this machine trusts, "
                "or its authority in --grafana.ca-file"
            )
        return NoAnswer(f"no answer from {self.url} about {what}: {_short(error)}")


def _said(error: Exception) -> str:
    response = getattr(error, "response", None)
    return str(response.get("message") or "") if isinstance(response, dict) else ""


def _short(error: Exception) -> str:
    """The innermost cause, which is the one that a person understands."""
    cause: BaseException = error
    while cause.__context__ is not None:
        cause = cause.__context__
    return str(cause) or type(cause).__name__
