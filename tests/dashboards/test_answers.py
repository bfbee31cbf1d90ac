"""What boards answer about fleets that no live test has: each case a few series, a query and its answer.

promtool evaluates the committed boards' queries on these series and on what the rules record of them.
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest

from bioagents_alerts import rules_folder
from support.board_facts import numbers
from support.boards import EVERYTHING, expression_of, fill
from support.rule_cases import run_cases
from support.rule_files import alerts

ALERTS = sorted({alert.name for alert in alerts()})
RULES = [path.name for path in sorted(rules_folder().glob("*.yml"))]
#: Labels and value of each expected series.
Answer = dict[str, float]
NO_ANSWER: Answer = {}


class Fleet:
    """Series of one target, and what is asked about them."""

    def __init__(self, folder: Path) -> None:
        self._folder, self._series = folder, dict[str, str]()
        self.rules = RULES

    def has(self, name: str, values: str, **labels: str) -> None:
        """A series with values from the first minute on, as promtool writes them."""
        own = {"job": "bioagents", "instance": "a:9877", "fleet": "prod", **labels}
        self._series[f"bioagents_{name}{{{_text(own)}}}"] = values

    def records(self, name: str, values: str, **labels: str) -> None:
        """The same of a series that rules record, whose inputs would take days."""
        own = {"job": "bioagents", "fleet": "prod", **labels}
        self._series[f"{name}{{{_text(own)}}}"] = values

    def answers(
        self, panel: str, expected: Answer, *, at: str = "30m", within: str = "{}", **chosen: str
    ) -> None:
        """Whether a panel's query gives this at a time, with values of variables or everything chosen."""
        question: dict[str, Any] = {
            "expr": within.format(fill(expression_of(panel), EVERYTHING | chosen)),
            "eval_time": at,
            "exp_samples": [{"labels": labels, "value": value} for labels, value in expected.items()],
        }
        series = [{"series": name, "values": values} for name, values in self._series.items()]
        # Rules that a case does not name are not evaluated, and boards ask for alerts by their labels.
        named = " ".join(ALERTS) if "ALERTS" in question["expr"] else ""
        case: dict[str, Any] = {
            "name": named, "interval": "1m", "input_series": series, "promql_expr_test": [question]
        }  # fmt: skip
        tests = {"rule_files": self.rules, "evaluation_interval": "1m", "tests": [case]}
        result = run_cases(self._folder / str(len(list(self._folder.iterdir()))), tests, rules_folder())
        assert result.returncode == 0, result.stdout + result.stderr


def _text(labels: Mapping[str, str]) -> str:
    return ",".join(f'{name}="{value}"' for name, value in labels.items())


@pytest.fixture
def fleet(tmp_path: Path) -> Fleet:
    """One whose Redis is up."""
    made = Fleet(tmp_path)
    made.has("redis_up", "1x3000")
    return made


#: promtool reads no infinite number: what is infinite is so many whole seconds.
LONG = 1e9
SHORTENED = f"round(clamp_max({{}}, {LONG}))"

ONE_FLEET = '{fleet="prod", job="bioagents"}'


def column(board: str, word: str) -> str:
    """The query of a column of a board's table of queues."""
    (found,) = [
        str(number)
        for number in numbers()
        if (number.query.board, number.query.panel, number.word) == (board, "Queues", word)
    ]
    return found


def of_queue(name: str) -> str:
    """The labels of a number of one queue."""
    return f'{{fleet="prod", job="bioagents", queue="{name}"}}'


def queue(fleet: Fleet, name: str, *, waiting: int, oldest: str, workers_: int, least: int = 1) -> None:
    """A queue with a wait limit of 1,800 s."""
    fleet.has("queue_depth", f"{waiting}+0x3000", queue=name, state="waiting")
    fleet.has("queue_depth_limit", "50x3000", queue=name)
    fleet.has("queue_oldest_job_age_seconds", oldest, queue=name)
    fleet.has("queue_wait_limit_seconds", "1800x3000", queue=name)
    fleet.has("queue_workers", f"{workers_}+0x3000", queue=name)
    fleet.has("queue_min_workers", f"{least}x3000", queue=name)
    fleet.has("queue_desired_workers", "2x3000", queue=name)


