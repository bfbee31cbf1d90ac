"""PromQL of rules and boards: selectors, one answer from several copies of an exporter, recorded series.

Several copies of an exporter may report on one fleet. Their series differ only in the labels :data:`COPIES`.
A gauge is the maximum over the copies. A counter is rated for each copy first, because a maximum over
counters would show resets that never happened. Sums name the labels that they drop, so that ``fleet``,
``job`` and the labels that users add to their targets stay.

A metric or a label that is not in the exporter's catalogue is a ValueError, so no rule and no panel waits for
a series that does not exist.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from enum import Enum
from types import MappingProxyType
from typing import Final, TypeAlias

from bioagents_exporter.catalogue import FLEET_LABEL, METRICS, Metric
from bioagents_exporter.settings import DEFAULT_PREFIX

#: The labels in which copies of one exporter differ: those of Prometheus and its operator, and those that a
#: scrape configuration copies from Kubernetes, Docker Swarm, Nomad, Consul or ECS for each pod or task.
COPIES: Final = (
    *("instance", "pod", "container", "node", "endpoint"),
    *("pod_name", "pod_ip", "pod_uid", "pod_template_hash", "pod_template_generation"),
    *("controller_revision_hash", "statefulset_kubernetes_io_pod_name", "apps_kubernetes_io_pod_index"),
    *("kubernetes_pod_name", "container_id", "container_name", "node_name", "host_ip"),
    *("task_id", "task_slot", "task_container_id", "node_id", "node_hostname"),
    *("alloc_id", "service_id", "task_arn", "ec2_instance_id"),
)

_METRICS: Final = {metric.name: metric for metric in METRICS}
_LEVELS: Final[Mapping[tuple[str, ...], str]] = {(): "fleet", ("queue",): "queue", ("worker",): "worker"}


def _own_names(*gauges: str) -> dict[str, str]:
    """Gauge → the recorded series, where that has the gauge's name: ``queue:bioagents_queue_slots:max``."""
    return {name: f"{_LEVELS[_METRICS[name].labels]}:bioagents_{name}:max" for name in gauges}


#: Gauges that rules record as one value of all copies → the recorded series, with the default prefix.
RECORDED_GAUGES: Final[Mapping[str, str]] = MappingProxyType(
    {
        'queue_depth{state="dead"}': "queue:bioagents_dead_letters:max",
        'queue_depth{state="waiting"}': "queue:bioagents_jobs_waiting:max",
        'exporter_source_success{source="fleet"}': "fleet:bioagents_exporter_source_success:max",
        "queue_wait_limit_seconds": "queue:bioagents_wait_slo_limit_seconds:max",
        "queue_last_worker_start_time_seconds": "queue:bioagents_queue_last_worker_start_time_seconds:max",
        "worker_info": "worker:bioagents_worker_facts:max",
        "worker_longest_running_job_seconds": "worker:bioagents_worker_longest_running_job_seconds:max",
        **_own_names(
            "queue_dead_expiring_jobs",
            "queue_dead_oldest_age_seconds",
            "queue_depth_limit",
            "queue_desired_workers",
            "queue_drain_limit_seconds",
            "queue_draining_held_jobs",
            "queue_failure_ratio_limit",
            "queue_job_duration_limit_seconds",
            "queue_longest_running_job_seconds",
            "queue_min_workers",
            "queue_oldest_job_age_seconds",
            "queue_orphaned_jobs",
            "queue_overdue_delayed_jobs",
            "queue_running_jobs",
            "queue_slots",
            "queue_stuck_jobs",
            "queue_workers",
            "redis_replica_lag_seconds",
            "redis_up",
            "worker_clock_skew_seconds",
            "worker_consumer_threads",
            "worker_last_heartbeat_timestamp_seconds",
            "worker_running_jobs",
            "worker_slots",
            "worker_threads",
            "workers_missing",
        ),
    }
)

_HISTOGRAM: Final = re.compile(r"_(bucket|count|sum)$")
#: A matcher with a value in quotes.
_MATCHER: Final = re.compile(r"""(\w+)\s*(=~|!~|!=|=)\s*("(?:\\.|[^"\\])*"|'[^']*')""")
_PLAIN_NAME: Final = re.compile(r"[A-Za-z_]\w*", re.ASCII)
_RECORDED: Final = re.compile(r"[a-z]+:bioagents_\w+:\w+")
#: What Prometheus itself writes for each target.
_OF_TARGETS: Final = frozenset({"up"})


