"""Rules about the exporter, and about counts that workers have not delivered."""

from __future__ import annotations

from bioagents_alerts import boards
from bioagents_alerts.builder import AGE, COUNT, FLEET, OF_FLEET, Builder
from bioagents_alerts.model import Alert, Group, Record, RuleFile
from bioagents_alerts.source import since
from bioagents_alerts.thresholds import duration
from bioagents_alerts.titles import counted, of_fleet

COMMENT = """
Alerts about the exporter, and about counts that workers have not delivered. Copies of the exporter: see
queues.yml.

`up` has no fleet, and other jobs of the same Prometheus have it too. So a target is ours when it has
published our own metrics before, and their labels show its fleet. A copy that publishes queues (a central
one) has the source "fleet"; a sidecar, which publishes only the workers of its own host, has not. Both
publish their sources and their build_info also while Redis is down, so when these series are missing, the
exporter is.
"""

#: The labels in which fleets of one name differ. A label that is missing on both sides is equal.
_SAME_FLEET = (
    *("fleet", "job", "namespace", "region", "cluster", "environment", "env", "stage"),
    *("tenant", "team", "dc", "datacenter", "site"),
)
_LOST = "fleet:bioagents_exporter_lost_targets:count"
_FLUSH_AGE = "fleet:bioagents_worker_flush_age_seconds:max"


def rules(b: Builder) -> RuleFile:
    """The file exporter.yml."""
    alerts = (_down(b), _target_down(b), _scrape_errors(b), _stale(b), _flush_delayed(b), _dropped(b))
    return RuleFile("exporter", COMMENT, (Group("bioagents-exporter", (*_records(b), *alerts)),))


def _records(b: Builder) -> tuple[Record, ...]:
    ql = b.ql
    central = ql.series("exporter_source_success", source="fleet")
    return (
        b.record(
            _LOST,
            f"""
            {ql.across_copies("count", "source")} (
              (
                max_over_time({central}[7d])
                  and ignoring (fleet, source) ({ql.target("up")} == 0)
                or
                max_over_time({central}[6h])
                  unless on (fleet, instance) (
                    {central}
                      unless {central} offset 6h
                  )
              )
              unless ignoring (fleet, source) {central}
              unless on ({", ".join(_SAME_FLEET)}) {central}
            )
            """,
            """
            The fleets that no exporter reports on any more, and how many targets of each were lost. An
            exporter of the fleet in the same place reports on it, whatever else its labels are: a new pod
            may have any. A
            target that Prometheus still knows and cannot scrape is remembered for a week; one that vanished
            from service discovery for 6 hours, so that a fleet that was taken out of service on purpose
            does not fire without end. A target that now shows another fleet was renamed: it is not lost.
            Nor is one that vanished and now reports under another job, or with one more label: the same
            address of the same fleet, in a series that did not exist 6 hours ago.
            """,
        ),
        b.record(
            _FLUSH_AGE,
            ql.over_copies(ql.series("worker_flush_age_seconds"), "worker"),
            "The age of the oldest count that a worker has not delivered.",
        ),
    )


def _down(b: Builder) -> Alert:
    down = (
        f"{{{{ with {b.down_targets()} }}}}Down:"
        "{{ range . }} {{ .Labels.instance }}{{ end }}.{{ else }}"
        "Prometheus has no target that is down: service discovery no longer finds them.{{ end }}"
    )
    return b.alert(
        "ExporterDown",
        f"{b.ql.recorded(_LOST)} > 0",
        pending="5m",
        keep_firing="5m",
        severity="critical",
        since=since.until(
            b,
            b.same.gauge("exporter_source_success", source="fleet"),
            "The last scrape that succeeded was at",
        ),
        board=boards.REDIS_EXPORTER,
        summary=of_fleet(f"no reachable exporter, {COUNT} lost; no other alert can fire"),
        description=f"""All exporters that read the queues of fleet "{FLEET}" are unreachable: {COUNT} in
        job "{{{{ $labels.job }}}}". {down} First check whether the exporter's process runs, and read the
        last lines of its log.""",
        comment="""
        A page: every other alert of the fleet depends on the exporter. One alert for each fleet, whatever
        the number of its targets, and whether they are down or gone. It needs no list of targets: what
        counts is what there was before. keep_firing_for is at least that of the alerts that it inhibits, as
        for every alert that inhibits others: see alertmanager.yml.
        """,
    )


def _target_down(b: Builder) -> Alert:
    ql = b.ql
    seen = f"max without (version) (max_over_time({ql.series('exporter_build_info')}[7d]))"
    unknown = (
        '{{ if eq $labels.fleet "(unknown)" }} and have never answered{{ else }} while others answer{{ end }}'
    )
    return b.alert(
        "ExporterTargetDown",
        f"""
        {ql.across_copies("count")} (
          {seen} and ignoring (fleet) ({ql.target("up")} == 0)
          or
          label_replace({ql.target("up", 'job="bioagents"')} == 0, "fleet", "(unknown)", "", "")
            unless ignoring (fleet) {seen}
        )
        unless {ql.recorded(_LOST)}
        """,
        pending="15m",
        severity="warning",
        board=boards.REDIS_EXPORTER,
        summary=of_fleet(f"{counted('exporter target')} down"),
        description=f"""{COUNT} exporter target(s) of fleet "{FLEET}" are down{unknown}.{{{{ with
        {b.down_targets()} }}}} Down in job "{{{{ $labels.job }}}}":{{{{ range . }}}} {{{{ .Labels.instance
        }}}}{{{{ end }}}}.{{{{ end }}}} First open such a target on Prometheus' page Status, Targets: it
        shows the error.""",
        comment="""
        A ticket: some targets are down, others still report on the fleet (or it is a sidecar, which loses
        the workers of one host). A target that vanished from service discovery is no fault here, so every
        rolling update ends. A target of the job `bioagents` that has never answered counts too: its
        address, its certificate or its password is wrong; its fleet is unknown.
        """,
    )


