"""What all rule sources share: one variant's names, thresholds, labels, links and queries in texts."""

from __future__ import annotations

import json
import re
import textwrap
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import Final

from bioagents_alerts import diagnosis
from bioagents_alerts.model import Alert, Record
from bioagents_alerts.objectives import Objective
from bioagents_alerts.promql import COPIES, Origin, PromQL, Series, record_of
from bioagents_alerts.selector import Matcher
from bioagents_alerts.thresholds import THRESHOLDS, number
from bioagents_exporter.catalogue import FLEET_LABEL
from bioagents_exporter.settings import DEFAULT_PREFIX

RUNBOOKS: Final = "http://127.0.0.1:9877/runbooks"
GRAFANA: Final = "http://127.0.0.1:3000"

# What texts show of an alert, as templates of Prometheus.
FLEET: Final = "{{ $labels.fleet }}"
QUEUE: Final = "{{ $labels.queue }}"
ROLE: Final = "{{ $labels.queues }}"
HOST: Final = "{{ $labels.host }}"
ACTOR: Final = "{{ $labels.actor }}"
COUNT: Final = '{{ $value | printf "%.0f" }}'
SHARE: Final = "{{ $value | humanizePercentage }}"
AGE: Final = "{{ $value | humanizeDuration }}"

#: Labels of every alert, which no series has; vmalert shows them to templates too.
_ADDED: Final = ("severity", "product", "board")
_OTHERS: Final = "|".join(("__name__", "alertname", "alertgroup", *_ADDED))


def _set(variable: str, *left_out: str) -> str:
    return (
        f'{{{{ {variable} := "" }}}}{{{{ range $name, $text := $labels }}}}'
        f'{{{{ if match "^({"|".join((_OTHERS, *left_out))})$" $name }}}}'
        f'{{{{ else if match "^[a-zA-Z_][a-zA-Z0-9_]*$" $name }}}}'
        f'{{{{ {variable} = printf "%s=%q,%s" $name $text {variable} }}}}'
        f'{{{{ else }}}}{{{{ {variable} = printf "%q=%q,%s" $name $text {variable} }}}}'
        "{{ end }}{{ end -}} "
    )


#: Sets ``$in`` to matchers for the labels of the alert's series, so that a query in a text asks for the same
#: fleet, queue and cluster, whatever labels the targets have. Since Prometheus 3 a name may be any text.
_IN: Final = _set("$in")
#: The same without the actor, for what is known by queue.
_OF: Final = _set("$of", "actor")
#: The same without what an alert is about, for what is known of the whole fleet.
OF_FLEET: Final = "$fleet"
_FLEET: Final = _set(OF_FLEET, "queue", "actor", "cause")
_OF_ACTOR: Final = "var-actor={{ .Labels.actor | urlquery }}&"
#: Labels that people put on their targets, for which boards have a variable.
_PLACES: Final = ("region", "cluster", "environment")
_UNKNOWN: Final = "(unknown)"


@dataclass(frozen=True, slots=True)
class Variant:
    """What rules can be built for; all of it is valid."""

    prefix: str = DEFAULT_PREFIX
    selector: tuple[Matcher, ...] = ()
    copies: tuple[str, ...] = COPIES
    thresholds: Mapping[str, float] = field(default_factory=lambda: MappingProxyType({}))
    objectives: tuple[Objective, ...] = ()
    runbook_url: str = RUNBOOKS
    dashboard_url: str = GRAFANA