def worker(fleet: Fleet, name: str, *, rss: str, limit: str, queues_: str = "chat") -> None:
    """A living worker."""
    facts = {"host": f"host-{name}", "pid": "1", "queues": queues_, "version": "1", "threads": "8"}
    fleet.has("worker_info", "1x60", worker=name, **facts)
    fleet.has("worker_threads", "8x60", worker=name)
    fleet.has("worker_slots", "8x60", worker=name)
    fleet.has("worker_memory_rss_bytes", rss, worker=name)
    fleet.has("worker_memory_limit_bytes", limit, worker=name)


def test_a_queue_that_nobody_serves_nears_its_limit(fleet: Fleet) -> None:
    """Its oldest job is 1,500 s old after 25 minutes and grows a second each second: 300 s are left."""
    queue(fleet, "misspelt", waiting=3, oldest="0+60x3000", workers_=0)
    queue(fleet, "chat", waiting=0, oldest="0+0x3000", workers_=2)
    fleet.answers("Capacity / Time until wait limit / A", {of_queue("misspelt"): 300}, at="25m")


def test_without_rules_nothing_is_said_of_a_limit(fleet: Fleet) -> None:
    """Neither that it breaks nor that it holds."""
    queue(fleet, "chat", waiting=3, oldest="0+60x3000", workers_=2)
    fleet.rules = []
    fleet.answers("Capacity / Time until wait limit / A", NO_ANSWER, at="25m")


def test_no_worker_alive(fleet: Fleet) -> None:
    """0 where the rules count none, nothing where they are not loaded."""
    fleet.answers("Workers / Workers alive / A", {ONE_FLEET: 0})
    fleet.rules = []
    fleet.answers("Workers / Workers alive / A", NO_ANSWER)


def test_alerts_without_rules(fleet: Fleet) -> None:
    """0 while the rules are loaded, nothing otherwise."""
    fleet.answers("Fleet overview / Firing alerts / A", {'{fleet="prod"}': 0})
    fleet.rules = []
    fleet.answers("Fleet overview / Firing alerts / A", NO_ANSWER)


def test_a_retired_queue_is_no_trouble(fleet: Fleet) -> None:
    """No worker has served it for a day and no job waits: no limit is used, no worker to be added."""
    queue(fleet, "old", waiting=0, oldest="0+0x3000", workers_=0)
    fleet.answers("Fleet overview / Worst limit used / A", {of_queue("old"): 0}, at="30h")
    fleet.answers("Capacity / Workers to add / A", {ONE_FLEET: 0}, at="30h")
    for query in (
        "Queue / Workers/minimum / A",
        "Capacity / Worker shortage / A",
        "Capacity / Desired and actual workers / A",
    ):
        fleet.answers(query, NO_ANSWER, at="30h")


def test_a_queue_without_enough_workers(fleet: Fleet) -> None:
    """Its whole limit is used, and workers are to be added, although nothing waits."""
    queue(fleet, "chat", waiting=0, oldest="0+0x3000", workers_=1, least=2)
    fleet.answers("Fleet overview / Worst limit used / A", {of_queue("chat"): 1})
    fleet.answers("Queue / Workers/minimum / A", {of_queue("chat"): 0.5})
    fleet.answers("Capacity / Workers to add / A", {ONE_FLEET: 1})


def test_copies_that_disagree_about_a_worker(fleet: Fleet) -> None:
    """It stays one line of the table of those that drain."""
    worker(fleet, "old", rss="7x60", limit="100x60")
    fleet.has("worker_slots", "0+0x60", worker="old")
    fleet.has("worker_running_jobs", "2x60", worker="old")
    other = {"host": "host-old", "pid": "1", "queues": "chat,mail", "version": "1", "threads": "8"}
    fleet.has("worker_info", "1x60", worker="old", instance="b:9877", **other)
    fleet.answers(
        "Workers / Missing or draining / B",
        {'{fleet="prod", host="host-old", job="bioagents", pid="1", version="1", worker="old"}': 2},
        within="sum without (queues) ({})",
    )


