"""The command line of ``bioagents exporter``, made from the table of settings."""

from __future__ import annotations

import argparse
from typing import Final

from bioagents_cli.parsing import Parser
from bioagents_exporter.settings.model import OPTIONS, Option

_DESCRIPTION: Final = """\
Publish a fleet of Dramatiq workers on /metrics for Prometheus, with a status page on / for people.
It only reads from Redis. A flag wins over its environment variable, that over the YAML file."""


def parse(argv: list[str], prog: str) -> dict[str, str]:
    """What the command line gives, by the settings' keys. Raises UsageError."""
    given = vars(_parser(prog).parse(argv))
    return {key: str(value) for key, value in given.items()}


def _parser(prog: str) -> Parser:
    example = f"{prog} --redis.url redis://redis.example:6379/0 --queues chat,deep-research"
    parser = Parser(prog, description=_DESCRIPTION, example=example)
    for option in OPTIONS:
        _add(parser, option)
    return parser


def _add(parser: Parser, option: Option[object]) -> None:
    text = f"{option.help} [{', '.join(f'${name}' for name in option.variables)}; {option.default}]"
    switch = not option.metavar
    parser.add_argument(
        option.flag,
        dest=option.key,
        default=argparse.SUPPRESS,
        metavar=option.metavar or "BOOL",
        nargs="?" if switch else None,
        const="true" if switch else None,
        help=text,
    )
