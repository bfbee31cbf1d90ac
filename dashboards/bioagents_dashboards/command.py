"""``bioagents dashboards``: bring the boards into a Grafana, and see whether it has the current ones."""

from __future__ import annotations

import argparse
import os
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from bioagents_cli.parsing import Parser, UsageError, did_you_mean
from bioagents_dashboards.push.connection import Connection, connection, read_token
from bioagents_dashboards.push.grafana import Grafana
from bioagents_dashboards.push.place import DEFAULT_TITLE
from bioagents_dashboards.push.run import Options, check, push
from bioagents_dashboards.push.survey import Target


@dataclass(frozen=True, slots=True)
class _Action:
    """One word after ``dashboards``."""

    summary: str
    example: str  # what stands behind it
    run: Callable[[list[str], str], int]


def main(argv: list[str], prog: str) -> int:
    """0 done, 1 a check found a difference; UsageError for bad input and for whatever Grafana refuses."""
    first = argv[0] if argv else ""
    if first in {"-h", "--help"}:
        print(_help(prog))  # noqa: T201 - what was asked for
        return 0
    if first not in _ACTIONS:
        known = ", ".join(_ACTIONS)
        given = f"unknown action {first!r}{did_you_mean(first, _ACTIONS)}" if first else "no action given"
        raise UsageError(f"{given}: expected {known}; see {prog} --help")
    return _ACTIONS[first].run(argv[1:], f"{prog} {first}")


def _help(prog: str) -> str:
    actions = [f"  {name:<6} {action.summary}" for name, action in _ACTIONS.items()]
    examples = [f"  {prog} {name} {action.example}" for name, action in _ACTIONS.items()]
    return "\n".join(
        (
            f"usage: {prog} <action> [flags]",
            "",
            "The Grafana dashboards of this version. $GRAFANA_URL and $GRAFANA_TOKEN say which Grafana.",
            "",
            "actions:",
            *actions,
            "",
            f"{prog} <action> --help explains an action.",
            "",
            "examples:",
            *examples,
        )
    )


def _push(argv: list[str], prog: str) -> int:
    parser = _parser(prog, _ACTIONS["push"])
    parser.add_argument(
        "--folder", metavar="NAME",
        help="title or uid of the folder for all boards, made if missing "
        f"[new ones: {DEFAULT_TITLE!r}; others: where they are]",
    )  # fmt: skip
    parser.add_argument(
        "--datasource", metavar="NAME",
        help="uid or name of the Prometheus data source that they open with [as they are; new ones: as the "
        "others, else Grafana's default]",
    )  # fmt: skip
    parser.add_argument(
        "--runbook-url", dest="runbook_url", metavar="URL",
        help="where the runbooks are read [as they are; new ones: as the others, else the exporter on this "
        "machine]",
    )  # fmt: skip
    parser.add_argument(
        "--dry-run", dest="dry_run", action="store_true", help="say what would change, and change nothing"
    )
    parser.add_argument("--overwrite", action="store_true", help="replace boards that a person has edited")
    parser.add_argument(
        "--prune", action="store_true", help="remove boards that a push of another version "
        "brought and this one does not ship; never others",
    )  # fmt: skip
    flags = parser.parse(argv)
    options = Options(_target(flags), flags.dry_run, flags.overwrite, flags.prune)
    push(Grafana(_connection(flags)), options, _say)
    return 0


def _check(argv: list[str], prog: str) -> int:
    parser = _parser(prog, _ACTIONS["check"])
    parser.add_argument("--folder", metavar="NAME", help="title or uid of the folder to expect [any]")
    parser.add_argument("--datasource", metavar="NAME", help="uid or name of the data source to expect [any]")
    parser.add_argument(
        "--runbook-url", dest="runbook_url", metavar="URL", help="address of the runbooks to expect [any]"
    )
    flags = parser.parse(argv)
    return 0 if check(Grafana(_connection(flags)), _target(flags), _say) else 1


_ACTIONS: Final = {
    "push": _Action(
        "bring the boards into a Grafana, or up to date there; a second run changes nothing",
        "--grafana.url https://grafana.example.org --dry-run",
        _push,
    ),
    "check": _Action(
        "say whether a Grafana has the current boards; exit status 0: it has, 1: it has not",
        "--grafana.url https://grafana.example.org",
        _check,
    ),
}


def _say(text: str) -> None:
    print(text, flush=True)  # noqa: T201 - a run that is broken off has said what it did


def _target(flags: argparse.Namespace) -> Target:
    return Target(flags.folder, flags.datasource, flags.runbook_url)


def _connection(flags: argparse.Namespace) -> Connection:
    url = flags.url or os.environ.get("GRAFANA_URL", "")
    if not url:
        raise UsageError("no Grafana: expected its address in --grafana.url or $GRAFANA_URL")
    token = read_token(flags.token_file) if flags.token_file else os.environ.get("GRAFANA_TOKEN", "").strip()
    return connection(url, token, flags.ca_file)


def _parser(prog: str, action: _Action) -> Parser:
    parser = Parser(
        prog,
        description=f"{action.summary[0].upper()}{action.summary[1:]}.",
        example=f"GRAFANA_TOKEN=... {prog} {action.example}",
    )
    _add_connection(parser)
    return parser


def _add_connection(parser: Parser) -> None:
    parser.add_argument(
        "--grafana.url", dest="url", metavar="URL", help="address of the Grafana [$GRAFANA_URL]"
    )
    parser.add_argument(
        "--grafana.token-file", dest="token_file", type=Path, metavar="FILE",
        help="file with the token of a service account that is Editor [the token in $GRAFANA_TOKEN]",
    )  # fmt: skip
    parser.add_argument(
        "--grafana.ca-file", dest="ca_file", type=Path, metavar="FILE",
        help="who may sign Grafana's certificate (PEM) [whom this machine trusts]",
    )  # fmt: skip
