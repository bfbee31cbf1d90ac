"""What people read, as a real Alertmanager sends it to Slack, PagerDuty and a mail server of this process."""

from __future__ import annotations

import json
import re
import subprocess
from base64 import b64decode
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from alertmanager.inbox import Inbox, Mailbox, inbox, mailbox
from alertmanager.manager import ALERTS_FOLDER, SECRETS, alert, load, running, save, tell, with_receivers
from support.monitoring import Alertmanager
from support.polling import wait_until
from support.programs import RELEASES, require

TEMPLATES = ALERTS_FOLDER / "templates" / "*.tmpl"
LINKS = {
    "runbook_url": "https://monitor.example.org/runbooks/HighQueueDepth",
    "dashboard_url": "https://grafana.example.org/d/bioagents-fleet?var-fleet=prod&from=now-3h&to=now",
}
TEXTS = {
    "summary": "Queue chat: 312 waiting jobs, limit 50 (fleet prod)",
    "description": 'Queue "chat" has 312 waiting jobs, more than its limit. First check its workers.',
    **LINKS,
}
#: When an alert started.
WHEN = r"\d+ [A-Z][a-z]{2} \d\d:\d\d UTC"
EVIL = '<!channel> & "x"\n](http://evil.example) <script>'


@dataclass(frozen=True)
class Services:
    """The services that people have, played by this process."""

    manager: Alertmanager
    posted: Inbox
    mail: Mailbox


@pytest.fixture(scope="module", params=RELEASES)
def services(tmp_path_factory: pytest.TempPathFactory, request: pytest.FixtureRequest) -> Iterator[Services]:
    """The receivers of the example with other addresses; pages go to Slack too, and tickets by mail."""
    folder = tmp_path_factory.mktemp("templates")
    config = with_receivers("alertmanager-receivers.yml", folder)
    secrets = folder / "secrets"
    secrets.mkdir()
    config.write_text(config.read_text(encoding="utf-8").replace(SECRETS, str(secrets)), encoding="utf-8")
    document = load(config)
    receivers = {receiver["name"]: receiver for receiver in document["receivers"]}
    document["route"]["group_interval"] = "500ms"  # some tests wait for a second message
    with inbox() as posted, mailbox() as mail:
        (secrets / "slack-url").write_text(f"{posted.url}slack\n")
        (secrets / "pagerduty-routing-key").write_text("a-routing-key")
        (secrets / "smtp-password").write_text("a-password")
        (secrets / "deadman-token").write_text("a-token")
        receivers["page"] |= {"slack_configs": receivers["page-slack"]["slack_configs"]}
        receivers["ticket"] |= {"email_configs": receivers["ticket-email"]["email_configs"]}
        receivers["page"]["pagerduty_configs"][0]["url"] = f"{posted.url}pagerduty"
        receivers["ticket"]["email_configs"][0] |= {"smarthost": mail.address, "require_tls": False}
        receivers["watchdog"]["webhook_configs"][0]["url"] = f"{posted.url}deadman"
        with running(folder, save(config, document), request.param) as manager:
            yield Services(manager, posted, mail)
            assert manager.complaints() == []


def _await_slack(services: Services, title: str) -> dict[str, str]:
    """The attachment of the one Slack message with this title."""

    def found() -> list[dict[str, str]]:
        attachments = [message.body["attachments"][0] for message in services.posted.to("/slack")]
        return [one for one in attachments if one["title"] == title]

    (attachment,) = wait_until(found, what=f"{title!r} in Slack")
    return attachment


def test_a_page_in_pagerduty(services: Services) -> None:
    """Title, severity, the first thing to do, where, and both links; the key comes from its file."""
    tell(services.manager, [alert("NoActiveWorkers", region="eu", severity="critical")], annotations=TEXTS)

    def found() -> list[dict[str, Any]]:
        events = [message.body for message in services.posted.to("/pagerduty")]
        return [event for event in events if event["payload"]["group"] == "fleet prod, region eu"]

    (event,) = wait_until(found, what="the page")
    assert event["routing_key"] == "a-routing-key"
    assert event["event_action"] == "trigger"
    payload = event["payload"]
    assert payload["summary"] == TEXTS["summary"]
    assert payload["severity"] == "critical"
    assert TEXTS["description"] in payload["custom_details"]["firing"]
    assert str(payload["custom_details"]["num_firing"]) == "1"  # newer ones write a number
    assert {link["text"]: link["href"] for link in event["links"]} == {
        "Runbook": LINKS["runbook_url"],
        "Dashboard": LINKS["dashboard_url"],
    }


def _texts(summary: str, **others: str) -> dict[str, str]:
    return TEXTS | {"summary": summary, **others}


