"""A worker that is merely busy has no stuck jobs, and all stuck jobs are found once it is quiet."""

from __future__ import annotations

from dataclasses import dataclass, field

from hypothesis import given
from hypothesis import strategies as st

from bioagents_exporter.read.audit.stuck import MAX_IDS, Suspects
from bioagents_exporter.read.snapshot import Worker
from bioagents_worker.wire import State
from support.wire_fleet import IDENTITY


@dataclass
class SimulatedWorker:
    """A worker's sets in Redis, what it knows, and its last heartbeat; each step takes a second."""

    stuck: int
    now: float = 0.0
    known: list[bytes] = field(default_factory=list)
    written: int = 0  # jobs, for fresh ids
    held: dict[str, int] = field(default_factory=dict)
    delayed: dict[str, int] = field(default_factory=dict)
    seen: float = 0.0
    on_its_way: int | None = None  # a heartbeat is written some time before Redis stamps it

    def step(self, what: str) -> None:
        """One thing happens."""
        self.now += 1
        if what == "fetch":
            self.written += 1
            self.known.append(b"job-%d" % self.written)
        elif what == "finish" and self.known:
            self.known.pop(0)
        elif what == "finish last" and self.known:
            self.known.pop()
        elif what == "write" and self.on_its_way is None:
            self.on_its_way = len(self.known)
        elif what == "arrive" and self.on_its_way is not None:
            self.held = {"chat": self.on_its_way - self.on_its_way // 2}
            self.delayed = {"chat": self.on_its_way // 2}
            self.on_its_way, self.seen = None, self.now
        elif what == "heartbeat":
            self.step("write")
            self.step("arrive")

    def ids(self) -> frozenset[bytes]:
        """What is in its sets."""
        return frozenset([*self.known, *[b"stuck-%d" % i for i in range(self.stuck)]])

    def worker(self) -> Worker:
        """As the last read found it."""
        return Worker("w1", self.seen, IDENTITY, State(held=self.held, delayed=self.delayed))


def audit(suspects: Suspects, simulated: SimulatedWorker) -> int:
    """One audit of the worker; the number of stuck jobs that it finds."""
    worker, ids = simulated.worker(), simulated.ids()
    if suspects.is_suspect(worker, "chat", len(ids)):
        suspects.add(worker, "chat", len(ids), ids if len(ids) <= MAX_IDS else None, simulated.now)
    return suspects.stuck({"w1"})["chat"]


STEPS = st.lists(
    st.sampled_from(
        ["fetch", "fetch", "finish", "finish last", "write", "arrive", "heartbeat", "audit", "audit"]
    ),
    min_size=40,
    max_size=150,
)


@given(STEPS, st.integers(0, 3))
def test_never_more_than_there_are(steps: list[str], stuck: int) -> None:
    """Whatever a worker does between heartbeats and audits."""
    suspects, simulated = Suspects(), SimulatedWorker(stuck)
    for step in steps:
        if step == "audit":
            assert audit(suspects, simulated) <= stuck
        else:
            simulated.step(step)


@given(STEPS, st.integers(0, 3))
def test_all_of_them_once_it_is_quiet(steps: list[str], stuck: int) -> None:
    """After any history, a few heartbeats and audits find every one."""
    suspects, simulated = Suspects(), SimulatedWorker(stuck)
    for step in steps:
        if step == "audit":
            audit(suspects, simulated)
        else:
            simulated.step(step)
    found = []
    for _ in range(12):
        simulated.step("heartbeat")
        simulated.step("nothing")
        found.append(audit(suspects, simulated))
    assert found[-1] == stuck


def test_a_busy_worker_does_not_hide_them() -> None:
    """Jobs come and go all the time; those that never go are found."""
    suspects, simulated = Suspects(), SimulatedWorker(2)
    found = []
    for _ in range(10):
        for step in ("fetch", "heartbeat", "fetch", "finish", "finish", "heartbeat"):
            simulated.step(step)
        found.append(audit(suspects, simulated))
    assert found[-1] == 2


def test_the_heartbeat_with_the_fewest_jobs_counts() -> None:
    """A worker that is busy in every second audit has as many stuck jobs as in the others."""
    suspects, simulated = Suspects(), SimulatedWorker(2)
    found = []
    for _ in range(4):
        for step in ("fetch", "finish"):
            simulated.step(step)
            simulated.step("heartbeat")
            found.append(audit(suspects, simulated))
    assert found[-2:] == [2, 2]


def test_a_heartbeat_on_its_way_knows_nothing_of_later_jobs() -> None:
    """Written before the first audit, it arrives after it: a job fetched in between is not stuck."""
    suspects, simulated = Suspects(), SimulatedWorker(0)
    for step in ("write", "fetch"):
        simulated.step(step)
    assert audit(suspects, simulated) == 0
    for step in ("arrive", "nothing", "nothing"):
        simulated.step(step)
        assert audit(suspects, simulated) == 0


def test_jobs_that_get_stuck_later_are_found() -> None:
    """An observation ends, and a later one begins with the jobs of its time."""
    suspects, simulated = Suspects(), SimulatedWorker(1)
    found = []
    for number in range(40):
        if number == 10:
            simulated.stuck = 3
        if number == 25:
            simulated.stuck = 0
        simulated.step("heartbeat")
        simulated.step("nothing")
        found.append(audit(suspects, simulated))
    assert found[9] == 1
    assert found[24] == 3
    assert found[-1] == 0


def test_very_many_are_compared_by_number() -> None:
    """Thousands of ids are not remembered; a worker that knows them is left alone."""
    suspects, simulated = Suspects(), SimulatedWorker(0)
    simulated.known = [b"%d" % i for i in range(3000)]
    for _ in range(5):
        simulated.step("heartbeat")
        simulated.step("nothing")
        assert audit(suspects, simulated) == 0
    simulated.stuck, simulated.known = 3000, []
    for _ in range(12):
        simulated.step("heartbeat")
        simulated.step("nothing")
        found = audit(suspects, simulated)
    assert found == 3000


def test_workers_that_are_gone_are_forgotten() -> None:
    """Their jobs are orphans then."""
    suspects, simulated = Suspects(), SimulatedWorker(2)
    for _ in range(5):
        simulated.step("heartbeat")
        simulated.step("nothing")
        audit(suspects, simulated)
    assert suspects.stuck({"w1"})["chat"] == 2
    assert suspects.stuck(set())["chat"] == 0
    suspects.keep(set())
    assert suspects.stuck({"w1"})["chat"] == 0
