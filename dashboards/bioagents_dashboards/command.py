"""``bioagents dashboards``: push the boards to a Grafana, check those it has, or export them as files."""

from __future__ import annotations

import argparse
import os
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from bioagents_alerts.flags import copy_labels
from bioagents_cli.parsing import Parser, UsageError, did_you_mean
from bioagents_dashboards import export
from bioagents_dashboards.push.connection import Connection, connection, read_token
from bioagents_dashboards.push.grafana import Grafana
from bioagents_dashboards.push.run import Options, check, push
from bioagents_dashboards.push.survey import DEFAULT_TITLE, Requested


@dataclass(frozen=True, slots=True)
class _Action:
    """One word after ``dashboards``."""

    summary: str
    example: str  # the flags after it
    run: Callable[[list[str], str], int]


def main(argv: list[str], prog: str) -> int:
    """0 done, 1 a check found a difference; UsageError for bad input and every refusal of Grafana."""
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
    actions = [f"  {name:<7} {action.summary}" for name, action in _ACTIONS.items()]
    examples = [f"  {prog} {name} {action.example}" for name, action in _ACTIONS.items()]
    return "\n".join(
        (
            f"usage: {prog} <action> [flags]",
            "",
            "The Grafana dashboards of this version. $GRAFANA_URL and $GRAFANA_TOKEN select the Grafana.",
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
    parser = _parser(prog, _ACTIONS["push"], needs="GRAFANA_TOKEN=... ")
    _add_connection(parser)
    parser.add_argument(
        "--folder", metavar="NAME",
        help="title or uid of the folder for all dashboards, created if missing "
        f"[new ones: {DEFAULT_TITLE!r}; others: their present folder]",
    )  # fmt: skip
    parser.add_argument(
        "--datasource", metavar="NAME",
        help="uid or name of the Prometheus data source that the dashboards open with [unchanged; new ones: "
        "as the others, else Grafana's default]",
    )  # fmt: skip
    parser.add_argument(
        "--runbook-url", dest="runbook_url", metavar="URL",
        help="address of the runbooks [unchanged; new ones: as the others, else the exporter of this "
        "machine]",
    )  # fmt: skip
    parser.add_argument(
        "--dry-run", dest="dry_run", action="store_true", help="print what would change, and change nothing"
    )
    parser.add_argument(
        "--overwrite", action="store_true", help="replace dashboards that a person has edited"
    )
    parser.add_argument(
        "--prune", action="store_true",
        help="remove dashboards that a push of another version created and that this version does not "
        "ship; other dashboards stay",
    )  # fmt: skip
    flags = parser.parse(argv)
    options = Options(_target(flags), flags.dry_run, flags.overwrite, flags.prune)
    push(Grafana(_connection(flags)), options, _say)
    return 0


def _check(argv: list[str], prog: str) -> int:
    parser = _parser(prog, _ACTIONS["check"], needs="GRAFANA_TOKEN=... ")
    _add_connection(parser)
    parser.add_argument("--folder", metavar="NAME", help="title or uid of the expected folder [any]")
    parser.add_argument("--datasource", metavar="NAME", help="uid or name of the expected data source [any]")
    parser.add_argument(
        "--runbook-url", dest="runbook_url", metavar="URL", help="expected address of the runbooks [any]"
    )
    flags = parser.parse(argv)
    return 0 if check(Grafana(_connection(flags)), _target(flags), _say) else 1


def _export(argv: list[str], prog: str) -> int:
    parser = _parser(prog, _ACTIONS["export"])
    forms = "; ".join(f"{name}: {form.summary}" for name, form in export.FORMS.items())
    parser.add_argument("--form", metavar="FORM", help=forms)
    parser.add_argument("--output", metavar="FOLDER", help="folder for the files, created if missing")
    parser.add_argument(
        "--runbook-url", dest="runbook_url", metavar="URL",
        help="address of the runbooks [the exporter on this machine]",
    )  # fmt: skip
    parser.add_argument(
        "--copy-label", dest="copy_label", action="append", default=[], metavar="NAME",
        help="a further label of targets in which copies of one exporter differ, as for the rules; may be "
        "repeated [none]",
    )  # fmt: skip
    flags = parser.parse(argv)
    if not flags.form:
        raise UsageError(f"no form: expected --form with {', '.join(export.FORMS)}")
    if not flags.output:
        raise UsageError("no folder: expected --output FOLDER")
    try:
        labels = copy_labels(flags.copy_label)
    except ValueError as error:
        raise UsageError(str(error)) from None
    for path in export.write(Path(flags.output), export.files(flags.form, flags.runbook_url, labels)):
        _say(f"written  {path}")
    return 0


_ACTIONS: Final = {
    "push": _Action(
        "create or update the dashboards in a Grafana; a second run changes nothing",
        "--grafana.url https://grafana.example.org --dry-run",
        _push,
    ),
    "check": _Action(
        "compare the dashboards in a Grafana with those of this version; exit status 0: the same, 1: not",
        "--grafana.url https://grafana.example.org",
        _check,
    ),
    "export": _Action(
        "write the dashboards as files for the import screen, Kubernetes, Git Sync or provisioning",
        "--form configmap --output manifests",
        _export,
    ),
}


def _say(text: str) -> None:
    print(text, flush=True)  # noqa: T201 - an interrupted run has printed what it did


def _target(flags: argparse.Namespace) -> Requested:
    return Requested(flags.folder, flags.datasource, flags.runbook_url)


def _connection(flags: argparse.Namespace) -> Connection:
    url = flags.url or os.environ.get("GRAFANA_URL", "")
    if not url:
        raise UsageError("no Grafana: expected its address in --grafana.url or $GRAFANA_URL")
    token = read_token(flags.token_file) if flags.token_file else os.environ.get("GRAFANA_TOKEN", "").strip()
    return connection(url, token, flags.ca_file)


def _parser(prog: str, action: _Action, needs: str = "") -> Parser:
    return Parser(
        prog,
        description=f"{action.summary[0].upper()}{action.summary[1:]}.",
        example=f"{needs}{prog} {action.example}",
    )


def _add_connection(parser: Parser) -> None:
    parser.add_argument(
        "--grafana.url", dest="url", metavar="URL", help="address of the Grafana [$GRAFANA_URL]"
    )
    parser.add_argument(
        "--grafana.token-file", dest="token_file", type=Path, metavar="FILE",
        help="file with the token of a service account with the role Editor [the token in $GRAFANA_TOKEN]",
    )  # fmt: skip
    parser.add_argument(
        "--grafana.ca-file", dest="ca_file", type=Path, metavar="FILE",
        help="certificate authorities (PEM) for Grafana's certificate [those that this machine trusts]",
    )  # fmt: skip