def test_a_ticket_in_slack(services: Services) -> None:
    """Each queue's number and first step, and the links; a phone shows the first line."""
    for queue in ("chat", "mail"):
        texts = _texts(f"Queue {queue}: 312 waiting jobs, limit 50 (fleet slack)")
        tell(services.manager, [alert("HighQueueDepth", "slack", queue=queue)], annotations=texts)
    message = _await_slack(services, "Queue chat: 312 waiting jobs, limit 50 (fleet slack) +1")
    assert message["fallback"] == message["title"]
    assert message["title_link"] == LINKS["runbook_url"]
    assert message["color"] == "warning"
    assert message["footer"] == "fleet slack"
    dashboard, runbook = LINKS["dashboard_url"].replace("&", "&amp;"), f"<{LINKS['runbook_url']}|Runbook>"
    assert re.sub(WHEN, "WHEN", message["text"]).splitlines() == [
        f"*Queue chat: 312 waiting jobs, limit 50 (fleet slack)* {runbook}",
        f"• {TEXTS['description']} Firing since WHEN. <{dashboard}|Dashboard>",
        f"*Queue mail: 312 waiting jobs, limit 50 (fleet slack)* {runbook}",
        f"• {TEXTS['description']} Firing since WHEN. <{dashboard}|Dashboard>",
    ]


def test_the_gravest_alert_comes_first(services: Services) -> None:
    """Not the first by its labels: pages, then lost jobs, then late ones, then the rest."""
    names = ("AutoscalerBlind", "HighQueueDepth", "PoisonJob", "WorkerConfigSkew")
    for name in names:
        tell(services.manager, [alert(name, "grave", job="a")], annotations=_texts(f"About {name}"))
    tell(
        services.manager,
        [{"alertname": "ZOther", "fleet": "grave", "severity": "warning", "job": "a"}],
        annotations=_texts("About ZOther"),
    )
    lines = _await_slack(services, "About PoisonJob +4")["text"].splitlines()
    order = ["PoisonJob", "HighQueueDepth", "AutoscalerBlind", "WorkerConfigSkew", "ZOther"]
    assert [line.split("*")[1] for line in lines if line.startswith("*")] == [f"About {n}" for n in order]


def test_a_further_message_puts_what_is_new_first(services: Services) -> None:
    """The old alert follows in one line without its number, which would be old, and its texts."""
    texts = _texts("Queue chat: 312 waiting jobs, limit 50 (fleet again)")
    old = [alert("PoisonJob", "again", queue="chat"), alert("HighQueueDepth", "again", queue="chat")]
    tell(services.manager, old, annotations=texts, minutes_ago=30)
    _await_slack(services, "Queue chat: 312 waiting jobs, limit 50 (fleet again) +1")
    new = [alert("QueueGrowing", "again", queue="mail")]
    tell(services.manager, new, annotations=_texts("Queue mail: 7 waiting jobs, growing (fleet again)"))
    message = _await_slack(services, "Queue mail: 7 waiting jobs, growing (fleet again) +2")
    first, second, third = message["text"].splitlines()
    assert first.startswith("*Queue mail: 7 waiting jobs, growing (fleet again)*")
    assert second.startswith(f"• {TEXTS['description']}")
    still = rf"Still firing: PoisonJob chat since {WHEN}; HighQueueDepth chat since {WHEN}"
    assert re.fullmatch(still, third)
    assert "312 waiting jobs, limit" not in message["text"]
    tell(services.manager, new, annotations=texts, resolved=True)
    message = _await_slack(services, "Resolved: QueueGrowing mail (fleet again), 2 still firing")
    resolved, still_firing = message["text"].splitlines()
    assert resolved == "Resolved: QueueGrowing mail"
    assert re.fullmatch(still, still_firing)


def test_each_summary_is_in_the_message_once(services: Services) -> None:
    """Two queues with one alert have two summaries; two alerts with the same summary share it."""
    for queue, shown in (("a", "Queue a is slow."), ("b", "Queue b is slow."), ("c", "Queue b is slow.")):
        tell(services.manager, [alert("HighQueueDepth", "two", queue=queue)], annotations={"summary": shown})
    lines = _await_slack(services, "Queue a is slow. +2")["text"].splitlines()
    assert [line for line in lines if line.startswith("*")] == ["*Queue a is slow.*", "*Queue b is slow.*"]
    assert len(lines) == 5


def test_the_end_of_a_page_is_green(services: Services) -> None:
    """The notification that an alert has resolved is green, names the alert and shows no old number."""
    fired = [alert("NoActiveWorkers", "fixed", severity="critical")]
    texts = _texts("Fleet fixed: no active worker, 3 waiting jobs")
    tell(services.manager, fired, annotations=texts)
    assert _await_slack(services, "Fleet fixed: no active worker, 3 waiting jobs")["color"] == "danger"
    tell(services.manager, fired, annotations=texts, resolved=True)
    end = _await_slack(services, "Resolved: NoActiveWorkers (fleet fixed)")
    assert end["color"] == "good"
    assert end["text"].strip() == "Resolved: NoActiveWorkers"


