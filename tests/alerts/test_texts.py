"""The texts of alerts, with and without the answers to their queries."""

from __future__ import annotations

import re
from collections.abc import Iterator

import pytest

from support.rule_files import Alert, alerts

ASKING = [
    (alert, text)
    for alert in alerts()
    for text in ("summary", "description")
    if "query" in alert.rule["annotations"][text]
]


def _unanswered(text: str) -> Iterator[str]:
    """The parts of a template that are shown when its queries find nothing; a value is written as x."""
    blocks: list[bool] = []  # of each open block, whether its text is left out
    for part in re.split(r"(\{\{.*?\}\})", text):
        action = re.match(r"\{\{ *(?:(range|with|if|else|end)\b)?", part)
        if not action:
            yield "" if any(blocks) else part
        elif action[1] in {"range", "with", "if"}:
            blocks.append("query" in part)
        elif action[1] == "else":
            blocks[-1] = False
        elif action[1] == "end":
            blocks.pop()
        elif ":=" not in part and " = " not in part:
            yield "" if any(blocks) else "x"


@pytest.mark.parametrize(("alert", "text"), ASKING, ids=lambda one: getattr(one, "name", one))
def test_a_text_reads_well_when_its_queries_find_nothing(alert: Alert, text: str) -> None:
    """No list without its items, no empty parentheses, no space before a full stop."""
    shown = "".join(_unanswered(alert.rule["annotations"][text])).strip()
    assert not re.search(r"  |\s[.,;:)]|[:,(]\s*[.;)]|\.\.|\(\)|\b(of|are|is|by|with|than)\s*[.;]", shown), (
        shown
    )
