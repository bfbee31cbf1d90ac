"""Rules about the objectives of queues: error ratios over windows, and alerts when error budgets burn."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass

from bioagents_alerts import boards, diagnosis
from bioagents_alerts.builder import QUEUE, Builder
from bioagents_alerts.model import Alert, Group, Record, Rule, RuleFile
from bioagents_alerts.objectives import BURNS, DEFAULTS, Burn, matcher
from bioagents_alerts.promql import without
from bioagents_alerts.source import since, slo_wait
from bioagents_alerts.source.slo_wait import BOUND, STARTED
from bioagents_alerts.thresholds import number
from bioagents_alerts.titles import of_queue

COMMENT = """
Objectives for each queue, and alerts when their error budgets burn (Google's SRE Workbook, chapter 5).

- Wait: 95 % of the jobs start within the queue's `bioagents_queue_wait_limit_seconds`.
- Success: of the jobs that end, 99 % succeed and do not become dead letters. A retry costs no budget: the
objective is about the job, not the attempt. Jobs that a middleware skipped do not count.

The two objectives are the last numbers of the rules queue:bioagents_wait_slo:objective and
queue:bioagents_success_slo:objective. A burn rate is the share of bad jobs divided by the share that is
allowed: at 1 the budget of 30 days lasts exactly 30 days. An objective at which 14.4 x (1 - objective) is 1
or more can never page.

Windows in pairs: the long one shows that it matters, the short one (a twelfth) that it continues.
  1h and 5m above 14.4: 2 % of a month's budget, page      1d and 2h above 3: 10 %, ticket
  6h and 30m above 6: 5 %, page                            3d and 6h above 1: 10 %, ticket
And at least 10 bad jobs within the long window: one dead job of five burns at 20, and is no reason to page.
A page for six hours ends when the last five minutes are good: the fault is over, the half hour is not yet.

Rates come from the counters over 5 minutes alone, and longer windows add up these recorded rates, both
parts of a ratio in the same way. Rates over days computed directly from the histogram would read 22 buckets
of every actor and copy, more than 100 million samples for a large fleet, and Prometheus by default stops at
50 million.

Late jobs are the difference of two rates. One group records both and the difference: rates of two evaluations
would differ by jobs that are not late.

A job that waits is late as soon as it has waited for longer than the bound, whether or not any job starts. It
is counted then, as an event and as an error, and no more when it starts: the counters say how many late jobs
started, and the change of the number that still waits is added. A job that becomes late makes this number
rise by one; when it starts, the number falls by one and the counter rises by one, which is nothing together.
So every job is counted once in any window, while nothing starts too, and not again after the repair. How many
waiting jobs are late is known from below alone (see the rule), and an error there is made good as well when
the job starts. Jobs that are deleted are taken out of the count again.
"""

#: Windows of hours need no answer every few seconds.
_INTERVAL = "30s"
_COUNTED = ("1h", "6h", "1d", "3d")
_PARTS = ("errors", "events")
_WINDOWS = ("30m", "1h", "2h", "6h", "1d", "3d")


@dataclass(frozen=True, slots=True)
class _Speed:
    """How fast a budget burns, and what the alert about it is like."""

    name: str
    burns: tuple[Burn, ...]
    severity: str
    pending: str
    keep_firing: str
    window: str
    cause_window: str
    duration: str


_FAST = _Speed(
    "Fast", tuple(burn for burn in BURNS if burn.pages), "critical", "2m", "5m", "6h", "1h",
    "for an hour or for six",
)  # fmt: skip
_SLOW = _Speed(
    "Slow", tuple(burn for burn in BURNS if not burn.pages), "warning", "1h", "1h", "3d", "1d",
    "for a day or for three",
)  # fmt: skip


def rules(b: Builder) -> RuleFile:
    """The file slo.yml."""
    rates = Group("bioagents-slo-wait-rates", slo_wait.rates(b), interval=_INTERVAL)
    wait = _group(b, "wait", (*slo_wait.judged(b), _wait_objective(b)), _wait)
    success = _group(b, "success", _success_inputs(b), _success)
    return RuleFile("slo", COMMENT, (rates, wait, success))


def _group(
    b: Builder, name: str, inputs: tuple[Record, ...], alert: Callable[[Builder, _Speed], Alert]
) -> Group:
    rules: tuple[Rule, ...] = (
        *inputs,
        *_ratios(b, name),
        *_counts(b, name),
        alert(b, _FAST),
        alert(b, _SLOW),
    )
    return Group(f"bioagents-slo-{name}", rules, interval=_INTERVAL)


def _series(name: str, what: str) -> str:
    return f"queue:bioagents_{name}_slo_{what}"


def _wait_objective(b: Builder) -> Record:
    return _objective(
        b,
        "wait",
        BOUND,
        f"""
        The objective, for every queue with a wait limit. A queue with an objective of its own comes first,
        with `or`:
          0 * {BOUND}{{queue="chat"}} + 0.99 or …
        """,
    )


def _objective(b: Builder, name: str, queues: str, comment: str) -> Record:
    given = [objective for objective in b.variant.objectives if objective.name == name]
    single = [
        f"0 * {b.ql.recorded(queues, where=(matcher(objective),))} + {number(objective.value)}"
        for objective in given
        if objective.queue
    ]
    others = next((objective.value for objective in given if not objective.queue), DEFAULTS[name])
    expr = "\nor ".join([*single, f"0 * {b.ql.recorded(queues)} + {number(others)}"])
    return b.record(f"queue:bioagents_{name}_slo:objective", expr, comment)


def _success_inputs(b: Builder) -> tuple[Record, ...]:
    errors, events = (_series("success", f"{what}:rate5m") for what in ("errors", "events"))
    return (
        b.record(
            errors,
            b.ql.recorded("queue:bioagents_jobs_dead:rate5m"),
            "Jobs per second that became dead letters, and that ended.",
        ),
        b.record(
            events, f"{b.ql.recorded(errors)} + {b.ql.recorded('queue:bioagents_jobs_succeeded:rate5m')}"
        ),
        _objective(b, "success", events, "The objective, for every queue; a single queue as for the wait."),
    )


def _ratios(b: Builder, name: str) -> Iterable[Record]:
    yield b.record(
        _series(name, "errors:ratio_rate5m"),
        _ratio(b, name, "{}"),
        "The share of bad jobs, absent where there was no job at all.",
    )
    for window in _WINDOWS:
        yield b.record(
            _series(name, f"errors:ratio_rate{window}"), _ratio(b, name, f"sum_over_time({{}}[{window}])")
        )


def _ratio(b: Builder, name: str, over: str) -> str:
    """``over`` says how a rate is added up: ``sum_over_time({}[1h])``."""
    errors, events = (over.format(b.ql.recorded(_series(name, f"{what}:rate5m"))) for what in _PARTS)
    if name == "success":
        return f"{errors}\n  / ({events} > 0)"
    return slo_wait.ratio(errors, events, over.format(b.ql.recorded(STARTED)))


def _counts(b: Builder, name: str) -> Iterable[Record]:
    """How many bad jobs there were."""
    for window in _COUNTED:
        if name == "success":
            bad = b.ql.increase("jobs_dead_total", window, keep=("queue",))
        else:
            bad = slo_wait.late_jobs(b, window)
        yield b.record(
            _series(name, f"errors:increase{window}"),
            bad,
            "How many bad jobs there were." if window == _COUNTED[0] else "",
        )


def _burns(b: Builder, name: str, burns: Iterable[Burn]) -> str:
    """Both windows of one of the pairs burn, and there were at least ten bad jobs."""
    allowed = f"(1 - {b.ql.recorded(f'queue:bioagents_{name}_slo:objective')})"

    def fast(window: str, threshold: float) -> str:
        ratio = b.ql.recorded(_series(name, f"errors:ratio_rate{window}"))
        return f"{ratio} / {allowed} > {number(threshold)}"

    def over(burn: Burn) -> str:
        """A page ends with the fault, not when the short window of half an hour has passed."""
        latest = b.ql.recorded(_series(name, "errors:ratio_rate5m"))
        return f"\n  unless {latest} <= {allowed}" if burn.pages and burn.short != "5m" else ""

    return "\nor\n".join(
        f"""(
  {fast(burn.long, burn.threshold)}
  and {fast(burn.short, burn.threshold)}
  and {b.ql.recorded(_series(name, f"errors:increase{burn.long}"))} >= 10{over(burn)}
)"""
        for burn in burns
    )


def _wait(b: Builder, speed: _Speed) -> Alert:
    first = """First check the queue's row on the exporter's status page: if its slots are all running, add
    workers; if not, find out what its workers do."""
    bound = b.each(
        b.same.recorded(BOUND), " (more than {{ .Value | humanizeDuration }} after they became ready)"
    )
    return _burn(
        b, "wait", speed,
        description=f"""too many jobs of queue "{QUEUE}" start late{bound}.{diagnosis.backlog(b, first)}""",
        comment="""
        A job is counted once: when it starts, or already when it waits for longer than the bound. Without
        workers NoActiveWorkers and QueueUnserved fire. A quiet queue has minutes without a job and so
        without a ratio: keep_firing_for bridges them.
        """,
    )  # fmt: skip


def _success(b: Builder, speed: _Speed) -> Alert:
    dead = b.same.over_copies(f"increase({b.same.series('jobs_dead_total')}[{speed.cause_window}])")
    actor = b.each(f"topk(1, {without('sum', dead, 'wire')})", ' Most are of actor "{{ .Labels.actor }}".')
    return _burn(
        b, "success", speed,
        description=f"""too many jobs of queue "{QUEUE}" become dead letters.{actor} First search the
        workers' logs for the exception, before the dead letters are deleted.""",
        comment="",
    )  # fmt: skip


def _burn(b: Builder, name: str, speed: _Speed, *, description: str, comment: str) -> Alert:
    slower = "While the alert of the fast burn fires, Alertmanager inhibits this one."
    return b.alert(
        f"{name.title()}SLO{speed.name}Burn",
        _burns(b, name, speed.burns),
        pending=speed.pending,
        keep_firing=speed.keep_firing,
        severity=speed.severity,
        since=since.dead(b) if name == "success" else since.ended(b),
        board=boards.SLO,
        window=speed.window,
        summary=of_queue(f'{name} error budget burns {{{{ $value | printf "%.1f" }}}} times too fast'),
        description=f"""The error budget burns {{{{ $value | printf "%.1f" }}}} times as fast as allowed,
        {speed.duration}: {description}""",
        comment=comment if speed is _FAST else slower,
    )