def test_a_name_cannot_ring_a_channel_or_break_a_line(services: Services) -> None:
    """A queue's name is input from outside: it becomes no mention, no link, no markup."""
    texts = _texts("Evil name", description=f"Queue {EVIL} has 3 waiting jobs. First look.")
    tell(services.manager, [alert("HighQueueDepth", "evil", queue=EVIL)], annotations=texts)
    text = _await_slack(services, "Evil name")["text"]
    assert (
        '• Queue &lt;!channel&gt; &amp; "x" ](http://evil.example) &lt;script&gt; has 3 waiting jobs.' in text
    )
    assert "<!" not in text


def test_many_alerts_stay_one_short_message(services: Services) -> None:
    """Ten are written out, the title counts all."""
    fired = [alert("HighQueueDepth", "many", queue=f"q{number:02}") for number in range(25)]
    tell(services.manager, fired, annotations=_texts("Many queues"))
    lines = _await_slack(services, "Many queues +24")["text"].splitlines()
    assert len(lines) == 1 + 10 + 1
    assert lines[-1].startswith("Only 10 of 25 are shown: <http")


def test_an_alert_of_somebody_else_can_be_read(services: Services) -> None:
    """Without fleet, summary, description and links."""
    tell(services.manager, [{"alertname": "SomebodyElses", "disk": "sda"}])
    message = _await_slack(services, "SomebodyElses")
    lines = re.sub(WHEN, "WHEN", message["text"]).splitlines()
    assert lines == ["*SomebodyElses*", "• SomebodyElses, sda Firing since WHEN."]


def test_links_that_a_phone_cannot_open_say_what_to_set(services: Services) -> None:
    """The rules as they ship link to this machine: the message says how to change it, once."""
    texts = _texts("Local links", runbook_url="http://127.0.0.1:9877/runbooks/HighQueueDepth")
    fired = [alert("HighQueueDepth", "local", queue=queue) for queue in ("a", "b")]
    tell(services.manager, fired, annotations=texts)
    text = _await_slack(services, "Local links +1")["text"]
    assert text.count("bioagents rules --runbook-url … --dashboard-url …") == 1


@pytest.mark.parametrize(
    ("summary", "shown"),
    [
        ("f" * 80, "f" * 59 + "…"),
        ("é " * 40, "é " * 29 + "é…"),
        ("名" * 60, "名" * 60),
        ("a\nb", "a b"),
    ],
)
def test_a_title_has_at_most_60_characters(services: Services, summary: str, shown: str) -> None:
    """Characters, not bytes; a line break becomes a space."""
    tell(
        services.manager, [alert("NoActiveWorkers", shown, severity="critical")], annotations=_texts(summary)
    )
    assert len(_await_slack(services, shown)["title"]) <= 60


def test_a_long_title_keeps_the_number_of_other_alerts(services: Services) -> None:
    """The end of the names is cut, not what follows them."""
    long = [alert("HighQueueDepth", "g" * 50, queue=queue) for queue in ("q" * 60, "r" * 60)]
    tell(services.manager, long, annotations=_texts("s" * 70))
    assert _await_slack(services, "s" * 54 + "… +1")
    tell(services.manager, long[:1], annotations=_texts("s" * 70), resolved=True)
    tell(services.manager, long[1:], annotations=_texts("s" * 70), minutes_ago=30)
    (title,) = wait_until(
        lambda: [one for one in _titles(services) if "qqq" in one and "still firing" in one]
    )
    assert title == f"Resolved: HighQueueDepth {'q' * 17}…, 1 still firing"


def _titles(services: Services) -> list[str]:
    return [message.body["attachments"][0]["title"] for message in services.posted.to("/slack")]


def test_a_ticket_by_mail(services: Services) -> None:
    """Subject, plain text and HTML say the same; the password comes from its file, and names are escaped."""
    texts = _texts("Evil mail", description=f"Queue {EVIL} has 3 waiting jobs. First look.")
    tell(services.manager, [alert("HighQueueDepth", "mail", queue=EVIL, cluster="c1")], annotations=texts)
    subject = "Evil mail"
    wait_until(lambda: subject in [letter["Subject"] for letter in services.mail.letters])
    (letter,) = [found for found in services.mail.letters if found["Subject"] == subject]
    plain, html = letter.get_body(("plain",)), letter.get_body(("html",))
    assert plain is not None
    assert html is not None
    text = plain.get_content()
    for part in (
        "Evil mail",
        "has 3 waiting jobs. First look.",
        *LINKS.values(),
        "fleet mail, cluster c1",
    ):
        assert part in text
    page = html.get_content()
    assert "<script>" not in page
    assert "&lt;script&gt; has 3 waiting jobs. First look." in page
    assert f'<a href="{LINKS["runbook_url"]}">Runbook</a>' in page
    assert 'name="viewport"' in page
    login = next(command for command in services.mail.commands if command.startswith("AUTH PLAIN"))
    assert b64decode(login.split()[2]).split(b"\0")[2] == b"a-password"