def test_a_gap_is_no_standstill(fleet: Fleet) -> None:
    """Ten jobs start per second; after ten minutes without an exporter there is no rate at first."""
    queue(fleet, "chat", waiting=3000, oldest="300x20 stale _x9 300x30", workers_=2)
    fleet.has("queue_depth", "3000x20 stale _x9 3000x30", queue="chat", state="waiting")
    starts = "0+600x20 stale _x9 18000+600x30"
    fleet.has("job_wait_seconds_count", starts, queue="chat", actor="answer")
    for minute in ("15m", "31m", "32m", "34m", "45m"):
        fleet.answers("Capacity / Time until wait limit by queue / A", NO_ANSWER, at=minute)


def test_jobs_out_of_reach_where_one_kind_is_not_known(fleet: Fleet) -> None:
    """The others are still added up."""
    fleet.has("queue_orphaned_jobs", "2x60", queue="chat")
    fleet.has("queue_stuck_jobs", "3x60", queue="chat")
    fleet.answers("Queue / Jobs no worker can run / A", {ONE_FLEET: 5})


def test_limits_are_those_of_the_workers_that_are_drawn(fleet: Fleet) -> None:
    """The ten largest, not the ten with the largest limits; and only where half of it is used."""
    for number in range(10):
        worker(fleet, f"large-{number}", rss=f"{2000 + number}x60", limit="2500x60")
        worker(fleet, f"roomy-{number}", rss=f"{1100 + number}x60", limit="2000x60")
    worker(fleet, "empty", rss="2100x60", limit="9000x60")
    for within in ("count(({}) == 2500)", "count({})"):
        fleet.answers("Workers / Memory of workers / B", {"{}": 9}, within=within)


def test_a_worker_whose_list_of_queues_is_cut(fleet: Fleet) -> None:
    """It may serve the chosen queue; one with a whole list serves those that are on it."""
    worker(fleet, "many", rss="7x60", limit="100x60", queues_="q01,q02,+4 more (1a2b3c4d)")
    worker(fleet, "few", rss="8x60", limit="100x60", queues_="q01,q02")
    labels = 'fleet="prod", host="host-{0}", job="bioagents", pid="1", queues="{1}", worker="{0}"'
    name = "worker:bioagents_worker_memory_rss_bytes:max"
    many = f"{name}{{{labels.format('many', 'q01,q02,+4 more (1a2b3c4d)')}}}"
    few = f"{name}{{{labels.format('few', 'q01,q02')}}}"
    fleet.answers("Workers / Memory of workers / A", {many: 7}, queue="q18")
    fleet.answers("Workers / Memory of workers / A", {many: 7, few: 8}, queue="q02")


def test_regions_of_one_fleet_stay_apart(fleet: Fleet) -> None:
    """Alerts of one are not those of the other."""
    for region, waiting in (("eu", "90x60"), ("us", "0+0x60")):
        fleet.has("redis_up", "1x60", region=region)
        fleet.has("queue_depth", waiting, region=region, queue="chat", state="waiting")
        fleet.has("queue_depth_limit", "50x60", region=region, queue="chat")
    expected = {'{fleet="prod"}': 0, '{fleet="prod", region="eu"}': 1, '{fleet="prod", region="us"}': 0}
    fleet.answers("Fleet overview / Firing alerts / A", expected)


def test_the_worst_queue_is_shown(fleet: Fleet) -> None:
    """Of two queues the one that uses more of its limit, and its name."""
    queue(fleet, "chat", waiting=1, oldest="900x3000", workers_=1)
    queue(fleet, "reports", waiting=1, oldest="1620x3000", workers_=1)
    fleet.answers("Queue / Wait limit used / A", {of_queue("reports"): 0.9})


def test_a_job_is_completed_in_one_of_three_ways(fleet: Fleet) -> None:
    """It succeeds, becomes a dead letter or is skipped; an attempt that failed completes nothing."""
    minute = {"succeeded": 60, "dead": 120, "skipped": 240}
    for outcome, jobs in minute.items():
        fleet.has(f"jobs_{outcome}_total", f"0+{jobs}x60", queue="chat", actor="answer")
    fleet.has("jobs_processed_total", "0+480x60", queue="chat", actor="answer")
    queue_of_fleet = '{fleet="prod", job="bioagents", queue="chat"}'
    fleet.answers("Queue / Arrivals and completions / B", {queue_of_fleet: 7}, within="sum without () ({})")


