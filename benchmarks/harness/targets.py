"""The scraped programs: our exporter, its peers and a minimal server, started as users start them."""

from __future__ import annotations

import sys
from collections.abc import Mapping, Sequence
from pathlib import Path

from harness.bench import Bench
from harness.peers import python_of
from harness.scraping import Scraper
from support.polling import free_port, wait_until
from support.programs import Program, start_workers
from support.redis_server import RedisServer

PROGRAMS = Path(__file__).resolve().parent.parent / "programs"
OUR_COMMAND = (sys.executable, "-c", "from bioagents_cli.main import main; raise SystemExit(main())")
CELERY_COMMAND = ("-c", "from src.cli import cli; cli()")  # celery-exporter's import package is called src
THREADS = 8


class Target:
    """A program with metrics on a port."""

    def __init__(self, program: Program, port: int) -> None:
        self.program, self.port = program, port

    @property
    def pid(self) -> int:
        return self.program.pid

    def scraper(self, *, gzip: bool = False) -> Scraper:
        return Scraper(self.port, gzip=gzip)

    def stop(self) -> None:
        self.program.kill()


def start(
    bench: Bench, name: str, command: Sequence[str], port: int, *, env: Mapping[str, str] | None = None, text: bytes = b""
) -> Target:  # fmt: skip
    """Start it and wait until its metrics contain ``text``."""
    program = Program(command, cwd=bench.folder, name=f"{name}-{port}", env=env)
    target = bench.keep(Target(program, port))
    with_output = bench.keep(target.scraper())
    try:
        with_output.wait(text)
    except AssertionError as error:
        raise AssertionError(f"{name}: {error}\n{program.output()[-3000:]}") from None
    return target


def ours(bench: Bench, redis: RedisServer, *, redis_port: int | None = None) -> Target:
    """``bioagents exporter`` with no options but its addresses; ``redis_port`` may be a proxy's."""
    port = free_port()
    url = f"redis://127.0.0.1:{redis_port or redis.port}/0"
    flags = ["exporter", "--redis.url", url, "--web.listen-address", f"127.0.0.1:{port}"]
    return start(bench, "ours", [*OUR_COMMAND, *flags], port, text=b"bioagents_queue_depth{")


def floor(bench: Bench, redis: RedisServer, queues: int, size: int) -> Target:
    port = free_port()
    command = [sys.executable, str(PROGRAMS / "floor_server.py"), *map(str, (port, redis.port, queues, size))]
    return start(bench, "floor", command, port)


def empty_aiohttp(bench: Bench) -> Target:
    port = free_port()
    return start(
        bench, "empty", [sys.executable, str(PROGRAMS / "floor_server.py"), str(port), "0", "0", "64"], port
    )


def rq_exporter(bench: Bench, redis: RedisServer, queues: int, workers: int) -> Target:
    """Fills ``redis`` with RQ's queues and workers first."""
    python = str(python_of("rq"))
    fill = Program(
        [python, str(PROGRAMS / "rq_fleet.py"), *map(str, (redis.port, queues, workers))],
        cwd=bench.folder, name=f"rq-fleet-{redis.port}",
    )  # fmt: skip
    wait_until(lambda: not fill.running, timeout=120, what="RQ's queues")
    if fill.stop():
        raise RuntimeError(f"RQ's queues could not be made: {fill.output()[-2000:]}")
    port = free_port()
    command = [
        python,
        "-m",
        "rq_exporter",
        "--host",
        "127.0.0.1",
        "--port",
        str(port),
        "--redis-port",
        str(redis.port),
    ]
    return start(bench, "rq-exporter", command, port, text=b"rq_jobs{")


def celery_exporter(bench: Bench, redis: RedisServer) -> Target:
    port = free_port()
    command = [str(python_of("celery")), *CELERY_COMMAND, "--broker-url", redis.url]
    command += ["--host", "127.0.0.1", "--port", str(port), "--log-level", "WARNING"]
    return start(bench, "celery-exporter", command, port)


def celery_workers(
    bench: Bench, redis: RedisServer, workers: int, env: Mapping[str, str] | None = None
) -> None:
    """With events, as celery-exporter requires, and different host names, as in production."""
    python = str(python_of("celery"))
    for number in range(workers):
        command = [python, "-m", "celery", "--app", "celery_app", "worker", "--task-events", "--pool", "solo"]
        command += [
            "--queues",
            "queue-0000,queue-0001",
            "--hostname",
            f"w@host{number}",
            "--loglevel",
            "WARNING",
        ]
        program = Program(
            command, cwd=bench.folder, name=f"celery-{redis.port}-{number}",
            env={"REDIS_URL": redis.url, "PYTHONPATH": str(PROGRAMS), **(env or {})},
        )  # fmt: skip
        bench.callback(program.kill)


def dramatiq_workers(
    bench: Bench, redis: RedisServer, metrics: str, *, database: int = 0, processes: int = 1, threads: int = 8,
    env: Mapping[str, str] | None = None,
) -> Program:  # fmt: skip
    """Real workers of ``programs/dramatiq_app.py``; Dramatiq's Prometheus gets a folder and a port of its own."""
    name = f"{metrics}-{redis.port}-{database}"
    environ = {
        "REDIS_URL": f"redis://127.0.0.1:{redis.port}/{database}", "BENCH_METRICS": metrics,
        "dramatiq_prom_db": str(bench.subfolder(f"prometheus-{name}")), "dramatiq_prom_host": "127.0.0.1",
        "dramatiq_prom_port": str(free_port()), **(env or {}),
    }  # fmt: skip
    program = start_workers(
        "dramatiq_app",
        cwd=bench.folder,
        path=PROGRAMS,
        processes=processes,
        threads=threads,
        env=environ,
        name=name,
    )
    bench.callback(program.kill)
    return program


def dramatiq_exposition(bench: Bench, redis: RedisServer, processes: int) -> Target:
    """Dramatiq's own metrics server, with its workers."""
    port = free_port()
    program = dramatiq_workers(
        bench, redis, "dramatiq", processes=processes, threads=THREADS, env={"dramatiq_prom_port": str(port)}
    )
    return Target(program, port)
