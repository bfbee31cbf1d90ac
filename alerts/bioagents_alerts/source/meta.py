"""Rules about the monitoring itself, and about what acts on its numbers."""

from __future__ import annotations

from bioagents_alerts import boards
from bioagents_alerts.builder import COUNT, FLEET, Builder
from bioagents_alerts.model import Alert, Group, RuleFile
from bioagents_alerts.promql import without
from bioagents_alerts.titles import counted


def rules(b: Builder) -> RuleFile:
    """The file meta.yml."""
    comment = "Alerts about the monitoring itself, and about what acts on its numbers."
    return RuleFile("meta", comment, (Group("bioagents-meta", (_watchdog(b), _autoscaler(b))),))


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
