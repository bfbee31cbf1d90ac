"""Rules about the Redis of a fleet."""

from __future__ import annotations

from bioagents_alerts import boards
from bioagents_alerts.builder import AGE, COUNT, FLEET, SHARE, Builder
from bioagents_alerts.model import Alert, Group, RuleFile
from bioagents_alerts.source import since
from bioagents_alerts.thresholds import REPLICA_LAG, duration, percent
from bioagents_alerts.titles import counted, of_redis

COMMENT = """
Alerts about the Redis of a fleet. Copies of the exporter: see queues.yml. They may differ here: one has
lost its own network, or reads a replica while the others read the primary. The comment of each alert says
which copy counts.
"""

_MEMORY, _REFUSED = "fleet:bioagents_redis_memory:ratio", "fleet:bioagents_redis_refused_writes:increase5m"
#: The share of the limit from which Redis counts as full.
_FULL = 0.99
#: An increase above that of a single write, for which `increase` shows up to 1.25; no share is as high.
_SOME = 1.5
_SERVER = ("version", "software", "role", "mode", "maxmemory_policy", "aof")


def rules(b: Builder) -> RuleFile:
    """The file redis.yml."""
    ql = b.ql
    used, allowed = ql.series("redis_memory_used_bytes"), ql.series("redis_memory_max_bytes")
    records = (
        b.gauge("redis_up", "1 while at least one copy of the exporter reads Redis."),
        b.gauge("redis_replica_lag_seconds"),
        b.record(
            _MEMORY,
            ql.over_copies(f"{used} / ({allowed} > 0)"),
            """
            Both numbers come from the same server, so each copy divides its own; the fullest server counts.
            Without a limit (0) there is no share.
            """,
        ),
        b.record(_REFUSED, ql.increase("redis_refused_writes_total", "5m", keep=())),
    )
    alerts = (_down(b), _full(b), _memory_high(b), _evicting(b), _policy(b), _replication(b), _slow(b))
    return RuleFile("redis", COMMENT, (Group("bioagents-redis", (*records, *alerts)),))


def _down(b: Builder) -> Alert:
    errors = b.same.series("exporter_scrape_errors_total", where=('cause=~"redis_.+"',))
    cause = b.each(f"topk(1, increase({errors}[5m]) > 0)", " Cause: {{ .Labels.cause }}.")
    return b.alert(
        "RedisDown",
        f"{b.ql.gauge('redis_up')} == 0",
        pending="2m",
        keep_firing="5m",
        severity="critical",
        since=since.until(b, f"{b.same.gauge('redis_up')} == 1", "It was last read at"),
        board=boards.REDIS_EXPORTER,
        summary=of_redis("cannot be read"),
        description=f"""No exporter of fleet "{FLEET}" can read its Redis.{cause} Workers probably cannot work
        either. First check whether the server answers: redis-cli -u "$REDIS_URL" PING.""",
        comment="""
        Redis is up if any copy reads it, so this is the maximum: where only some copies cannot, the cause is
        their network, and ExporterScrapeErrors fires. If no copy that answers can read it, nothing is known
        of the fleet and nothing else fires, so this alert pages. A replica whose link to the primary is
        down counts as unreadable: if copies read nothing else, they cannot see the primary. `for`: a
        failover takes less than two minutes. keep_firing_for: a Redis that flaps is one fault.
        """,
    )


