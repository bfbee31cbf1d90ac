"""``bioagents worker``: start the real ``dramatiq`` with the reference actors."""

from __future__ import annotations

import argparse
import os
import sys
from collections.abc import Callable
from dataclasses import dataclass
from typing import Final
from urllib.parse import urlsplit

import redis

from bioagents_cli.parsing import Parser, UsageError, argument
from bioagents_demo.reference.actors import LONGEST_JOB, QUEUES
from bioagents_demo.reference.environment import (
    DEFAULT_NAMESPACE,
    DEFAULT_URL,
    NAMESPACE,
    SPEED,
    URLS,
    Environment,
    parse_speed,
)
from bioagents_worker.wire import parse_namespace

APPLICATION: Final = "bioagents_demo.reference.app"

_PREFETCH: Final = "dramatiq_queue_prefetch"

#: Processes, and threads of each; a larger number is a typing error that would overload the machine.
_MOST: Final = 1_000
_LONGEST_WAIT: Final = 604_800  # seconds: a week


@dataclass(frozen=True, slots=True, kw_only=True)
class Launch:
    """How to start ``dramatiq``."""

    environment: Environment
    queues: tuple[str, ...]
    processes: int
    threads: int
    shutdown_timeout: int  # seconds in which running jobs may finish

    def arguments(self) -> list[str]:
        """The command line; the module comes first because ``--queues`` takes any number of values."""
        return [
            sys.executable, "-m", "dramatiq", APPLICATION,
            "--processes", str(self.processes),
            "--threads", str(self.threads),
            "--worker-shutdown-timeout", str(self.shutdown_timeout * 1000),
            "--queues", *self.queues,
        ]  # fmt: skip

    def variables(self) -> dict[str, str]:
        """The variables to add to the environment.

        A worker prefetches no more jobs than it has threads: a prefetched job that waits behind a job of
        eight hours is not available to idle workers.
        """
        return {_PREFETCH: str(self.threads), **self.environment.variables()}


def main(argv: list[str], prog: str) -> int:
    """Check arguments and Redis, then replace this process by ``dramatiq``; UsageError for a bad value."""
    launch = parse(argv, prog)
    check_redis(launch.environment.redis_url)
    # A prefetch that is already set has priority over this one; the flags have priority over variables.
    variables = {**launch.variables(), **{k: v for k, v in os.environ.items() if k == _PREFETCH}}
    os.environ.update(variables)
    arguments = launch.arguments()
    os.execv(arguments[0], arguments)  # noqa: S606 - no shell: the arguments are checked above


def parse(argv: list[str], prog: str) -> Launch:
    """Parse the command line; UsageError for a bad value."""
    options = _parser(prog).parse(argv)
    try:
        environment = Environment.read(
            os.environ, redis_url=options.url, namespace=options.namespace, speed=options.speed
        )
    except ValueError as error:
        raise UsageError(str(error)) from None
    return Launch(
        environment=environment,
        queues=options.queues,
        processes=options.processes,
        threads=options.threads,
        shutdown_timeout=options.shutdown_timeout,
    )


def _parser(prog: str) -> Parser:
    parser = Parser(
        prog,
        description="Start reference workers. Their work is simulated: jobs wait, hold memory and may fail.",
        example=f"{prog} --queues chat --processes 2 --threads 4 --redis.url {DEFAULT_URL}",
    )
    add = parser.add_argument
    add("--queues", type=_queues, default=QUEUES, metavar="A,B", help=f"of {', '.join(QUEUES)} [both]")
    add("--processes", type=_whole(1, _MOST), default=1, metavar="N", help="worker processes [1]")
    add("--threads", type=_whole(1, _MOST), default=8, metavar="N", help="threads of each process [8]")
    add(
        "--redis.url", dest="url", metavar="URL",
        help=f"the broker's Redis [${', $'.join(URLS)}, {DEFAULT_URL}]",
    )  # fmt: skip
    add(
        "--redis.namespace", dest="namespace", type=argument(parse_namespace), metavar="NAME",
        help=f"Dramatiq's namespace [${NAMESPACE}, {DEFAULT_NAMESPACE}]",
    )  # fmt: skip
    add(
        "--shutdown-timeout", type=_whole(0, _LONGEST_WAIT), default=LONGEST_JOB, metavar="SECONDS",
        help=f"time for running jobs to finish after SIGTERM [{LONGEST_JOB}]",
    )  # fmt: skip
    add(
        "--speed", type=argument(parse_speed), metavar="FACTOR",
        help=f"simulated time passes this much faster [${SPEED}, 1]",
    )  # fmt: skip
    return parser


def check_redis(url: str) -> None:
    """Raise UsageError (without a secret) unless a single Redis answers at ``url``."""
    try:
        _check_database(url)
        with redis.Redis.from_url(url, socket_connect_timeout=5, socket_timeout=5) as client:
            clustered = client.info("cluster").get("cluster_enabled")
    except ValueError:  # its text may hold a part of the password
        raise UsageError(
            f"--redis.url: {address(url)!r} is not a valid Redis URL, expected e.g. redis://[user:password@]host:6379/0"
        ) from None
    except redis.AuthenticationError as error:
        raise UsageError(f"--redis.url: Redis at {address(url)} rejects user or password: {error}") from None
    except redis.exceptions.NoPermissionError:  # INFO is not allowed; the broker does not need it
        return
    except redis.RedisError as error:
        raise UsageError(f"--redis.url: no Redis at {address(url)}: {error}") from None
    if clustered:
        raise UsageError(f"--redis.url: {address(url)} is a Redis Cluster, expected a single Redis or Valkey")


def _check_database(url: str) -> None:
    """Raise ValueError for a database that is not a number, where redis-py would silently use 0."""
    parts = urlsplit(url)
    if parts.scheme != "unix" and parts.path.strip("/"):
        int(parts.path.strip("/"))


def address(url: str) -> str:
    """The part of a Redis URL that may be printed: everything but user, password and options."""
    # Split at the last "@": a password with an "@" must not be printed in part.
    return url.rpartition("//" if "@" not in url else "@")[2].partition("?")[0]


def _queues(text: str) -> tuple[str, ...]:
    names = tuple(name.strip() for name in text.split(","))
    if unknown := [name for name in names if name not in QUEUES]:
        raise argparse.ArgumentTypeError(f"unknown queue {unknown[0]!r}, expected {' or '.join(QUEUES)}")
    return names


def _whole(least: int, most: int) -> Callable[[str], int]:
    def parse_whole(text: str) -> int:
        if not text.isdecimal() or not least <= int(text) <= most:
            raise argparse.ArgumentTypeError(f"{text!r}, expected a whole number from {least} to {most}")
        return int(text)

    return parse_whole
