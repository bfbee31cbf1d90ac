"""``bioagents exporter``: its command line, settings, checks and wiring."""

from __future__ import annotations

import argparse
import asyncio
import contextlib
import gc
import logging
import os
import socket
import sys
import time
from collections.abc import Iterator
from typing import Final

from bioagents_cli.parsing import Parser, UsageError
from bioagents_exporter.read.errors import EndpointError
from bioagents_exporter.read.reader import Reader
from bioagents_exporter.serve import preflight, server
from bioagents_exporter.serve.collector import Collected, Collector
from bioagents_exporter.serve.web_config import LiveConfig
from bioagents_exporter.settings import Settings, SettingsError
from bioagents_exporter.settings.load import load
from bioagents_exporter.settings.model import OPTIONS, Option

log = logging.getLogger(__name__)

#: A read of a large fleet creates and frees some hundred thousand objects, hardly any of them in cycles. A
#: search for cycles after every 700, which is Python's default, takes a tenth of a scrape.
_COLLECT_AFTER: Final = 200_000
_DESCRIPTION: Final = """\
Publish a fleet of Dramatiq workers on /metrics for Prometheus, with a status page on / for people.
It only reads from Redis. A flag takes precedence over its environment variable, and that over the
YAML file."""
_FORMAT: Final = "%(asctime)sZ %(levelname)s %(name)s %(message)s"


def main(argv: list[str], prog: str) -> int:
    """Serve until SIGTERM or SIGINT; UsageError for what cannot work from the start."""
    _start_logging()
    try:
        settings = load(parse(argv, prog), os.environ)
        config = LiveConfig(settings.web_config_file)
        with _bound(settings) as sockets:
            _serve(settings, config, sockets)
    except (SettingsError, EndpointError) as error:
        raise UsageError(str(error)) from None
    return 0


def _serve(settings: Settings, config: LiveConfig, sockets: list[socket.socket]) -> None:
    gc.set_threshold(_COLLECT_AFTER)
    reader = Reader(settings)
    first = reader.read()
    preflight.check(first, settings)
    logging.getLogger().setLevel(logging.INFO)
    if first.failure:
        log.warning("started_without_redis reason=%s", first.failure)
    others = preflight.namespaces(settings.redis_url) if preflight.is_empty(first) else ()

    def warnings(collected: Collected) -> tuple[str, ...]:
        empty = preflight.is_empty(collected.snapshot)
        return (preflight.nothing_found(settings, others),) if empty else ()

    def started() -> None:
        scheme = "https" if config.tls else "http"
        for name in server.names(sockets):
            print(f"listening on {scheme}://{name}/metrics", flush=True)  # noqa: T201 - the real port, for scripts
        if preflight.is_empty(first):
            log.warning("namespace_empty %s", preflight.nothing_found(settings, others))

    asyncio.run(server.run(Collector(reader, settings), config, sockets, warnings=warnings, started=started))


@contextlib.contextmanager
def _bound(settings: Settings) -> Iterator[list[socket.socket]]:
    sockets = server.bind(settings.listen_address)
    try:
        yield sockets
    finally:
        for bound in sockets:
            bound.close()


def _start_logging() -> None:
    formatter = logging.Formatter(_FORMAT, "%Y-%m-%dT%H:%M:%S")
    formatter.converter = time.gmtime
    handler = logging.StreamHandler(sys.stderr)
    handler.setFormatter(formatter)
    # An error at the start is printed once, by the message that ends the program.
    logging.basicConfig(level=logging.ERROR, handlers=[handler])


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