def _scrape_errors(b: Builder) -> Alert:
    ql = b.ql
    damaged = b.same.series("queue_unreadable_messages", reason="damaged")
    unread = b.each(
        f"topk(3, {b.same.over_copies(damaged, 'reason')})",
        ' Queue "{{ .Labels.queue }}" has {{ .Value | printf "%.0f" }} messages that no worker can read.',
        sort="queue",
        known=OF_FLEET,
    )
    return b.alert(
        "ExporterScrapeErrors",
        f"""
        {ql.increase("exporter_scrape_errors_total", "5m")} > 0
        unless ignoring (cause) {ql.gauge("redis_up")} == 0
        """,
        pending="10m",
        keep_firing="5m",
        severity="warning",
        since=f'{{{{ if match "unreadable" $labels.cause }}}}{unread}{{{{ end }}}}',
        board=boards.REDIS_EXPORTER,
        summary=of_fleet(f"{counted('scrape error')} ({{{{ $labels.cause }}}}) within 5 minutes"),
        description=f"""An exporter of fleet "{FLEET}" had {COUNT} errors with cause "{{{{ $labels.cause
        }}}}" in the last 5 minutes; the metrics that depend on it are left out. First look up this cause in
        the runbook, then read the exporter's log: the exporter logs each error once, when it first
        occurs.""",
        comment="""
        Each cause is an alert of its own, because what to do differs. A single error leaves the window
        after 5 minutes and so never fires. While no copy reads Redis, RedisDown reports these errors; a
        single copy that cannot read it has lost its own connection, and is reported here.
        """,
    )


def _stale(b: Builder) -> Alert:
    ql, age = b.ql, b.ql.series("exporter_source_age_seconds")
    limit = duration(b.threshold("ExporterReadStale"))
    return b.alert(
        "ExporterReadStale",
        f"""
        {ql.across_copies("max")} (
          (
            {age} > {b.limit("ExporterReadStale")}
            or
            1 / ({ql.series("exporter_source_success")} == 0) unless {age}
          )
          unless ignoring (source) ({ql.series("redis_up")} == 0)
        )
        """,
        pending="5m",
        keep_firing="5m",
        severity="warning",
        board=boards.REDIS_EXPORTER,
        summary=of_fleet(
            "source {{ $labels.source }} {{ if lt $value 1e9 }}last read "
            f"{AGE} ago, limit {limit}{{{{ else }}}}never read{{{{ end }}}}"
        ),
        description=f"""Source "{{{{ $labels.source }}}}" of an exporter of fleet "{FLEET}" {{{{ if lt
        $value 1e9 }}}}was last read {AGE} ago{{{{ else }}}}has not been read since the exporter started{{{{
        end }}}}, although Redis answers. First search the exporter's log for source_failed; then restart
        it.""",
        comment="""
        Metrics that are old (the background reading, source "audit", never becomes as old as this either:
        it visits all queues in turn), or a source that was never read (+Inf). A copy that does not reach
        Redis is left out: its sources have nothing to read, and RedisDown or ExporterScrapeErrors fires.
        keep_firing_for: as for ExporterDown.
        """,
    )


def _flush_delayed(b: Builder) -> Alert:
    limit = b.threshold("MetricsFlushDelayed")
    worst = b.each(
        f"topk(1, {b.same.recorded('worker:bioagents_worker_flush_age_seconds:max')})",
        ' The worst is host "{{ .Labels.host }}" pid {{ .Labels.pid }}.',
    )
    return b.alert(
        "MetricsFlushDelayed",
        f"{b.ql.recorded(_FLUSH_AGE)} > {b.limit('MetricsFlushDelayed')}",
        pending="5m",
        keep_firing="5m",
        severity="warning",
        board=boards.REDIS_EXPORTER,
        summary=of_fleet(f"counts of a worker are {AGE} late, limit {duration(limit)}"),
        description=f"""The oldest count that a worker of fleet "{FLEET}" has not delivered to Redis has
        waited for {AGE}, more than {duration(limit)}; job rates and totals lag by as much.{worst} First
        search the worker's log for "cannot send counts to Redis", then check the latency of Redis.""",
        comment="""
        Workers deliver their counts within a second, the largest fleets within 40. What waited during an
        outage of Redis shows in one heartbeat alone, which `for` skips; it stays high when calls reach
        Redis and their replies are lost. A worker whose calls do not even reach Redis stops sending
        heartbeats: that is WorkerMissing. The series may vanish and come back, because such a worker is now
        and then too late to count as alive.
        """,
    )


def _dropped(b: Builder) -> Alert:
    ql = b.ql
    return b.alert(
        "MetricsDropped",
        f"{ql.increase('metrics_dropped_total', '30m', keep=())} > 0",
        pending="45m",
        severity="warning",
        board=boards.REDIS_EXPORTER,
        summary=of_fleet(f"{counted('dropped count')} within 30 minutes"),
        description=f"""Workers of fleet "{FLEET}" dropped {COUNT} counts in the last 30 minutes, and have
        done so repeatedly for 45 minutes: totals and rates are too low. First check whether Redis restarts,
        fails over or evicts keys.""",
        comment="""
        A failover or a restart of Redis may cost some counts once, and nothing can be done about it. Counts
        that are dropped repeatedly, never half an hour apart, mean a Redis that keeps losing its data.
        """,
    )