def _full(b: Builder) -> Alert:
    ql = b.ql
    used, allowed = ql.series("redis_memory_used_bytes"), ql.series("redis_memory_max_bytes")
    evicting = ql.series("redis_info", where=('maxmemory_policy=~"allkeys-.+"',))
    full = f"{used} / ({allowed} > 0) >= {_FULL} unless ignoring ({', '.join(_SERVER)}) {evicting}"
    errors = b.same.over_copies(f"increase({b.same.series('redis_refused_writes_total')}[5m])")
    cause = b.each(f"topk(1, {errors} > 0)", " (error {{ .Labels.error }})")
    fact = f"{{{{ if lt $value {_SOME} }}}}{SHARE} of its memory used{{{{ else }}}}{COUNT} writes refused"
    return b.alert(
        "RedisFull",
        f"""
        {ql.over_copies(full)}
        or {ql.recorded(_REFUSED)} > {_SOME}
        """,
        pending="1m",
        keep_firing="10m",
        severity="critical",
        board=boards.REDIS_EXPORTER,
        summary=of_redis(f"{fact}{{{{ end }}}}"),
        description=f"""Redis of fleet "{FLEET}" takes no or few writes: {fact} within five
        minutes{{{{ end }}}}{cause}. No job can be enqueued, and workers cannot report; missing workers and
        late counts are consequences.{_fullest(b)} First make room: raise maxmemory if the host has memory
        left, and stop what fills it (MISCONF, NOREPLICAS: see the runbook); then restart the workers one
        after the other, because they have lost threads.""",
        comment="""
        At 99 % of the limit, or as soon as two commands are refused, by whatever cause: a single one is soon
        over. Not under allkeys-*, where a full Redis deletes keys: RedisEvicting fires. One fault pages once,
        so this alert inhibits those about workers, backlogs and late counts; it fires before a worker that
        cannot report is missing. keep_firing_for is that of NoActiveWorkers.
        """,
    )


def _fullest(b: Builder) -> str:
    """The queues whose messages take most memory, with the number of their jobs by state."""
    sizes, of_this = b.same.gauge("queue_messages_bytes", keep=("queue",)), b.within("queue")
    depth = of_this.over_copies(of_this.series("queue_depth", where=('state!="active"',)))
    jobs = b.each_within(
        "queue", f"sort_desc({depth} > 0)", '{{ .Value | printf "%.0f" }} {{ .Labels.state }}, '
    )
    return b.each(
        f"topk(3, {sizes} > 1e6)",
        f' Queue "{{{{ .Labels.queue }}}}": {jobs}{{{{ .Value | humanize1024 }}}}B of messages.',
    )


def _memory_high(b: Builder) -> Alert:
    limit = b.threshold("RedisMemoryHigh")
    return b.alert(
        "RedisMemoryHigh",
        f"{b.ql.recorded(_MEMORY)} > {b.limit('RedisMemoryHigh')}",
        pending="5m",
        keep_firing="5m",
        severity="critical",
        since=since.until(
            b, f"{b.same.recorded(_MEMORY)} <= {b.limit('RedisMemoryHigh')}", f"Above {percent(limit)} since"
        ),
        board=boards.REDIS_EXPORTER,
        summary=of_redis(f"{SHARE} of its memory used, limit {percent(limit)}"),
        description=f"""Redis of fleet "{FLEET}" uses {SHARE} of its memory limit, more than
        {percent(limit)}. When it is full, jobs can no longer be enqueued, or are deleted. First raise the
        limit if the host has memory left, then find out what fills it: redis-cli -u "$REDIS_URL"
        --memkeys.{_fullest(b)}""",
        comment="""
        It pages before Redis is full: then every enqueue fails, Dramatiq's threads for delayed jobs end and
        do not start again, and RedisFull fires, which inhibits this alert.
        """,
    )


def _evicting(b: Builder) -> Alert:
    ql = b.ql
    safe = ql.series("redis_info", where=('maxmemory_policy=~"noeviction|volatile-.+"',))
    evicted = f"increase({ql.series('redis_evicted_keys_total')}[10m])"
    return b.alert(
        "RedisEvicting",
        ql.over_copies(f"{evicted} > 0 unless ignoring ({', '.join(_SERVER)}) {safe}"),
        keep_firing="5m",
        severity="critical",
        board=boards.REDIS_EXPORTER,
        summary=of_redis(f"full, {counted('key')} deleted within 10 minutes"),
        description=f"""Redis of fleet "{FLEET}" deleted {COUNT} keys within ten minutes because its memory
        is full and its maxmemory-policy allows it; jobs among them are lost. First set the policy:
        redis-cli -u "$REDIS_URL" CONFIG SET maxmemory-policy noeviction; then give Redis more memory.""",
        comment="""
        Only the policies allkeys-* delete keys without a lifetime, as queues are. Under volatile-* Redis
        deletes results and rate limits, and RedisMemoryHigh fires; under noeviction the counter rises only
        when the copy connects to another server, after a failover. The event is the alert, so there is no
        `for`. keep_firing_for is that of RedisMemoryHigh, which this alert inhibits.
        """,
    )