def test_the_dead_mans_switch_gets_its_token(services: Services) -> None:
    """Watchdog is sent with the token that its file contains."""
    tell(services.manager, [{"alertname": "Watchdog", "severity": "none", "product": "bioagents"}])
    wait_until(lambda: services.posted.to("/deadman"))
    assert services.posted.to("/deadman")[0].authorization == "Bearer a-token"


def _render(folder: Path, name: str, data: object) -> str:
    """A template, by amtool."""
    file = folder / "data.json"
    file.write_text(json.dumps(data), encoding="utf-8")
    text = f'{{{{ template "{name}" . }}}}'
    command = [
        require("amtool"),
        "template",
        "render",
        f"--template.glob={TEMPLATES}",
        f"--template.text={text}",
    ]
    result = subprocess.run(
        [*command, f"--template.data={file}"], capture_output=True, text=True, check=False
    )
    assert result.returncode == 0, result.stderr
    return result.stdout


def test_a_ticket_in_teams_and_a_page_at_a_webhook(tmp_path: Path) -> None:
    """A card with the title and the text; the address comes from its file, and each is sent once."""
    config = with_receivers("alertmanager-receivers-0.28.yml", tmp_path)
    config.write_text(config.read_text(encoding="utf-8").replace(SECRETS, str(tmp_path)), encoding="utf-8")
    fired = [alert("NoActiveWorkers", "teams", severity="critical"), alert("DeadLetters", "teams")]
    with inbox() as posted, running(tmp_path, save(config, load(config)), "newer") as manager:
        for secret in ("teams", "page", "deadman"):
            (tmp_path / f"{secret}-url").write_text(f"{posted.url}{secret}\n")
        tell(manager, fired, annotations=TEXTS)
        (message,) = wait_until(lambda: posted.to("/teams"), what="the card in Teams")
        (card,) = [attachment["content"] for attachment in message.body["attachments"]]
        title, text = [block["text"] for block in card["body"] if block["type"] == "TextBlock"]
        assert title == TEXTS["summary"]
        assert text.split("\n\n")[0] == f"**{TEXTS['summary']}** [Runbook]({LINKS['runbook_url']})"
        (page,) = wait_until(lambda: posted.to("/page"), what="the message to the webhook")
        assert page.names == ["NoActiveWorkers"]
        assert len(posted.messages) == 2
        assert manager.complaints() == []


def test_a_message_in_teams(tmp_path: Path) -> None:
    """A firing and a resolved alert in one text, and a queue's name that makes no markup: by amtool."""
    labels = alert("HighQueueDepth", queue=EVIL, region="eu")
    texts = TEXTS | {"description": f"Queue {EVIL} has 3 waiting jobs. First look."}
    start = "2026-11-28T10:00:00Z"
    fired = {"status": "firing", "labels": labels, "annotations": texts, "startsAt": start}
    ended = {
        "status": "resolved",
        "labels": labels | {"queue": "chat"},
        "annotations": texts,
        "startsAt": start,
    }
    data = {
        "alerts": [fired, ended],
        "commonLabels": {"fleet": "prod", "region": "eu"},
        "externalURL": "http://a",
    }
    harmless = 'Queue <!channel> & "x" ] (http://evil.example) <script> has 3 waiting jobs. First look.'
    assert _render(tmp_path, "bioagents.title", data) == TEXTS["summary"]
    assert _render(tmp_path, "bioagents.teams.text", data).split("\n\n") == [
        f"**{TEXTS['summary']}** [Runbook]({LINKS['runbook_url']})",
        f"{harmless} Firing since 28 Nov 10:00 UTC. [Dashboard]({LINKS['dashboard_url']})",
        "Resolved: HighQueueDepth chat",
        "fleet prod, region eu",
    ]


def test_every_template_that_a_receiver_names_exists() -> None:
    """In the templates that ship; Alertmanager finds a missing one only when it sends."""
    defined = TEMPLATES.parent.joinpath("bioagents.tmpl").read_text(encoding="utf-8")
    for example in ALERTS_FOLDER.glob("alertmanager-*.yml"):
        text = example.read_text(encoding="utf-8")
        for name in {part.split('"')[1] for part in text.split("{{ template ")[1:]}:
            assert f'{{{{ define "{name}" }}}}' in defined
