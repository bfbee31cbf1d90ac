"""Each fault brings its alerts to the webhook and no other; mended, they resolve. An ordinary day is silent.

Real Redis, workers, exporters, Prometheus, Alertmanager and a webhook; each fault has a fleet of its own.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path

import pytest

from faults.season import Season, season
from faults.stage import Fault
from faults.table import FAULTS
from support.rule_files import alerts

pytestmark = pytest.mark.end_to_end

PAGE = Path(__file__).parents[2] / "docs" / "explanation" / "faults.md"
#: What a person must act on goes to one of these.
RECEIVERS = {"critical": "page", "warning": "ticket"}
SEVERITIES = {alert.name: alert.rule["labels"]["severity"] for alert in alerts()}


@pytest.fixture(scope="module")
def performed(tmp_path_factory: pytest.TempPathFactory, request: pytest.FixtureRequest) -> Iterator[Season]:
    """The faults whose tests were asked for."""
    parameters = [getattr(item, "callspec", None) for item in request.session.items]
    wanted = [found.params.get("fault") for found in parameters if found]
    chosen = [fault for fault in FAULTS if any(fault is one for one in wanted)]
    with season(tmp_path_factory.mktemp("faults"), chosen) as under_way:
        yield under_way


@pytest.mark.parametrize("fault", FAULTS, ids=lambda fault: fault.name)
def test_a_fault_is_told_alone(fault: Fault, performed: Season) -> None:
    """The expected alerts come to whom they concern, no other does, and all resolve."""
    outcome = performed.outcomes[fault.name].result()
    besides = {*fault.may, *fault.lasting}
    assert outcome.names - besides == {*fault.alerts, *fault.later}, outcome.story
    for notice in (receipt.notice for receipt in outcome.receipts):
        assert notice.receiver == RECEIVERS[SEVERITIES[notice.name]]
        assert (notice.labels["job"], notice.labels["fleet"]) == ("bioagents", "dramatiq")
        text = "\n".join(notice.annotations.values())
        assert not re.search(r"<no value>|%!|<error", text), text


def test_an_ordinary_day_is_silent(performed: Season) -> None:
    """Bursts, a rolling restart of all workers, a restart of the exporter, a failover: nobody is told."""
    assert [receipt.notice for receipt in performed.silence.result()] == []


def test_the_dead_mans_switch_was_held(performed: Season) -> None:
    """Watchdog arrives, and nothing else was said of no fleet at all."""
    performed.silence.result()
    for monitor in performed.monitors.values():
        assert monitor.names("") == {"Watchdog"}


def test_the_servers_had_nothing_to_complain_about(performed: Season) -> None:
    """Every rule could be evaluated, and every message delivered."""
    performed.silence.result()
    for monitor in performed.monitors.values():
        assert monitor.prometheus.complaints() == []
        assert monitor.alertmanager.complaints() == []


#: Alerts for which no fault is performed, and why. Their rules' own tests fire each of them.
NOT_PERFORMED = {
    "AutoscalerBlind": "takes an exporter that reads a queue and works out no signal for it",
    "ExporterReadStale": "takes an exporter whose reading hangs while Redis answers",
    "MetricsDropped": "takes a Redis that loses its data again and again for 45 minutes, each time in a call",
    "MetricsFlushDelayed": "takes a network that loses every answer for a minute and no request",
    "SuccessSLOSlowBurn": "takes a little trouble for days; here it may come beside the fast burn",
    "Watchdog": "has no fault: it always comes, see test_the_dead_mans_switch_was_held",
    "WaitSLOSlowBurn": "as SuccessSLOSlowBurn",
    "WorkersUneven": "takes half an hour of undivided load: its threshold counts attempts per second",
}


def test_every_alert_has_a_fault_or_a_reason() -> None:
    """So that a new alert is fired for real before it ships."""
    performed = {name for fault in FAULTS for name in (*fault.alerts, *fault.later)}
    assert set(SEVERITIES) == performed | set(NOT_PERFORMED)
    assert not performed & set(NOT_PERFORMED)


def test_the_page_tells_every_fault_and_its_alerts() -> None:
    """docs/explanation/faults.md shows what is performed here, with a number for each."""
    page = PAGE.read_text()
    rows = {tuple(row) for row in re.findall(r"^\| ([\w-]+) \| (\w+) \| [\d.]+ \|", page, re.MULTILINE)}
    assert rows == {(fault.name, name) for fault in FAULTS for name in (*fault.alerts, *fault.later)}


def test_what_was_not_measured_has_a_reason() -> None:
    """The page says of each dash why it stands there."""
    page = PAGE.read_text()
    dashes = re.findall(r"^\| [\w-]+ \| (\w+) \| [\d.]+ \| \d+ \| - \|$", page, re.MULTILINE)
    reasons = page.partition("A dash:")[2].partition("WorkerMissing keeps")[0]
    assert dashes
    assert [name for name in dashes if name not in reasons] == []
