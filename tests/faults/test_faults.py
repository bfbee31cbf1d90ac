"""Each fault makes its alerts fire and no others; they resolve after the repair. A normal day has no alert.

Real Redis, workers, exporters, Prometheus, Alertmanager and a webhook; each fault has a fleet of its own.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path

import pytest

from faults.runner import Fault, Run, run
from faults.table import FAULTS
from support.rule_files import alerts

pytestmark = pytest.mark.end_to_end

PAGE = Path(__file__).parents[2] / "docs" / "explanation" / "faults.md"
#: The receiver of each severity that notifies a person.
RECEIVERS = {"critical": "page", "warning": "ticket"}
SEVERITIES = {alert.name: alert.rule["labels"]["severity"] for alert in alerts()}


@pytest.fixture(scope="module")
def injected(tmp_path_factory: pytest.TempPathFactory, request: pytest.FixtureRequest) -> Iterator[Run]:
    """The faults of the tests that were selected."""
    parameters = [getattr(item, "callspec", None) for item in request.session.items]
    wanted = [found.params.get("fault") for found in parameters if found]
    chosen = [fault for fault in FAULTS if any(fault is one for one in wanted)]
    with run(tmp_path_factory.mktemp("faults"), chosen) as under_way:
        yield under_way


@pytest.mark.parametrize("fault", FAULTS, ids=lambda fault: fault.name)
def test_a_fault_fires_its_alerts_and_no_others(fault: Fault, injected: Run) -> None:
    """The expected alerts reach the receiver of their severity, no other alert fires, and all resolve."""
    outcome = injected.outcomes[fault.name].result()
    besides = {*fault.may, *fault.lasting}
    assert outcome.names - besides == {*fault.alerts, *fault.later}, outcome.story
    for notice in (receipt.notice for receipt in outcome.receipts):
        assert notice.receiver == RECEIVERS[SEVERITIES[notice.name]]
        assert (notice.labels["job"], notice.labels["fleet"]) == ("bioagents", "dramatiq")
        text = "\n".join(notice.annotations.values())
        assert not re.search(r"<no value>|%!|<error", text), text


def test_a_normal_day_has_no_alert(injected: Run) -> None:
    """Bursts, a rolling restart of all workers, a restart of the exporter, a failover: no notification."""
    assert [receipt.notice for receipt in injected.normal_day.result()] == []


def test_watchdog_fired(injected: Run) -> None:
    """Watchdog arrives, and no other alert without a fleet."""
    injected.normal_day.result()
    for monitor in injected.monitors.values():
        assert monitor.names("") == {"Watchdog"}


def test_the_servers_reported_no_problem(injected: Run) -> None:
    """Every rule could be evaluated, and every message delivered."""
    injected.normal_day.result()
    for monitor in injected.monitors.values():
        assert monitor.prometheus.complaints() == []
        assert monitor.alertmanager.complaints() == []


#: Alerts for which no fault is injected, and why. Their rules' own tests fire each of them.
NOT_INJECTED = {
    "AutoscalerBlind": "takes an exporter that reads a queue and works out no signal for it",
    "ExporterReadStale": "takes an exporter whose reading hangs while Redis answers",
    "HistogramsMissing": "takes a scrape configuration of its own: tests/alerts/test_scrape_configuration.py",
    "MetricsDropped": "takes a Redis that loses its data again and again for 45 minutes, each time in a call",
    "MetricsFlushDelayed": "takes a network that loses every answer for a minute and no request",
    "MetricsLabelConflict": "as HistogramsMissing",
    "SuccessSLOSlowBurn": "takes a little trouble for days; here it may fire together with the fast burn",
    "Watchdog": "has no fault: it always fires, see test_watchdog_fired",
    "WaitSLOSlowBurn": "as SuccessSLOSlowBurn",
    "WorkersUneven": "takes half an hour of load at full duration: its threshold counts attempts per second",
}


def test_every_alert_has_a_fault_or_a_reason() -> None:
    """A new alert is fired by a real fault before it ships, or NOT_INJECTED says why it cannot be."""
    injected = {name for fault in FAULTS for name in (*fault.alerts, *fault.later)}
    assert set(SEVERITIES) == injected | set(NOT_INJECTED)
    assert not injected & set(NOT_INJECTED)


def test_the_page_lists_every_fault_and_its_alerts() -> None:
    """docs/explanation/faults.md shows what is injected here, with a number for each."""
    page = PAGE.read_text()
    rows = {tuple(row) for row in re.findall(r"^\| ([\w-]+) \| (\w+) \| [\d.]+ \|", page, re.MULTILINE)}
    assert rows == {(fault.name, name) for fault in FAULTS for name in (*fault.alerts, *fault.later)}


def test_what_was_not_measured_has_a_reason() -> None:
    """The page gives a reason for each dash in its table."""
    page = PAGE.read_text()
    dashes = re.findall(r"^\| [\w-]+ \| (\w+) \| [\d.]+ \| \d+ \| - \|$", page, re.MULTILINE)
    reasons = page.partition("A dash:")[2].partition("WorkerMissing keeps")[0]
    assert dashes
    assert [name for name in dashes if name not in reasons] == []