class Origin(Enum):
    """Who writes a series, which decides what labels it has in addition to its own."""

    EXPORTER = "exporter"  # fleet, the target's labels, those of the copy
    RULE = "rule"  # fleet and the target's labels
    TARGET = "target"  # the target's labels and those of the copy, no fleet


@dataclass(frozen=True, slots=True)
class Series:
    """What a selector selects; ``labels`` are the series' own labels, as ``queue``."""

    name: str
    origin: Origin
    labels: tuple[str, ...] = ()


#: Which matchers (``job="x"``) the selector of a series gets, in addition to those of the query.
Matchers: TypeAlias = Callable[[Series], Iterable[str]]


def no_matchers(_series: Series) -> Iterable[str]:
    """For rules about every fleet."""
    return ()


@dataclass(frozen=True, slots=True)
class PromQL:
    """Writes expressions about one exporter's metrics.

    ``prefix`` is the exporter's ``--metrics.prefix``. ``records`` are the recorded series that exist, with
    the default prefix; None where they are not known yet.
    """

    prefix: str = DEFAULT_PREFIX
    copies: tuple[str, ...] = COPIES
    matchers: Matchers = no_matchers
    records: frozenset[str] | None = None

    def series(self, name: str, *, where: Iterable[str] = (), **equal: str) -> str:
        """The series of every copy; ``name`` has no prefix, a histogram's ends in ``_bucket`` or ``_count``.

        ``where`` are further matchers (``'cause=~"redis_.+"'``), ``equal`` values of labels.
        """
        known = metric(name)
        own = [*_equal(name, equal), *_checked(name, where)]
        full = known.full_name(self.prefix) + name.removeprefix(known.name)
        return self._selector(Series(full, Origin.EXPORTER, labels_of(name)), own)

    def target(self, name: str, *where: str) -> str:
        """A series that Prometheus writes for each target, as ``up``."""
        if name not in _OF_TARGETS:
            raise ValueError(f"{name!r} is not a series of targets: expected {', '.join(_OF_TARGETS)}")
        return self._selector(Series(name, Origin.TARGET), [*where])

    def recorded(self, name: str, *labels: str, where: Iterable[str] = ()) -> str:
        """A series that the rules record, by its name with the default prefix.

        ``labels`` are its own labels that :attr:`matchers` may use; ValueError when no rule records it.
        """
        if not _RECORDED.fullmatch(name) or (self.records is not None and name not in self.records):
            raise ValueError(f"{name!r} is not recorded by any rule")
        return self._selector(Series(self.renamed(name), Origin.RULE, labels), [*where])

    def renamed(self, record: str) -> str:
        """The name of a recorded series under this prefix."""
        return record.replace(f":{DEFAULT_PREFIX}", f":{self.prefix}", 1)

    def gauge(
        self, name: str, *, keep: Iterable[str] | None = None, how: str = "sum", ago: str = "", **equal: str
    ) -> str:
        """One value of all copies, read from the recorded series where the rules record it.

        Its own labels in ``keep`` stay (None: all but those in ``equal``), ``how`` joins the others; ``ago``
        (``5m``) is the value at that time before.
        """
        _of_type(name, "gauge")
        record = RECORDED_GAUGES.get(_key(name, equal))
        offset = f" offset {ago}" if ago else ""
        if record:
            answer = self.recorded(record, *_left(name, equal)) + offset
        else:
            answer = self.over_copies(self.series(name, **equal) + offset, *equal)
        dropped = () if keep is None else _dropped(name, keep, equal)
        return without(how, answer, *dropped)

    def rate(self, name: str, window: str, *, keep: Iterable[str] | None = None, **equal: str) -> str:
        """The increase of a counter per second over ``window``, summed over its own labels but ``keep``."""
        return self._rated("rate", name, window, keep, equal)

    def increase(self, name: str, window: str, *, keep: Iterable[str] | None = None, **equal: str) -> str:
        """The increase of a counter over ``window``, summed over its own labels but ``keep``."""
        return self._rated("increase", name, window, keep, equal)

    def over_copies(self, expression: str, *also: str, how: str = "max") -> str:
        """One answer of all copies: ``how`` over them, and over the labels in ``also``."""
        return f"{self.across_copies(how, *also)} ({expression})"

    def across_copies(self, how: str, *also: str) -> str:
        """The same without its expression, for one of several lines."""
        return f"{how} without ({', '.join([*map(written, self.copies), *map(label, also)])})"

    def _rated(
        self, function: str, name: str, window: str, keep: Iterable[str] | None, equal: Mapping[str, str]
    ) -> str:
        _of_type(name, "counter", "histogram")
        answer = self.over_copies(f"{function}({self.series(name, **equal)}[{window}])")
        dropped = () if keep is None else _dropped(name, keep, {})
        return without("sum", answer, *dropped)

    def _selector(self, series: Series, own: list[str]) -> str:
        added = [*self.matchers(series)]
        restricted = {
            found[1] for found in map(_MATCHER.fullmatch, added) if found and found[2] in {"=", "=~"}
        }
        kept = [matcher for matcher in own if _fixed_label(matcher) not in restricted]
        matchers = [*kept, *added]
        return f"{series.name}{{{','.join(matchers)}}}" if matchers else series.name


