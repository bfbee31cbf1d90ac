"""PromQL that follows the boards' variables, gives one answer for all copies and keeps fleets apart.

Gauges take the maximum over the copies first, counters the maximum over the copies' rates (a maximum over
counters would show resets that never happened). Further aggregations name the labels that they drop, so that
``fleet``, ``job`` and any label that a user added to the target stay.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Final

from bioagents_alerts import record_names
from bioagents_alerts.promql import Origin, PromQL, Series, metric, without

#: Labels that the series of a target have in common, with a variable for each.
TARGET: Final = ("fleet", "region", "cluster", "environment")
#: A metric's own labels that have a variable.
OWN: Final = ("queue", "actor", "worker")
#: Every variable that chooses series, in the order in which a board shows them.
VARIABLES: Final = (*TARGET, *OWN, "job", "instance")

#: A graph draws at most this many lines of queues, actors or workers at each moment.
TOP: Final = 10

#: Marks the parts of a joined expression.
_PART: Final = "part"

#: Matches the variable ``queue`` against the label ``queues``: the queues of a worker, with commas.
#: The exporter cuts long lists off ("…,+4 more (1a2b3c4d)"): such a worker may consume any queue.
SERVES_QUEUE: Final = r"(.*,)?$queue(,.*)?|.*,\\+\\d+ more \\(.*\\)"


def _chosen(series: Series) -> list[str]:
    """Matchers for the variables of the labels that a series has."""
    copies = ("instance",) if series.origin is Origin.EXPORTER else ()
    labels = ("job", *copies, *TARGET, *(label for label in OWN if label in series.labels))
    serves = [f'queues=~"{SERVES_QUEUE}"'] if "queues" in series.labels else []
    return [*map(_follows, labels), *serves]


def _follows(label: str) -> str:
    return f'{label}=~"${label}"'


_PROMQL: Final = PromQL(matchers=_chosen, records=record_names())
selector = _PROMQL.series
gauge = _PROMQL.gauge
over_copies = _PROMQL.over_copies


def recorded(name: str, *labels: str, ago: str = "") -> str:
    """A series that the rules record; ValueError when no rule does.

    ``labels`` are those of its own that the variables choose, as queue, worker or queues. ``ago`` (as ``1d``)
    asks for the value of that time before.
    """
    return _PROMQL.recorded(name, *labels) + (f" offset {ago}" if ago else "")


def rate(name: str, *, keep: Iterable[str] = (), **equal: str) -> str:
    """The increase of a counter per second, summed over its own labels but ``keep``."""
    return _PROMQL.rate(name, "$__rate_interval", keep=keep, **equal)


def variable_selector(name: str, *labels: str) -> str:
    """The series of a metric as far as the variables of these labels choose."""
    return f"{_PROMQL.prefix}{metric(name).name}{{{', '.join(map(_follows, labels))}}}"


def each_copy(name: str) -> str:
    """What every copy publishes by itself, for panels about the copies."""
    return unnamed(selector(name))


def unnamed(expression: str) -> str:
    """The same series without the metric's name, which would keep the lines of a table apart."""
    return f"max without () ({expression})"


def together(how: str, parts: Mapping[str, str]) -> str:
    """``how`` (as "sum") joins several expressions, some of which may lack a series.

    A label marks them, so that ``or`` takes all of them and not the first one.
    """
    marked = (f'label_replace({expr}, "{_PART}", "{name}", "", "")' for name, expr in parts.items())
    return f"{how} without ({_PART}) ({' or '.join(marked)})"


def top(expression: str, count: int = TOP) -> str:
    """The ``count`` highest series, at each step."""
    return f"topk({count}, {expression})"


def bottom(expression: str, count: int = TOP) -> str:
    """The ``count`` lowest series, at each step."""
    return f"bottomk({count}, {expression})"


def highest(expression: str, *per: str) -> str:
    """In each fleet the highest of the series that differ in the labels ``per``, which it keeps."""
    return f"topk without ({', '.join(per)}) (1, {expression})"


def lowest(expression: str, *per: str) -> str:
    """In each fleet the lowest of the series that differ in the labels ``per``, which it keeps."""
    return f"bottomk without ({', '.join(per)}) (1, {expression})"


def near_limit(value: str, limit: str) -> str:
    """The limit where over half of it is used, so that its line appears when it matters."""
    return f"{limit} and ({value} > 0.5 * {limit})"


def near_threshold(value: str, threshold: float, *per: str) -> str:
    """A threshold of the alerts, the same for all series, where over half of it is used.

    One line for each fleet: ``per`` are the labels of ``value`` that distinguish its series.
    """
    used = without("max", f"{value} > {threshold / 2:g}", *per)
    return f"{threshold:g} + 0 * ({used})"


def one_fleet_alone(expression: str) -> str:
    """Nothing while several fleets are chosen: a heat map would merge their buckets."""
    return f"{expression} and on () (count({rate('jobs_processed_total')}) == 1)"
