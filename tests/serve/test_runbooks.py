"""The link of each alert leads to its runbook."""

from __future__ import annotations

import re
from urllib.parse import urlsplit

import yaml

from bioagents_alerts import rules_folder
from support.redis_server import RedisServer

from .conftest import Start


def links() -> dict[str, str]:
    """Alert → the path of its link."""
    groups = (
        group for path in rules_folder().glob("*.yml") for group in yaml.safe_load(path.read_text())["groups"]
    )
    rules = (rule for group in groups for rule in group["rules"] if "alert" in rule)
    return {rule["alert"]: urlsplit(rule["annotations"]["runbook_url"]).path for rule in rules}


def test_every_link_is_answered(redis_server: RedisServer, start: Start) -> None:
    """With the four headings of a runbook."""
    exporter = start("--redis.url", redis_server.url)
    assert len(links()) >= 3
    for alert, path in links().items():
        text = exporter.get(path).text
        assert text.startswith(f"# {alert}\n")
        assert [line for line in text.splitlines() if line.startswith("## ")] == [
            "## Meaning", "## Impact", "## Diagnosis", "## Mitigation",
        ]  # fmt: skip


def test_all_are_listed(redis_server: RedisServer, start: Start) -> None:
    """Under the address that the links share; relative links need the slash at its end."""
    exporter = start("--redis.url", redis_server.url)
    found = exporter.get("/runbooks")
    assert (found.status, found.headers["Location"]) == (302, "runbooks/")
    page = exporter.get("/runbooks/").text
    assert {f"/runbooks/{name}" for name in re.findall(r'href="([^"]+)"', page)} == set(links().values())


def test_nothing_else_is_served(redis_server: RedisServer, start: Start) -> None:
    """Neither an unknown name nor a way out of the folder."""
    exporter = start("--redis.url", redis_server.url)
    for name in ("Nothing", "..%2Falerts", "..", "%2Fetc%2Fpasswd"):
        assert exporter.get(f"/runbooks/{name}").status == 404


def test_a_name_that_a_terminal_would_obey_stays_out_of_the_commands(
    redis_server: RedisServer, start: Start
) -> None:
    """An escape sequence, a newline or a character that turns the line around is shown as its code."""
    exporter = start("--redis.url", redis_server.url)
    plain = exporter.get("/runbooks/HighQueueDepth").text
    for code in ("%1b[201~", "%0a", "%E2%80%AE"):
        text = exporter.get(f"/runbooks/HighQueueDepth?queue=a{code}b").text
        assert all(line.isprintable() for line in text.splitlines())
        assert text.splitlines()[3:] == plain.splitlines()[1:]
