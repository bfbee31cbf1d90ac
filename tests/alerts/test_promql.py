"""The helpers that write PromQL for rules and boards: one answer of all copies, known names alone."""

from __future__ import annotations

from collections.abc import Callable, Iterable

import promql_parser
import pytest

from bioagents_alerts import promql
from bioagents_alerts.promql import Origin, PromQL, Series, join, label, metric, without

COPIES = ", ".join(promql.COPIES)
QL = PromQL()


def _variables(series: Series) -> Iterable[str]:
    """As a board chooses: by variables, a copy only where series have one."""
    copy = () if series.origin is Origin.RULE else ("instance",)
    return [f'{name}=~"${name}"' for name in ("job", *copy, *series.labels)]


BOARD = PromQL(prefix="acme_", copies=("instance", "replica"), matchers=_variables)


@pytest.mark.parametrize(
    ("written", "expected"),
    [
        (QL.gauge("redis_memory_used_bytes"), f"max without ({COPIES}) (bioagents_redis_memory_used_bytes)"),
        (
            QL.gauge("queue_depth", state="delayed"),
            f'max without ({COPIES}, state) (bioagents_queue_depth{{state="delayed"}})',
        ),
        (QL.gauge("queue_workers"), "queue:bioagents_queue_workers:max"),
        (QL.gauge("queue_workers", ago="5m"), "queue:bioagents_queue_workers:max offset 5m"),
        (QL.gauge("queue_depth", state="waiting"), "queue:bioagents_jobs_waiting:max"),
        (
            QL.gauge("queue_depth", keep=(), state="waiting"),
            "sum without (queue) (queue:bioagents_jobs_waiting:max)",
        ),
        (
            QL.rate("jobs_dead_total", "5m", keep=("queue",)),
            f"sum without (actor, wire) (max without ({COPIES}) (rate(bioagents_jobs_dead_total[5m])))",
        ),
        (
            QL.increase("job_wait_seconds_bucket", "1h", keep=("queue", "le")),
            (f"sum without (actor, wire) (max without ({COPIES}) "
            "(increase(bioagents_job_wait_seconds_bucket[1h])))"),
        ),
        (QL.target("up", 'job="x"'), 'up{job="x"}'),
        (
            BOARD.gauge("queue_load_ratio"),
            ("max without (instance, replica) "
            '(acme_queue_load_ratio{job=~"$job",instance=~"$instance",queue=~"$queue"})'),
        ),
        (BOARD.gauge("queue_slots"), 'queue:acme_queue_slots:max{job=~"$job",queue=~"$queue"}'),
        (
            BOARD.recorded("fleet:bioagents_worker_slots:sum", where=('region!="x"',)),
            'fleet:acme_worker_slots:sum{region!="x",job=~"$job"}',
        ),
        (join("a", "/", "b", ignoring=("host",), take=("pid",)), "a / ignoring (host) group_left (pid) b"),
        (without("max", "a"), "a"),
    ],
)  # fmt: skip
def test_copies_give_one_answer(written: str, expected: str) -> None:
    """The maximum of gauges, of each copy's rate for counters; a recorded gauge is read by its name."""
    assert written == expected
    promql_parser.parse(written)


def test_a_matcher_of_the_context_replaces_a_fixed_one() -> None:
    """Two values of one label select nothing; a value that printf fills in stays."""
    narrowed = PromQL(matchers=lambda _: ['job="a\\"b"', 'region!="eu"'])
    assert narrowed.target("up", 'job="x"', 'region="us"') == r'up{region="us",job="a\"b",region!="eu"}'
    assert narrowed.target("up", "job=%q") == r'up{job=%q,job="a\"b",region!="eu"}'


@pytest.mark.parametrize(
    ("write", "error"),
    [
        (lambda: QL.series("queue_dept"), "'queue_dept' is not a series of the exporter's catalogue"),
        (lambda: QL.series("job_wait_seconds"), "is not a series of the exporter's catalogue"),
        (lambda: metric("queue_depth_bucket"), "is not a series of the exporter's catalogue"),
        (lambda: QL.series("queue_depth", stat="dead"), "queue_depth has no label stat: it has fleet, queue"),
        (lambda: QL.series("queue_depth", where=('actor!="x"',)), "queue_depth has no label actor"),
        (lambda: QL.gauge("queue_depth", keep=("actor",)), "queue_depth has no label"),
        (lambda: QL.gauge("jobs_dead_total"), "'jobs_dead_total' is a counter: expected a gauge"),
        (lambda: QL.rate("queue_depth", "5m"), "is a gauge: expected a counter or histogram"),
        (lambda: without("sum", "a", "que"), "'que' is not a label"),
        (lambda: label("hots"), "'hots' is not a label"),
        (lambda: join("a", "*", "b", ignoring=("hots",)), "'hots' is not a label"),
        (lambda: QL.target("upp"), "'upp' is not a series of targets"),
        (lambda: QL.recorded("queue_slots"), "'queue_slots' is not recorded by any rule"),
        (lambda: PromQL(records=frozenset()).gauge("queue_slots"), "max' is not recorded by any rule"),
    ],
)
def test_an_unknown_name_is_refused(write: Callable[[], str], error: str) -> None:
    """No rule and no panel waits for a series that does not exist."""
    with pytest.raises(ValueError, match=error):
        write()