class Builder:
    """Makes the rules of one variant; ``ql`` writes their expressions."""

    def __init__(self, variant: Variant) -> None:
        self.variant = variant
        self.ql = PromQL(variant.prefix, variant.copies, self._matchers)
        #: The same for queries in texts: of the alert's own labels, by a format of printf.
        self.same = PromQL(variant.prefix, variant.copies, self._matchers_of_alert)
        #: Of any labels.
        self.others = PromQL(variant.prefix, variant.copies, self.escaped)
        #: Of the alert's labels without the actor.
        self.of_queue = PromQL(variant.prefix, variant.copies, self._matchers_of_queue)

    def _matchers(self, series: Series) -> Iterable[str]:
        for matcher in self.variant.selector:
            if series.origin is Origin.TARGET and matcher.label == FLEET_LABEL:
                continue
            if series.origin is Origin.RULE and matcher.label in self.variant.copies:
                continue
            yield str(matcher)

    def escaped(self, series: Series) -> Iterable[str]:
        """The same in a format of printf."""
        return (matcher.replace("%", "%%") for matcher in self._matchers(series))

    def _matchers_of_alert(self, series: Series) -> Iterable[str]:
        return (*self.escaped(series), "%[1]s")

    def _matchers_of_queue(self, series: Series) -> Iterable[str]:
        return (*self.escaped(series), "%[2]s")

    def record(self, name: str, expr: str, comment: str = "") -> Record:
        """A recording rule; ``name`` has the default prefix."""
        return Record(self.ql.renamed(name), textwrap.dedent(expr).strip(), comment)

    def gauge(self, name: str, comment: str = "", **equal: str) -> Record:
        """The recording rule of one of the :data:`~bioagents_alerts.promql.RECORDED_GAUGES`."""
        expr = self.ql.over_copies(self.ql.series(name, **equal), *equal)
        return self.record(record_of(name, **equal), expr, comment)

    def alert(  # noqa: PLR0913 - the fields of an alert, by name
        self,
        name: str,
        expr: str,
        *,
        severity: str,
        board: str,
        summary: str,
        description: str,
        pending: str = "",
        keep_firing: str = "",
        window: str = "3h",
        actor: str = "",
        comment: str = "",
        since: str = "",
    ) -> Alert:
        """An alert with the labels and links that every alert has.

        ``window`` is the time that the board shows, ``actor`` a query for the actor on which it opens. The
        texts may use what :meth:`each` returns. The description of an alert about a queue ends with what
        changed there, and each with ``since``: since when, and how many.
        """
        if QUEUE in description:
            description += diagnosis.changes(self.of_queue if ACTOR in description else self.same)
        summary, description = (
            re.sub(r"\s*\n\s*", " ", text)  # a newline in a selector is written as \n there
            for text in (summary, description + since)
        )
        return Alert(
            name=name,
            expr=textwrap.dedent(expr).strip(),
            pending=pending,
            keep_firing=keep_firing,
            labels=dict(zip(_ADDED, (severity, "bioagents", board), strict=True)),
            annotations={
                "summary": _asking(summary),
                "description": _asking(description),
                "runbook_url": f"{self.variant.runbook_url}/{name}{_for_queue(summary)}",
                "dashboard_url": f"{self.variant.dashboard_url}/d/{board}?{_variables(summary + description)}"
                f"{_asking(self.each(actor, _OF_ACTOR)) if actor else ''}from=now-{window}&to=now",
            },
            comment=comment,
        )

    def each(self, query: str, text: str, sort: str = "", known: str = "") -> str:
        """A template that repeats ``text`` for each result of ``query``, which ``same`` has written.

        ``text`` may show ``.Labels`` and ``.Value``. ``known`` is what the query asks by, if it is not
        the alert's own labels: :data:`OF_FLEET`.
        """
        ask = diagnosis.asked(query, known)
        ordered = f'{ask} | sortByLabel "{sort}"' if sort else ask
        return f"{{{{ range {ordered} }}}}{text}{{{{ end }}}}"

    def within(self, label: str) -> PromQL:
        """For a query inside the text of :meth:`each`: of the alert's labels and this one of the result."""
        variant = self.variant
        return PromQL(
            variant.prefix, variant.copies, lambda series: (*self.escaped(series), f"%[1]s{label}=%[2]q")
        )

    def each_within(self, label: str, query: str, text: str) -> str:
        """As :meth:`each`, of a query that ``within(label)`` has written."""
        asked = f"query (printf {json.dumps(query, ensure_ascii=False)} $in .Labels.{label})"
        return f"{{{{ range {asked} }}}}{text}{{{{ end }}}}"

    def down_targets(self) -> str:
        """The pipeline of a template that lists the targets of the alert's job that are down."""
        up = self.others.target("up", "job=%q")
        query = json.dumps(f"{up} == 0", ensure_ascii=False)
        return f'printf {query} $labels.job | query | sortByLabel "instance"'

    def threshold(self, alert: str) -> float:
        """The threshold of an alert."""
        return self.variant.thresholds.get(alert, THRESHOLDS[alert].default)

    def limit(self, alert: str) -> str:
        """The same as PromQL writes it."""
        return number(self.threshold(alert))


def _asking(text: str) -> str:
    """The text, with the variables set that the queries in it use."""
    variables = {"$in": _IN, "$of": _OF, OF_FLEET: _FLEET}
    return "".join([*(set_ for name, set_ in variables.items() if name in text), text])


def _for_queue(summary: str) -> str:
    """The queue, which the runbook fills into its commands."""
    return "?queue={{ $labels.queue | urlquery }}" if QUEUE in summary else ""


def _variables(shown: str) -> str:
    """The variables of the board: what the alert's texts name, and the place of its target."""
    found = "var-fleet={{ $labels.fleet | urlquery }}&" if "$labels.fleet" in shown else ""
    if _UNKNOWN in shown:  # an alert that may not know its fleet opens the board on all of them
        found = f'{{{{ if ne $labels.fleet "{_UNKNOWN}" }}}}{found}{{{{ end }}}}'
    found += "".join(_given(label) for label in ("queue", "actor") if f"$labels.{label} " in shown)
    if "$labels.queues" in shown:
        found += 'var-queue={{ $labels.queues | urlquery | reReplaceAll "%2C" "&var-queue=" }}&'
    return found + "".join(map(_given, _PLACES)) if found else ""


def _given(label: str) -> str:
    return f"{{{{ with $labels.{label} }}}}var-{label}={{{{ . | urlquery }}}}&{{{{ end }}}}"