def test_three_starts_are_three(fleet: Fleet) -> None:
    """Within some seconds, of processes of one host; a graph of starts peaks at their number."""
    fleet.has("worker_boots_total", "4x10 7x50", host="a")
    host = '{fleet="prod", host="a", job="bioagents"}'
    for board, ref in (("Fleet overview", "A"), ("Workers", "A")):
        fleet.answers(f"{board} / Starts by host / {ref}", {host: 3}, at="11m30s", __rate_interval="2m")
        fleet.answers(f"{board} / Starts by host / {ref}", {host: 0}, at="20m", __rate_interval="2m")


def test_the_first_start_on_a_new_host_counts(fleet: Fleet) -> None:
    """A pod is a new host each time; but a counter that an exporter finds when it starts is no start."""
    fleet.has("worker_boots_total", "_x10 1x50", host="pod-1")
    pod = '{fleet="prod", host="pod-1", job="bioagents"}'
    fleet.answers("Workers / Starts by host / A", {pod: 1}, at="11m", __rate_interval="2m")
    fleet.has("redis_up", "_x10 1x50")
    fleet.answers("Workers / Starts by host / A", {pod: 0}, at="12m", __rate_interval="2m")


def test_a_wait_above_its_limit_is_never_far_from_it(fleet: Fleet) -> None:
    """In the first minutes of an exporter nothing is known of starts, but much of the limit is used."""
    queue(fleet, "chat", waiting=3, oldest="1600+60x60", workers_=2)
    queue(fleet, "mail", waiting=0, oldest="0+0x60", workers_=2)
    fleet.answers("Capacity / Time until wait limit / A", NO_ANSWER, at="2m")
    fleet.answers("Capacity / Time until wait limit / A", {of_queue("chat"): 0}, at="4m")


def test_no_queue_near_its_limit(fleet: Fleet) -> None:
    """Jobs wait for some seconds: no queue is named, and there is no time to give."""
    queue(fleet, "chat", waiting=3, oldest="4x60", workers_=2)
    fleet.answers("Capacity / Time until wait limit / A", {ONE_FLEET: LONG}, within=SHORTENED)


def rates(fleet: Fleet, name: str, *, waiting: int, arrivals: int, completions: int, slots: int = 4) -> None:
    """A queue with jobs per minute; what the exporter says of its backlog contradicts them."""
    queue(fleet, name, waiting=waiting, oldest="60x60", workers_=1)
    fleet.has("queue_slots", f"{slots}+0x60", queue=name)
    fleet.has("queue_drain_seconds", "77x60", queue=name)
    fleet.has("jobs_enqueued_total", f"100+{arrivals}x60", queue=name, actor="a")
    for outcome, jobs in (("succeeded", completions), ("dead", 0), ("skipped", 0)):
        fleet.has(f"jobs_{outcome}_total", f"100+{jobs}x60", queue=name, actor="a")


#: Waiting jobs, arrivals and completions per minute of a queue with four slots, and its seconds to drain.
BACKLOGS = (
    (130, 6, 19, 600.0),  # ten minutes at thirteen jobs a minute
    (130, 19, 6, LONG),
    (130, 6, 6, LONG),
    (0, 6, 19, 0.0),
    (0, 19, 6, 0.0),
    (1, 6, 7, 60.0),
    (1, 19, 6, None),  # one job that has just arrived is no backlog
    (4, 19, 6, None),  # the slots take them with their next jobs
    (5, 19, 6, LONG),
)


def test_a_backlog_shrinks_where_completions_exceed_arrivals(fleet: Fleet) -> None:
    """The time to drain follows from the rates that are shown next to it, and from nothing else."""
    for number, (waiting, arrivals, completions, _) in enumerate(BACKLOGS):
        rates(fleet, f"q{number}", waiting=waiting, arrivals=arrivals, completions=completions)
    expected = {of_queue(f"q{number}"): seconds for number, (*_, seconds) in enumerate(BACKLOGS)}
    known = {queue_: seconds for queue_, seconds in expected.items() if seconds is not None}
    fleet.answers(column("Queue", "Time to drain"), known, within=SHORTENED)


