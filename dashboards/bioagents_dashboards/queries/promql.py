"""Writes PromQL in which several copies of an exporter give one answer and two fleets never merge.

Copies differ in the labels :data:`COPIES` alone. Gauges take the maximum over the copies first, counters take
it over the copies' rates (a maximum over counters would show resets that never were). Further sums name the
labels that they drop, so that ``fleet``, ``job`` and whatever labels a user added to the target stay apart.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Final

from bioagents_dashboards.queries.rules import record_names
from bioagents_exporter.catalogue import METRICS, Metric

#: The labels in which copies of one exporter differ.
COPIES: Final = ("instance", "pod", "container", "node", "endpoint")

PREFIX: Final = "bioagents_"

#: What a target's series have in common, and a variable for each.
TARGET: Final = ("fleet", "region", "cluster", "environment")
#: A metric's own labels for which there is a variable.
OWN: Final = ("queue", "actor", "worker")

#: A graph draws at most this many lines of queues, actors or workers at each moment.
TOP: Final = 10

QUEUE: Final = ("queue",)
NONE: Final = ()

#: Tells the parts of a joined expression apart.
_PART: Final = "part"

#: Matches the variable ``queue`` where a label lists, with commas, the queues that a worker consumes. The
#: exporter cuts long lists off ("…,+4 more (1a2b3c4d)"): such a worker may serve any queue.
SERVES_QUEUE: Final = r"(.*,)?$queue(,.*)?|.*,\\+\\d+ more \\(.*\\)"

_METRICS: Final = {metric.name: metric for metric in METRICS}


def metric(name: str) -> Metric:
    """The metric of this name (without prefix) in the exporter's catalogue; ValueError for any other name."""
    if name not in _METRICS:
        raise ValueError(f"{name!r} is no metric of the exporter's catalogue")
    return _METRICS[name]


def selector(name: str, **equal: str) -> str:
    """The series of a metric that the variables choose, as far as it has their labels."""
    known = metric(name)
    unknown = set(equal) - set(known.labels)
    if unknown:
        raise ValueError(f"{name} has no label {sorted(unknown)}; it has {known.labels}")
    chosen = ("job", "instance", *TARGET, *(label for label in OWN if label in known.labels))
    matchers = [*map(_follows, chosen), *_serves_queue(known.labels)]
    matchers += [f'{label}="{value}"' for label, value in equal.items()]
    return f"{known.full_name(PREFIX)}{{{', '.join(matchers)}}}"


def recorded(name: str, *labels: str) -> str:
    """A series that the rules record, one answer of all copies.

    ``labels`` are those of its own that the variables shall choose, as queue, worker or queues.

    ValueError when no rule records it.
    """
    if name not in record_names():
        raise ValueError(f"{name!r} is recorded by no rule")
    chosen = ("job", *TARGET, *(label for label in OWN if label in labels))
    return f"{name}{{{', '.join([*map(_follows, chosen), *_serves_queue(labels)])}}}"


def variable_selector(name: str, *labels: str) -> str:
    """The series of a metric as far as the variables of these labels choose."""
    return f"{metric(name).full_name(PREFIX)}{{{', '.join(map(_follows, labels))}}}"


def _follows(label: str) -> str:
    return f'{label}=~"${label}"'


def _serves_queue(labels: Iterable[str]) -> list[str]:
    return [f'queues=~"{SERVES_QUEUE}"'] if "queues" in labels else []


def gauge(
    name: str, *, keep: Iterable[str] | None = None, how: str = "sum", ago: str = "", **equal: str
) -> str:
    """One value for all copies; its own labels in ``keep`` stay (None: all), ``how`` joins the others.

    ``ago`` (as ``1m``) asks for the value of that time before.
    """
    offset = f" offset {ago}" if ago else ""
    answer = f"max without ({', '.join(COPIES)}) ({selector(name, **equal)}{offset})"
    return answer if keep is None else _without(how, answer, _dropped(metric(name), keep))


def rate(name: str, *, keep: Iterable[str], **equal: str) -> str:
    """The increase per second of a counter, summed over its own labels but ``keep``."""
    increase = f"rate({selector(name, **equal)}[$__rate_interval])"
    answer = f"max without ({', '.join(COPIES)}) ({increase})"
    return _without("sum", answer, _dropped(metric(name), keep))


def each_copy(name: str, **equal: str) -> str:
    """What every copy says by itself, for what is about the copies."""
    return unnamed(selector(name, **equal))


def unnamed(expression: str) -> str:
    """The same series without the metric's name, by which the lines of a table would stay apart."""
    return f"max without () ({expression})"


def over_copies(expression: str) -> str:
    """The highest value of any copy, where each copy has to be reckoned with before they are one."""
    return f"max without ({', '.join(COPIES)}) ({expression})"


def together(how: str, parts: Mapping[str, str]) -> str:
    """``how`` (as "sum") joins what is there of several expressions, of which some may lack a series.

    A label tells them apart, so that `or` takes each and not the first one.
    """
    marked = (f'label_replace({expr}, "{_PART}", "{name}", "", "")' for name, expr in parts.items())
    return f"{how} without ({_PART}) ({' or '.join(marked)})"


def top(count: int, expression: str) -> str:
    """The ``count`` highest series, at each step."""
    return f"topk({count}, {expression})"


def bottom(count: int, expression: str) -> str:
    """The ``count`` lowest series, at each step."""
    return f"bottomk({count}, {expression})"


def near_limit(value: str, limit: str) -> str:
    """The limit where over half of it is used, so that its line appears when it matters."""
    return f"{limit} and ({value} > 0.5 * {limit})"


def near_threshold(value: str, threshold: float, *per: str) -> str:
    """A threshold of the rules, the same for all series, where over half of it is used.

    One line for each fleet: ``per`` are the labels of ``value`` that tell its series apart.
    """
    used = _without("max", f"{value} > {threshold / 2:g}", per)
    return f"{threshold:g} + 0 * ({used})"


def _dropped(known: Metric, keep: Iterable[str]) -> tuple[str, ...]:
    kept = set(keep)
    unknown = kept - set(known.labels)
    if unknown:
        raise ValueError(f"{known.name} has no label {sorted(unknown)}; it has {known.labels}")
    return tuple(label for label in (*known.labels, *known.optional) if label not in kept)


def _without(how: str, expression: str, labels: tuple[str, ...]) -> str:
    return f"{how} without ({', '.join(labels)}) ({expression})" if labels else expression
