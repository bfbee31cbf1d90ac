"""``bioagents exporter``: settings, checks, wiring."""

from __future__ import annotations

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

from bioagents_cli.parsing import UsageError
from bioagents_exporter import arguments
from bioagents_exporter.read.errors import EndpointError
from bioagents_exporter.read.reader import Reader
from bioagents_exporter.serve import listener, preflight
from bioagents_exporter.serve.collector import Collected, Collector
from bioagents_exporter.serve.reload import LiveConfig
from bioagents_exporter.serve.run import run
from bioagents_exporter.settings import Settings, SettingsError
from bioagents_exporter.settings.load import load

log = logging.getLogger(__name__)

#: A read of a large fleet makes and drops some hundred thousand objects, hardly any of them in cycles. To
#: look for cycles after every 700, which is Python's default, costs a tenth of a scrape.
_COLLECT_AFTER: Final = 200_000
_FORMAT: Final = "%(asctime)sZ %(levelname)s %(name)s %(message)s"


def main(argv: list[str], prog: str) -> int:
    """Serve until SIGTERM or SIGINT; UsageError for what cannot work from the start."""
    _start_logging()
    try:
        settings = load(arguments.parse(argv, prog), os.environ)
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
        for name in listener.names(sockets):
            print(f"listening on {scheme}://{name}/metrics", flush=True)  # noqa: T201 - the real port, for scripts
        if preflight.is_empty(first):
            log.warning("namespace_empty %s", preflight.nothing_found(settings, others))

    asyncio.run(run(Collector(reader, settings), config, sockets, warnings=warnings, started=started))


@contextlib.contextmanager
def _bound(settings: Settings) -> Iterator[list[socket.socket]]:
    sockets = listener.bind(settings.listen_address)
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
    # What is wrong at the start is said once, by the error that ends it.
    logging.basicConfig(level=logging.ERROR, handlers=[handler])