def test_a_backlog_of_producers_that_count_nothing(fleet: Fleet) -> None:
    """What the exporter knows by the length of the queue; no rate of arrivals contradicts it."""
    queue(fleet, "chat", waiting=130, oldest="60x60", workers_=1)
    fleet.has("queue_slots", "4x60", queue="chat")
    fleet.has("queue_drain_seconds", "90x60", queue="chat")
    fleet.has("jobs_enqueued_total", "0x60", queue="chat", actor="a")
    fleet.answers("Queue / Time to drain / A", {of_queue("chat"): 90})


@pytest.mark.parametrize(
    ("minutes", "size", "grows", "shown"),
    [
        (120, 73, 100, True),
        (1, 73, 100, False),  # what it takes after its start is not what it will take in an hour
        (120, 730, 1, False),  # noise
    ],
)
def test_growth_is_that_of_a_worker_that_has_started_up(
    fleet: Fleet, minutes: int, size: int, grows: int, *, shown: bool
) -> None:
    """Not of one that is a minute old, and not a share of its memory that no one would notice."""
    mib = 1 << 20
    worker(fleet, "w", rss=f"{size * mib}+{grows * mib // 60}x180", limit=f"{4000 * mib}x180")
    facts = {"host": "host-w", "pid": "1", "queues": "chat", "version": "1", "threads": "8"}
    fleet.has("worker_info", "1x180", worker="w", **facts)
    fleet.has("worker_start_time_seconds", f"{(180 - minutes) * 60}x180", worker="w")
    expected = {"{}": float(grows)} if shown else NO_ANSWER
    fleet.answers(
        "Workers / Memory growth in an hour / A", expected, at="3h", within=f"sum(round({{}} / {mib}))"
    )


def test_load_is_that_of_the_jobs_and_slots_that_are_shown(fleet: Fleet) -> None:
    """Running and waiting jobs for each slot, endless where jobs wait and there is none."""
    loads = {(3, 0, 4): 0.75, (4, 6, 4): 2.5, (0, 0, 0): 0.0, (0, 3, 0): LONG, (2, 0, 0): 0.0}
    for number, (running, waiting, slots) in enumerate(loads):
        queue(fleet, f"q{number}", waiting=waiting, oldest="0x60", workers_=1)
        fleet.has("queue_running_jobs", f"{running}+0x60", queue=f"q{number}")
        fleet.has("queue_slots", f"{slots}+0x60", queue=f"q{number}")
        fleet.has("queue_load_ratio", "9x60", queue=f"q{number}")
    expected = {of_queue(f"q{number}"): load for number, load in enumerate(loads.values())}
    fleet.answers(column("Capacity", "Load"), expected, within=f"clamp_max({{}}, {LONG})")


def test_no_worker_is_to_be_added_where_nothing_finishes(fleet: Fleet) -> None:
    """More slots would run more jobs that hang; another queue's workers are still to be added."""
    queue(fleet, "mail", waiting=40, oldest="600x60", workers_=1)
    fleet.records("queue:bioagents_jobs_hanging:seconds", "900x60", queue="mail")
    fleet.answers("Capacity / Workers to add / A", {of_queue("mail"): -1})
    queue(fleet, "chat", waiting=40, oldest="600x60", workers_=1)
    fleet.answers("Capacity / Workers to add / A", {ONE_FLEET: 1})
    fleet.answers(column("Capacity", "To add"), {of_queue("mail"): -1, of_queue("chat"): 1})


def test_an_idle_queue_with_a_reserve_missing_needs_no_worker(fleet: Fleet) -> None:
    """The scaling signal desires two workers at any time; without waiting jobs one is enough."""
    queue(fleet, "chat", waiting=0, oldest="0x60", workers_=1)
    fleet.answers("Capacity / Workers to add / A", {ONE_FLEET: 0})
    queue(fleet, "mail", waiting=1, oldest="1x60", workers_=1)
    fleet.answers("Capacity / Workers to add / A", {ONE_FLEET: 1})
