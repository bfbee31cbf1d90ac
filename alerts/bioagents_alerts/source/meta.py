"""Rules about the monitoring itself, and about what acts on its numbers."""

from __future__ import annotations

from bioagents_alerts import boards
from bioagents_alerts.builder import COUNT, FLEET, Builder
from bioagents_alerts.model import Alert, Group, RuleFile
from bioagents_alerts.promql import labels_of_all, without
from bioagents_alerts.titles import counted, of_fleet
from bioagents_exporter.catalogue import FLEET_LABEL

#: Labels of our own that a target must not have; Prometheus writes the last one for a target's ``fleet``.
_OWN = (*sorted(labels_of_all() - {FLEET_LABEL}), f"exported_{FLEET_LABEL}")


def rules(b: Builder) -> RuleFile:
    """The file meta.yml."""
    comment = "Alerts about the monitoring itself, and about what acts on its numbers."
    return RuleFile("meta", comment, (Group("bioagents-meta", tuple(alert(b) for alert in _ALERTS)),))


def _watchdog(b: Builder) -> Alert:
    return b.alert(
        "Watchdog",
        "vector(1)",
        severity="none",
        board=boards.FLEET,
        summary="Prometheus and Alertmanager deliver alerts.",
        description="""This alert always fires, and no one has to act on it. If it stops: check whether
        Prometheus and Alertmanager run.""",
        comment="""
        Fires always. It goes to a dead man's switch, an external service that alerts when the notifications
        stop: Prometheus, its rules, Alertmanager or the way to the receiver is broken then. Without `for`,
        because it fires at once. The label product separates it from a Watchdog of other rules, which would
        mask a missing one.
        """,
    )


def _autoscaler(b: Builder) -> Alert:
    ql = b.ql
    desired = ql.gauge("queue_desired_workers")
    before = ql.over_copies(f"max_over_time({ql.series('queue_desired_workers')}[6h])", "queue")
    blind = f"{counted('waiting job')}, no desired number of workers (fleet {FLEET})"
    return b.alert(
        "AutoscalerBlind",
        f"""
        (
          {ql.gauge("queue_depth", state="waiting")} unless {desired}
          or
          {before}
            unless {without("max", desired, "queue")}
        )
        and ignoring (queue) {ql.gauge("exporter_source_success", source="fleet")} == 1
        """,
        pending="5m",
        keep_firing="5m",
        severity="warning",
        board=boards.CAPACITY,
        summary=f"{{{{ with $labels.queue }}}}Queue {{{{ . }}}}: {blind}{{{{ else }}}}"
        f"Fleet {FLEET}: no desired number of workers, {COUNT} before{{{{ end }}}}",
        description=f"""{{{{ with $labels.queue }}}}Queue "{{{{ . }}}}" of fleet "{FLEET}" has {COUNT}
        waiting jobs, but no desired number of workers.{{{{ else }}}}No queue of fleet "{FLEET}" has a
        desired number of workers any more; the highest within the last 6 hours was {COUNT}.{{{{ end }}}} An
        autoscaler keeps its present number of workers, or falls back to its default. First set that number
        manually; then look at the exporter's status page and log.""",
        comment="""
        A queue whose waiting jobs are known and whose signal is not; or a fleet that had signals within the
        last 6 hours and has none any more, so a scaler sees nothing at all. Both only while a central
        exporter reads the fleet from Redis (source "fleet"): otherwise ExporterDown or RedisDown fires. The
        second part is about the fleet as a whole: a single queue may disappear with a change of the
        exporter's settings. keep_firing_for is that of ExporterReadStale, which this alert inhibits.
        """,
    )


def _label_conflict(b: Builder) -> Alert:
    up = b.ql.series("redis_up")
    parts = (_OWN[start::4] for start in range(4))  # one pattern would be a line that cannot be broken
    ours = " ".join(f'(match "^({"|".join(part)})$" $name)' for part in parts)
    names = (
        f"{{{{ range $name, $text := $labels }}}}{{{{ if or {ours} }}}}"
        ' {{ $name | reReplaceAll "^exported_" "" }}="{{ $text }}"{{ end }}{{ end }}'
    )
    return b.alert(
        "MetricsLabelConflict",
        b.ql.over_copies(f"{up} unless max without ({', '.join(_OWN)}) ({up})"),
        pending="15m",
        severity="warning",
        board=boards.REDIS_EXPORTER,
        summary=of_fleet("targets have labels that its metrics use"),
        description=f"""Targets of fleet "{FLEET}" in job "{{{{ $labels.job }}}}" have labels with names that
        the exporter's metrics use:{names}. Rules that need these labels of the metrics fire falsely or not at
        all. First rename the labels of the targets in the scrape configuration, with relabel_configs: see
        the runbook.""",
        comment="""
        Where a label of the target has the name of a label of ours, Prometheus renames ours to exported_...
        (honor_labels: false), or gives the target's label to the series that lack it (honor_labels: true).
        redis_up has no label of its own but fleet, so it shows both: a series that still differs once
        these labels are dropped has one of them. `for`: old and new targets of a changed configuration
        overlap.
        """,
    )


def _histograms_missing(b: Builder) -> Alert:
    ql, own = b.ql, ("queue", "actor", "wire")
    attempts = ql.over_copies(ql.series("jobs_processed_total"), *own, how="count")
    wait, duration = (
        ql.over_copies(ql.series(f"job_{what}_seconds_bucket"), *own, "le", how="count")
        for what in ("wait", "duration")
    )
    return b.alert(
        "HistogramsMissing",
        f"""
        {attempts}
        unless (
          {wait}
          and
          {duration}
        )
        """,
        pending="15m",
        severity="warning",
        board=boards.REDIS_EXPORTER,
        summary=of_fleet("no buckets of waiting and run times"),
        description=f"""Prometheus has counts of the jobs of fleet "{FLEET}" in job "{{{{ $labels.job }}}}",
        but no buckets of their waiting times or run times: alerts about objectives and stalled queues cannot
        fire, and latencies are missing on the dashboards. First check the scrape configuration: with
        convert_classic_histograms_to_nhcb it needs always_scrape_classic_histograms as well, and no
        metric_relabel_configs may drop series that end in _bucket.""",
        comment="""
        The exporter publishes counts and histograms of an actor together. Prometheus 3 can convert classic
        histograms to native ones and then drops the series with _bucket, _count and _sum, which rules and
        boards read.
        """,
    )


_ALERTS = (_watchdog, _autoscaler, _label_conflict, _histograms_missing)
