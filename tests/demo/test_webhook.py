"""The receiver of alerts: what Alertmanager posts is shown, what others post changes nothing."""

from __future__ import annotations

import json
import urllib.error
import urllib.request

import pytest

from bioagents_demo.webhook import listening

NOTIFICATION = {
    "version": "4",
    "receiver": "ticket",
    "alerts": [
        {
            "status": "firing",
            "labels": {"alertname": "HighQueueDepth"},
            "annotations": {"summary": "Much."},
        },
        {"status": "resolved", "labels": {"alertname": "NoActiveWorkers"}, "annotations": {}},
    ],
}


def post(url: str, body: bytes) -> int:
    request = urllib.request.Request(url, data=body, method="POST")
    try:
        with urllib.request.urlopen(request, timeout=10) as answer:
            return int(answer.status)
    except urllib.error.HTTPError as error:
        with error:
            return error.code


def test_alerts_are_taken_once_in_their_order() -> None:
    """Each posted alert comes out once."""
    with listening() as webhook:
        assert post(webhook.url, json.dumps(NOTIFICATION).encode()) == 200
        assert [str(alert) for alert in webhook.take()] == [
            "ticket firing: HighQueueDepth: Much.",
            "ticket resolved: NoActiveWorkers: ",
        ]
        assert list(webhook.take()) == []


@pytest.mark.parametrize(
    "body", [b"", b"\xff", b"[]", b"{}", b'{"alerts": [{}]}', b'{"alerts": 7}', b'{"alerts": [7]}']
)
def test_another_body_is_refused(body: bytes) -> None:
    """With a status, and the next one is read as ever."""
    with listening() as webhook:
        assert post(webhook.url, body) == 400
        assert post(webhook.url, json.dumps(NOTIFICATION).encode()) == 200
        assert len(list(webhook.take())) == 2
