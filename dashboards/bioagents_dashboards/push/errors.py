"""What Grafana can answer besides yes.

UsageError
└── GrafanaError        one line that says what Grafana refused
    ├── NotFound        404
    ├── Conflict        412, or 409: it has something else under that name or version
    ├── NotGrafana      something else answers
    └── NoAnswer        no connection, none in time, or one lost in the middle
"""

from __future__ import annotations

from bioagents_cli.parsing import UsageError


class GrafanaError(UsageError):
    """Grafana refused or answered something that we do not understand."""


class NotFound(GrafanaError):  # noqa: N818 - an answer, and often no error
    """It has no such thing."""


class Conflict(GrafanaError):  # noqa: N818 - an answer
    """It has something else there."""


class NotGrafana(GrafanaError):  # noqa: N818 - what was found
    """An answer as no Grafana gives it."""


class NoAnswer(GrafanaError):  # noqa: N818 - what happened
    """Whether the request was carried out is not known."""