def _policy(b: Builder) -> Alert:
    unsafe = b.ql.series("redis_info", where=('maxmemory_policy=~"allkeys-.+"',))
    others = (label for label in _SERVER if label != "maxmemory_policy")
    return b.alert(
        "RedisPolicyUnsafe",
        f"{b.ql.over_copies(unsafe, *others)} == 1",
        pending="5m",
        keep_firing="5m",
        severity="warning",
        board=boards.REDIS_EXPORTER,
        summary=of_redis("policy {{ $labels.maxmemory_policy }} may delete queues"),
        description=f"""Redis of fleet "{FLEET}" has the maxmemory-policy {{{{ $labels.maxmemory_policy
        }}}}: when its memory is full it deletes any key, queues included. First set the policy noeviction:
        redis-cli -u "$REDIS_URL" CONFIG SET maxmemory-policy noeviction, and set it in the server's
        configuration too.""",
        comment="""
        Dramatiq's keys have no lifetime, so volatile-* cannot delete them. Without a memory limit nothing
        is deleted yet; the alert fires all the same, because managed services hide the limit and anyone
        may set one.
        """,
    )


def _replication(b: Builder) -> Alert:
    ql = b.ql
    replica, primary = (ql.series("redis_info", role=role) for role in ("slave", "master"))
    switched = f"{replica} and ignoring ({', '.join(_SERVER)}) max_over_time({primary}[1d])"
    return b.alert(
        "RedisReplicationBroken",
        f"""
        (
          {ql.over_copies(f"{ql.series('redis_replica_link_up')} == 0")}
          or
          {ql.gauge("redis_replica_lag_seconds")} > {REPLICA_LAG}
          or
          {ql.over_copies(switched, *_SERVER)}
        )
        and
        {ql.gauge("redis_up")} == 1
        """,
        pending="2m",
        keep_firing="5m",
        severity="warning",
        board=boards.REDIS_EXPORTER,
        summary=of_redis(
            f"replication is broken{{{{ if gt $value {REPLICA_LAG}.0 }}}}, "
            f"last data {COUNT} s ago, limit {REPLICA_LAG} s{{{{ end }}}}"
        ),
        description=f"""{{{{ if gt $value {REPLICA_LAG}.0 }}}}A replica of the Redis of fleet "{FLEET}"
        last received data from its primary {COUNT} seconds ago, more than {REPLICA_LAG}. {{{{ else if eq
        $value 1.0 }}}}An exporter of fleet "{FLEET}" is connected to a former primary that is now a
        replica; workers with the same address cannot write. {{{{ else }}}}A replica of the
        Redis of fleet "{FLEET}" has lost its connection to its primary. {{{{ end }}}}First find
        out which server is primary now: redis-cli -u "$REDIS_URL" INFO replication.""",
        comment="""
        What the metrics show of replication while at least one copy reads Redis (else RedisDown fires):

        - 0: a copy reads a replica whose link to the primary is down;
        - above 30: a copy reads a replica that last received data from its primary that number of seconds
        ago;
        - 1: a copy reads a replica that was a primary within the last day: after a failover this address
        still resolves to the old primary. Workers with the same address get READONLY for every command.

        A copy that reads the primary knows nothing of its replicas. A failover that every client followed
        is no fault and does not fire, whatever counters start again.
        """,
    )


def _slow(b: Builder) -> Alert:
    trip = b.ql.series("redis_round_trip_seconds")
    limit = b.threshold("RedisSlow")
    median = b.ql.over_copies(f"quantile_over_time(0.5, {trip}[5m]) and {trip}", how="min")
    return b.alert(
        "RedisSlow",
        f"{median} > {b.limit('RedisSlow')}",
        pending="5m",
        severity="warning",
        board=boards.REDIS_EXPORTER,
        summary=of_redis(f"round trip of {AGE}, limit {duration(limit)}"),
        description=f"""The median round-trip time of the Redis of fleet "{FLEET}" is {AGE}, above
        {duration(limit)}. First look for slow commands: redis-cli -u "$REDIS_URL" SLOWLOG
        GET 10.""",
        comment="""
        The median of five minutes, so one slow read does not count. The fastest copy, because a slow Redis
        is slow for all of them, and a copy that is slow alone has a slow network. `and`: a Redis that no
        longer answers is not slow, but down.
        """,
    )
