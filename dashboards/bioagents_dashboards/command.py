"""``bioagents dashboards``: bring the boards into a Grafana."""

from __future__ import annotations

import argparse
import os
from pathlib import Path

from bioagents_cli.errors import UsageError
from bioagents_cli.parsing import Parser
from bioagents_dashboards.push.connection import Connection, connection, read_token
from bioagents_dashboards.push.grafana import Grafana
from bioagents_dashboards.push.run import Options, push


def main(argv: list[str], prog: str) -> int:
    """``push`` is the only action; 0 done, UsageError for bad input and for whatever Grafana refuses."""
    if argv and argv[0] == "push":
        return _push(argv[1:], f"{prog} push")
    if argv and argv[0] in {"-h", "--help"}:
        _parser(f"{prog} push").print_help()
        return 0
    raise UsageError(f"{f'unknown action {argv[0]!r}' if argv else 'no action given'}: expected push")


def _push(argv: list[str], prog: str) -> int:
    flags = _parser(prog).parse(argv)
    options = Options(flags.folder, flags.datasource, flags.dry_run, flags.overwrite)
    push(Grafana(_connection(flags)), options, print)
    return 0


def _connection(flags: argparse.Namespace) -> Connection:
    url = flags.url or os.environ.get("GRAFANA_URL", "")
    if not url:
        raise UsageError("no Grafana: expected its address in --grafana.url or $GRAFANA_URL")
    token = read_token(flags.token_file) if flags.token_file else os.environ.get("GRAFANA_TOKEN", "").strip()
    return connection(url, token)


def _parser(prog: str) -> Parser:
    parser = Parser(
        prog,
        description="Bring the dashboards into a Grafana, or up to date there; a second run changes nothing.",
        example=f"GRAFANA_TOKEN=... {prog} --grafana.url http://127.0.0.1:3000 --dry-run",
    )
    parser.add_argument(
        "--grafana.url", dest="url", metavar="URL", help="address of the Grafana [$GRAFANA_URL]"
    )
    parser.add_argument(
        "--grafana.token-file", dest="token_file", type=Path, metavar="FILE",
        help="file with the token of a service account that is Editor [the token in $GRAFANA_TOKEN]",
    )  # fmt: skip
    parser.add_argument(
        "--folder", metavar="NAME",
        help="title or uid of the folder, made if missing; boards elsewhere move there "
        "[new ones: 'BioAgents Monitor'; others stay where they are]",
    )  # fmt: skip
    parser.add_argument(
        "--datasource", metavar="NAME", help="uid or name of the Prometheus data source [Grafana's default]"
    )
    parser.add_argument(
        "--dry-run", dest="dry_run", action="store_true", help="say what would be done and change nothing"
    )
    parser.add_argument("--overwrite", action="store_true", help="replace boards that a person has edited")
    return parser
