"""An alert inhibits what it explains and nothing else, in a real Alertmanager."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass

import pytest
import yaml

from alertmanager.inbox import Inbox
from alertmanager.manager import SEVERITIES, Labels, alert, default_manager, silenced, tell
from bioagents_alerts import alertmanager_file
from support.monitoring import Alertmanager
from support.polling import wait_until
from support.programs import RELEASES

CHAT, DEEP = {"queue": "chat"}, {"queue": "deep-research"}
CRITICAL, WARNING = {"severity": "critical"}, {"severity": "warning"}
CAPACITY = ("WorkersAtCapacity", "WorkersBelowMinimum")
BACKLOG = ("HighQueueDepth", "QueueGrowing", "QueueWaitTooLong")
NOT_READ_FROM_REDIS = {"RedisDown", "ExporterDown", "ExporterTargetDown", "Watchdog"}
READ_FROM_REDIS = {"JobsStuck", "QueueUnserved", "MetricsFlushDelayed", *SEVERITIES} - NOT_READ_FROM_REDIS


def each(*names: str, **labels: str) -> list[Labels]:
    """Several alerts with the same labels."""
    return [alert(name, **labels) for name in names]


@dataclass(frozen=True)
class Case:
    """A source, what it inhibits in its own fleet, and what is still sent there."""

    source: Labels
    quiet: list[Labels]
    heard: list[Labels]


CASES = {
    "RedisDown": Case(
        alert("RedisDown"),
        [*each("NoActiveWorkers", "RedisMemoryHigh", *sorted(READ_FROM_REDIS)), *each(*BACKLOG, **CHAT)],
        each("ExporterDown"),
    ),
    "ExporterDown": Case(
        alert("ExporterDown"),
        each("AutoscalerBlind", "ExporterReadStale", "ExporterTargetDown", "ExporterScrapeErrors"),
        each("NoActiveWorkers", "WorkerMemoryHigh", "RedisSlow", "DeadLetters"),
    ),
    "RedisDown, with a missing exporter": Case(
        alert("RedisDown"), each("ExporterReadStale"), each("ExporterTargetDown")
    ),
    "ExporterDown, after a backlog was seen": Case(
        alert("ExporterDown"), each("AutoscalerBlind"), each(*BACKLOG, *CAPACITY, **CHAT)
    ),
    "NoActiveWorkers": Case(
        alert("NoActiveWorkers"),
        [
            *each(
                *BACKLOG, "QueueStalled", "QueueUnserved", "WorkersAtCapacity", "WorkersBelowMinimum", **CHAT
            ),
            *each(
                *BACKLOG, "QueueStalled", "QueueUnserved", "WorkersAtCapacity", "WorkersBelowMinimum", **DEEP
            ),
            *each("JobsOrphaned", "DelayedJobsOverdue", "WaitSLOSlowBurn", **CHAT),
            *each("WaitSLOFastBurn", **CHAT, **CRITICAL),
            *each("WorkerMissing"),
        ],
        [
            *each("PoisonJob", "DeadLetters", "LedgerMismatch", "HighJobFailureRate", **CHAT),
            *each("SuccessSLOFastBurn", **CHAT, **CRITICAL),
            *each("WorkerRestarting", "WorkerMemoryHigh", "RedisMemoryHigh"),
        ],
    ),
    "a queue that no worker serves": Case(
        alert("QueueUnserved", **CHAT, **CRITICAL),
        each(
            *BACKLOG, "WorkersBelowMinimum", "WaitSLOFastBurn", "JobsOrphaned", "DelayedJobsOverdue", **CHAT
        ),
        [*each(*BACKLOG, "WaitSLOFastBurn", "JobsOrphaned", **DEEP), *each("DeadLetters", **CHAT)],
    ),
    "a queue in which nothing gets done": Case(
        alert("QueueStalled", **CHAT, **CRITICAL),
        each(*BACKLOG, "WorkersAtCapacity", "WaitSLOFastBurn", **CHAT),
        [*each(*BACKLOG, "WorkersAtCapacity", **DEEP), *each("JobRunningTooLong", "JobsOrphaned", **CHAT)],
    ),
    "a ticket silences no page": Case(
        alert("QueueUnserved", **CHAT, **WARNING), [], each("WaitSLOFastBurn", **CHAT, **CRITICAL)
    ),
    "a Redis that is almost full, or full, which the alert does not distinguish": Case(
        alert("RedisMemoryHigh"), [], each("NoActiveWorkers")
    ),
    "RedisEvicting": Case(
        alert("RedisEvicting", **CRITICAL), each("RedisMemoryHigh", "RedisPolicyUnsafe"), each("RedisSlow")
    ),
    "a failing actor": Case(
        alert("HighJobFailureRate", **CHAT),
        each("HighJobFailureRatio", **CHAT),
        [*each("HighJobFailureRatio", **DEEP), *each("JobRetryStorm", **CHAT)],
    ),
    "a part of the exporter that fails": Case(
        alert("ExporterReadStale", source="jobs"),
        each("ExporterScrapeErrors", cause="derive"),
        each("ExporterScrapeErrors", cause="wrong_type"),
    ),
    "AutoscalerBlind": Case(
        alert("AutoscalerBlind", **CHAT),
        each("ExporterReadStale", source="signals"),
        each("ExporterReadStale", source="jobs"),
    ),
    "WaitSLOFastBurn": Case(
        alert("WaitSLOFastBurn", **CHAT),
        each("WaitSLOSlowBurn", **CHAT),
        [*each("WaitSLOSlowBurn", **DEEP), *each("SuccessSLOSlowBurn", **CHAT)],
    ),
    "SuccessSLOFastBurn": Case(
        alert("SuccessSLOFastBurn", **CHAT),
        each("SuccessSLOSlowBurn", **CHAT),
        [*each("SuccessSLOSlowBurn", **DEEP), *each("WaitSLOSlowBurn", **CHAT)],
    ),
    "critical over warning": Case(
        alert("Same", worker="w1", **CHAT, **CRITICAL),
        each("Same", worker="w1", **CHAT, **WARNING),
        [
            *each("Same", worker="w2", **CHAT, **WARNING),
            *each("Same", worker="w1", **DEEP, **WARNING),
            *each("Another", worker="w1", **CHAT, **WARNING),
        ],
    ),
}


@pytest.fixture(scope="module", params=RELEASES)
def chain(
    tmp_path_factory: pytest.TempPathFactory, request: pytest.FixtureRequest
) -> Iterator[tuple[Alertmanager, Inbox]]:
    """One Alertmanager of each release for all cases: each case has fleets of its own."""
    with default_manager(tmp_path_factory.mktemp("inhibition"), request.param) as both:
        yield both


def _sent(received: Inbox) -> list[Labels]:
    return [one["labels"] for message in received.messages for one in message.body["alerts"]]


@pytest.mark.parametrize("name", CASES)
def test_an_inhibition(name: str, chain: tuple[Alertmanager, Inbox]) -> None:
    """It holds in the fleet of its source and in no other, whether name, region or scrape job differ."""
    (manager, received), case = chain, CASES[name]
    fleet, other = f"{name}, here", f"{name}, elsewhere"
    strangers = [{"fleet": other}, {"fleet": fleet, "region": "us"}, {"fleet": fleet, "job": "other"}]
    quiet = [labels | {"fleet": fleet} for labels in case.quiet]
    heard = [labels | {"fleet": fleet} for labels in (case.source, *case.heard)]
    # Two of them, which do not explain each other.
    heard += [labels | stranger for labels in case.quiet[:2] for stranger in strangers]
    tell(manager, [*quiet, *heard])

    def as_expected() -> bool:
        known = silenced(manager)
        return all((one, True) in known for one in quiet) and all((one, False) in known for one in heard)

    wait_until(as_expected, what=f"{quiet} silenced, {heard} not")
    wait_until(lambda: all(one in _sent(received) for one in heard), what="what is heard is sent")
    assert [one for one in quiet if one in _sent(received)] == []


def test_strangers_without_a_fleet_are_left_alone(chain: tuple[Alertmanager, Inbox]) -> None:
    """Labels that both lack are equal to Alertmanager, so RedisDown of other rules could silence much."""
    manager, received = chain
    source, target = ({"alertname": name, "job": "strangers"} for name in ("RedisDown", "HighQueueDepth"))
    tell(manager, [source, target])
    wait_until(lambda: source in _sent(received) and target in _sent(received), what="both are sent")
    assert {(one["alertname"], quiet) for one, quiet in silenced(manager) if one["job"] == "strangers"} == {
        ("RedisDown", False),
        ("HighQueueDepth", False),
    }


def test_what_still_fires_is_sent_when_its_explanation_ends(chain: tuple[Alertmanager, Inbox]) -> None:
    """Silenced is not forgotten."""
    manager, received = chain
    redis, depth = alert("RedisDown", "repaired"), alert("HighQueueDepth", "repaired", **CHAT)
    tell(manager, [redis, depth])
    wait_until(lambda: redis in _sent(received))
    wait_until(lambda: (depth, True) in silenced(manager))
    assert depth not in _sent(received)
    tell(manager, [redis], resolved=True)
    wait_until(lambda: depth in _sent(received), what="the ticket that waited")


def test_the_configuration_names_no_alert_that_does_not_exist() -> None:
    """A renamed alert takes its inhibitions along."""
    config = yaml.safe_load(alertmanager_file().read_text(encoding="utf-8"))
    for rule in config["inhibit_rules"]:
        for matcher in rule["source_matchers"] + rule["target_matchers"]:
            label, _, pattern = re.split("(=~|!~|=|!=)", matcher, maxsplit=1)
            for name in pattern.strip('"').split("|") if label == "alertname" else ():
                assert any(re.fullmatch(name, known) for known in SEVERITIES), name