def metric(name: str) -> Metric:
    """The metric of this name (without prefix) in the exporter's catalogue; ValueError for any other name."""
    known = _METRICS.get(name)
    if known and known.type != "histogram":
        return known
    histogram = _METRICS.get(_HISTOGRAM.sub("", name))
    if not histogram or histogram.type != "histogram" or histogram is known:
        raise ValueError(f"{name!r} is not a series of the exporter's catalogue")
    return histogram


def record_of(name: str, **equal: str) -> str:
    """The recorded series of one of the :data:`RECORDED_GAUGES`; KeyError for any other gauge."""
    return RECORDED_GAUGES[_key(name, equal)]


def labels_of(name: str) -> tuple[str, ...]:
    """The labels of a metric's own: without ``fleet`` and without those that most of its series lack."""
    return (*metric(name).labels, *(("le",) if name.endswith("_bucket") else ()))


def labels_of_all() -> frozenset[str]:
    """Every label that any metric of the catalogue has."""
    return _LABELS


def label(name: str) -> str:
    """The same label; ValueError for one that no metric of the catalogue has."""
    if name not in _LABELS:
        raise ValueError(f"{name!r} is not a label of the exporter's catalogue")
    return name


def written(name: str) -> str:
    """The name of a label as PromQL writes it: in quotes (Prometheus 3) unless it is a plain name."""
    return name if _PLAIN_NAME.fullmatch(name) else json.dumps(name, ensure_ascii=False)


def without(how: str, expression: str, *labels: str) -> str:
    """``how`` (``sum``) over these labels; the expression itself where there is none."""
    return f"{how} without ({', '.join(map(label, labels))}) ({expression})" if labels else expression


def join(left: str, operator: str, right: str, *, ignoring: Iterable[str], take: Iterable[str] = ()) -> str:
    """Many series of ``left`` with one of ``right``, which differ in ``ignoring``; ``take``: its labels."""
    ignored, taken = (", ".join(map(label, names)) for names in (ignoring, take))
    return f"{left} {operator} ignoring ({ignored}) group_left ({taken}) {right}"


_LABELS: Final = frozenset(
    {FLEET_LABEL, "le", *(name for one in METRICS for name in (*one.labels, *one.optional))}
)


def _of_type(name: str, *types: str) -> None:
    if metric(name).type not in types:
        raise ValueError(f"{name!r} is a {metric(name).type}: expected a {' or '.join(types)}")


def _equal(name: str, equal: Mapping[str, str]) -> list[str]:
    return [*_checked(name, (f'{own}="{value}"' for own, value in equal.items()))]


def _checked(name: str, matchers: Iterable[str]) -> Iterable[str]:
    """The same matchers; ValueError for a label that the metric has not."""
    known = {FLEET_LABEL, *labels_of(name), *metric(name).optional}
    for matcher in matchers:
        found = re.match(r"\w+", matcher)
        if found and found[0] not in known:
            raise ValueError(f"{name} has no label {found[0]}: it has {', '.join(sorted(known))}")
        yield matcher


def _key(name: str, equal: Mapping[str, str]) -> str:
    return f"{name}{{{','.join(_equal(name, equal))}}}" if equal else name


def _left(name: str, equal: Mapping[str, str]) -> tuple[str, ...]:
    return tuple(own for own in labels_of(name) if own not in equal)


def _dropped(name: str, keep: Iterable[str], gone: Mapping[str, str]) -> tuple[str, ...]:
    kept = set(keep)
    unknown = kept - set(labels_of(name))
    if unknown:
        raise ValueError(f"{name} has no label {sorted(unknown)}: it has {labels_of(name)}")
    own = (*labels_of(name), *metric(name).optional)
    return tuple(one for one in own if one not in kept and one not in gone)


def _fixed_label(matcher: str) -> str:
    """The label of a matcher for one value; empty for a value that a template or printf fills in."""
    found = _MATCHER.fullmatch(matcher)
    return found[1] if found and found[2] == "=" and not re.search("[%{]", found[3]) else ""
