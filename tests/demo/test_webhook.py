"""The receiver of the demo's alerts."""

from __future__ import annotations

import json
import urllib.error
import urllib.request

import pytest

from bioagents_demo.webhook import listening


def notification(*alerts: tuple[str, str, str]) -> bytes:
    """A body in Alertmanager's format; name, queue and status of each alert."""
    return json.dumps(
        {
            "version": "4",
            "receiver": "ticket",
            "alerts": [
                {
                    "status": status,
                    "labels": {"alertname": name} | ({"queue": queue} if queue else {}),
                    "annotations": {"summary": "Much."},
                }
                for name, queue, status in alerts
            ],
        }
    ).encode()


DEEP, NOBODY = ("HighQueueDepth", "chat", "firing"), ("NoActiveWorkers", "", "firing")


def post(url: str, body: bytes) -> int:
    request = urllib.request.Request(url, data=body, method="POST")
    try:
        with urllib.request.urlopen(request, timeout=10) as answer:
            return int(answer.status)
    except urllib.error.HTTPError as error:
        with error:
            return error.code


def test_alerts_are_taken_once_in_their_order() -> None:
    """Each posted alert is taken once."""
    with listening() as webhook:
        assert post(webhook.url, notification(DEEP, NOBODY)) == 200
        assert [str(alert) for alert in webhook.take()] == [
            "ticket firing: HighQueueDepth (chat): Much.",
            "ticket firing: NoActiveWorkers: Much.",
        ]
        assert list(webhook.take()) == []


def test_only_changes_are_taken() -> None:
    """Alertmanager repeats unchanged alerts of a group, and resolves some that never were firing here."""
    research, short = ("HighQueueDepth", "deep-research", "firing"), ("HighQueueDepth", "short", "resolved")
    with listening() as webhook:
        post(webhook.url, notification(DEEP))
        post(webhook.url, notification(DEEP, research))
        post(webhook.url, notification((*DEEP[:2], "resolved"), research, short))
        seen = [(alert.queue, alert.status) for alert in webhook.take()]
    assert seen == [("chat", "firing"), ("deep-research", "firing"), ("chat", "resolved")]


@pytest.mark.parametrize("body", [b"", b"\xff", b"[]", b"{}", b'{"alerts": [{}]}', b'{"alerts": 7}', b"7"])
def test_other_body_is_refused(body: bytes) -> None:
    """With status 400; the next notification is read."""
    with listening() as webhook:
        assert post(webhook.url, body) == 400
        assert post(webhook.url, notification(DEEP)) == 200
        assert len(list(webhook.take())) == 1
