"""How many messages people get, from a real Alertmanager to a real webhook."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from alertmanager.inbox import Inbox, Posted, inbox
from alertmanager.manager import Labels, alert, default_manager, load, running, save, tell, with_receivers
from support.monitoring import Alertmanager
from support.polling import wait_until
from support.programs import RELEASES

QUEUES = ("chat", "deep-research", 'a "b" \\ c\n中 é 名')


@pytest.fixture(scope="module", params=RELEASES)
def chain(
    tmp_path_factory: pytest.TempPathFactory, request: pytest.FixtureRequest
) -> Iterator[tuple[Alertmanager, Inbox]]:
    """One Alertmanager of each release for all tests: each test has fleets of its own."""
    with default_manager(tmp_path_factory.mktemp("messages"), request.param) as both:
        yield both


def _received(received: Inbox, fleet: str, number: int = 1) -> list[Posted]:
    """The messages about one fleet, once there are so many."""
    wait_until(lambda: len(received.of(fleet)) >= number, what=f"{number} messages about {fleet}")
    return received.of(fleet)


def _labels(message: Posted) -> list[Labels]:
    return [one["labels"] for one in message.body["alerts"]]


def test_one_page_lists_everything_that_one_alert_concerns(chain: tuple[Alertmanager, Inbox]) -> None:
    """Three queues, whatever their names are: one message when they break, one when they are fixed."""
    manager, received = chain
    fired = [alert("QueueStalled", "paged", severity="critical", queue=queue) for queue in QUEUES]
    tell(manager, fired)
    (page,) = _received(received, "paged")
    assert page.receiver == "page"
    assert page.body["status"] == "firing"
    assert sorted(_labels(page), key=str) == sorted(fired, key=str)
    tell(manager, fired, resolved=True)
    _, end = _received(received, "paged", 2)
    assert end.body["status"] == "resolved"
    assert len(_labels(end)) == len(fired)


def test_one_ticket_lists_a_fleets_fault_from_all_its_sides(chain: tuple[Alertmanager, Inbox]) -> None:
    """Workers died: backlog, growth and waiting time of each queue, and the workers, in one message."""
    manager, received = chain
    names = ("HighQueueDepth", "QueueGrowing", "QueueWaitTooLong", "WorkersAtCapacity")
    fired = [alert(name, "ticketed", severity="warning", queue=queue) for name in names for queue in QUEUES]
    fired += [alert("WorkerMissing", "ticketed", severity="warning")]
    fired += [alert("WorkersBelowMinimum", "ticketed", severity="warning", queue="chat")]
    tell(manager, fired)
    (ticket,) = _received(received, "ticketed")
    assert ticket.receiver == "ticket"
    assert sorted(_labels(ticket), key=str) == sorted(fired, key=str)
    assert set(ticket.names) == {*names, "WorkerMissing", "WorkersBelowMinimum"}
    tell(manager, fired, resolved=True)
    first, end = _received(received, "ticketed", 2)
    assert first is ticket
    assert end.body["status"] == "resolved"


def test_fleets_regions_clusters_and_environments_have_messages_of_their_own(
    chain: tuple[Alertmanager, Inbox],
) -> None:
    """The same fault in each of them at the same time."""
    manager, received = chain
    places = [
        {"region": "eu"},
        {"region": "us"},
        {"cluster": "c1"},
        {"environment": "test"},
        {"namespace": "n"},
    ]
    tell(manager, [alert("HighQueueDepth", "apart", queue="chat", **place) for place in [{}, *places]])
    tell(manager, [alert("HighQueueDepth", "apart too", queue="chat")])
    messages = _received(received, "apart", len(places) + 1)
    assert [len(_labels(message)) for message in messages] == [1] * (len(places) + 1)
    (other,) = _received(received, "apart too")
    assert len(_labels(other)) == 1


def test_two_faults_of_one_fleet_are_two_pages(chain: tuple[Alertmanager, Inbox]) -> None:
    """A second fault is not added to the incident that is acknowledged already."""
    manager, received = chain
    tell(manager, [alert("RedisMemoryHigh", "twice", severity="critical")])
    _received(received, "twice")
    tell(manager, [alert("NoActiveWorkers", "twice", severity="critical")])
    assert [page.names for page in _received(received, "twice", 2)] == [
        ["RedisMemoryHigh"],
        ["NoActiveWorkers"],
    ]


def test_several_alertmanager_sources_make_one_message(chain: tuple[Alertmanager, Inbox]) -> None:
    """Two Prometheus servers send the same alert; it is listed once."""
    manager, received = chain
    for _ in range(2):
        tell(manager, [alert("NoActiveWorkers", "pair", severity="critical")])
    (page,) = _received(received, "pair")
    assert len(_labels(page)) == 1


def test_the_watchdog_reaches_its_own_receiver_again_and_again(chain: tuple[Alertmanager, Inbox]) -> None:
    """And no other receiver; that it is resolved is not sent."""
    manager, received = chain
    watchdog = {"alertname": "Watchdog", "severity": "none", "product": "bioagents"}
    tell(manager, [watchdog, alert("NoActiveWorkers", "next to the watchdog", severity="critical")])

    def signs() -> list[Posted]:
        return [message for message in received.messages if "Watchdog" in message.names]

    wait_until(lambda: len(signs()) >= 3, what="three notifications of the watchdog")
    assert {sign.receiver for sign in signs()} == {"watchdog"}
    assert {sign.body["status"] for sign in signs()} == {"firing"}
    _received(received, "next to the watchdog")
    assert all(
        message.names == ["Watchdog"] for message in received.messages if message.receiver == "watchdog"
    )


def test_info_is_never_sent(chain: tuple[Alertmanager, Inbox]) -> None:
    """Neither alone nor with others: the ticket that comes at the same time does not contain it."""
    manager, received = chain
    tell(manager, [alert("WorkersUneven", "informed", severity="info", queue="chat")])
    tell(manager, [alert("HighQueueDepth", "informed", queue="chat")])
    (ticket,) = _received(received, "informed")
    assert ticket.names == ["HighQueueDepth"]


def test_a_mute_time_holds_back_tickets_and_no_page(tmp_path: Path) -> None:
    """The example, with its comment taken off, at a time that is always in it."""
    config = with_receivers("alertmanager-receivers.yml", tmp_path)
    text = config.read_text(encoding="utf-8")
    assert text.count("# mute_time_intervals: [nights-and-weekends]") == 1
    config.write_text(text.replace("# mute_time_intervals:", "mute_time_intervals:"), encoding="utf-8")
    document = load(config)
    (interval,) = document["time_intervals"]
    interval["time_intervals"] = [{"times": [{"start_time": "00:00", "end_time": "24:00"}]}]
    with inbox() as received:
        document["receivers"] = [
            {"name": name, "webhook_configs": [{"url": received.url}]}
            for name in ("page", "ticket", "watchdog", "none")
        ]
        with running(tmp_path, save(config, document)) as manager:
            tell(manager, [alert("HighQueueDepth", "muted", queue="chat")])
            tell(manager, [{"alertname": "SomebodyElses"}])  # leaves when the ticket would
            tell(manager, [alert("NoActiveWorkers", "loud", severity="critical")])
            _received(received, "loud")
            wait_until(lambda: any("SomebodyElses" in m.names for m in received.messages))
            assert received.of("muted") == []
