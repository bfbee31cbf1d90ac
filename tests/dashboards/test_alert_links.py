"""From an alert to a board: each link leads to a board that is there and chooses what it has."""

from __future__ import annotations

import re
from urllib.parse import urlsplit

import pytest

from support.boards import boards
from support.rule_files import Alert, alerts

VARIABLES = {
    board["uid"]: {variable["name"] for variable in board["templating"]["list"]}
    for board in boards().values()
}


@pytest.mark.parametrize("alert", alerts(), ids=lambda alert: alert.name)
def test_alert_leads_to_a_board_and_its_variables(alert: Alert) -> None:
    """A uid of ours, and no variable that the board would drop without a word."""
    url = alert.rule["annotations"]["dashboard_url"]
    uid = urlsplit(url).path.removeprefix("/d/")
    assert uid in VARIABLES
    assert set(re.findall(r"var-(\w+)=", url)) <= VARIABLES[uid]


def test_each_board_is_reached_from_an_alert() -> None:
    """None stands where nobody who is woken would look."""
    urls = [alert.rule["annotations"]["dashboard_url"] for alert in alerts()]
    assert VARIABLES.keys() <= {urlsplit(url).path.removeprefix("/d/") for url in urls}
