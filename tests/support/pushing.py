"""Runs ``bioagents dashboards …`` in this process."""

from __future__ import annotations

import pytest

from bioagents_cli.main import main


def run(capsys: pytest.CaptureFixture[str], *argv: str, status: int = 0) -> str:
    """What a run with this status prints, and not a word on standard error."""
    capsys.readouterr()
    assert main(["dashboards", *argv]) == status
    out, err = capsys.readouterr()
    assert err == ""
    return out


def refused(capsys: pytest.CaptureFixture[str], *argv: str, done: str = "") -> str:
    """The one line of a run that ends with status 2, after it printed that something is ``done``."""
    capsys.readouterr()
    assert main(["dashboards", *argv]) == 2
    out, err = capsys.readouterr()
    assert out == "" if not done else done in out
    assert err.count("\n") == 1
    assert err.startswith("bioagents dashboards: ")
    return err
