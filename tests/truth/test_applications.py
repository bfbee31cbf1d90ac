"""Every counter equals the record in applications of other kinds: other clients, servers and processes."""

from __future__ import annotations

import signal
import sys
import urllib.request
from pathlib import Path
from urllib.error import URLError

from recorded_fleet import RecordedFleet, recorded_fleet

from support.polling import free_port, wait_until
from support.programs import Program
from support.redis_server import RedisServer


def _exact(fleet: RecordedFleet) -> None:
    fleet.settle()
    fleet.assert_exact()
    fleet.assert_times()


def test_valkeys_own_client(tmp_path: Path, redis_server: RedisServer) -> None:
    """The broker's client is of valkey-py, whose classes of errors are not those of redis-py."""
    with recorded_fleet(tmp_path, redis_server.url, VALKEY="1") as fleet:
        fleet.workers()
        fleet.exporter()
        fleet.produce(20)
        _exact(fleet)


def test_jobs_that_enqueue_themselves(tmp_path: Path, redis_server: RedisServer) -> None:
    """A job that enqueues its own message again, at once or later, is enqueued and not retried."""
    with recorded_fleet(tmp_path, redis_server.url) as fleet:
        fleet.workers()
        fleet.exporter()
        fleet.run("for delay in (None, 30): [polls.send(5, delay) for _ in range(10)]")
        _exact(fleet)
        record = fleet.expected()
        assert record["job_retries_total", "chat", "polls", ""] == 20
        assert record["jobs_enqueued_total", "chat", "polls", ""] == 120


def test_a_web_server_that_is_stopped(tmp_path: Path, redis_server: RedisServer) -> None:
    """Uvicorn ends by SIGTERM's default action after its clean shutdown, and no enqueue is lost."""
    with recorded_fleet(tmp_path, redis_server.url) as fleet:
        fleet.workers()
        fleet.exporter()
        for _ in range(3):
            server = _uvicorn(fleet)
            server.signal(signal.SIGTERM)
            server.process.wait(30)
        _exact(fleet)


def _uvicorn(fleet: RecordedFleet) -> Program:
    """A new server that has answered one request."""
    port = free_port()
    command = [sys.executable, "-m", "uvicorn", "web:application", "--port", str(port), "--lifespan", "off"]
    server = Program(command, cwd=fleet.folder, name=f"uvicorn{len(fleet.programs)}", env=fleet.env)
    fleet.programs.append(server)
    wait_until(lambda: _answers(port), timeout=30, what="an answer of uvicorn")
    return server


def _answers(port: int) -> bool:
    try:
        with urllib.request.urlopen(f"http://127.0.0.1:{port}", timeout=10) as response:
            return bool(response.status == 204)
    except URLError:
        return False


def test_a_pool_of_processes(tmp_path: Path, redis_server: RedisServer) -> None:
    """The children of a multiprocessing.Pool enqueue, and end without exit handlers."""
    code = (
        "import multiprocessing\n"
        "with multiprocessing.get_context('fork').Pool(3) as pool:\n"
        "    pool.map(send_round, range(1, 13), chunksize=2)\n"
        "    pool.close()\n"
        "    pool.join()\n"
    )
    with recorded_fleet(tmp_path, redis_server.url) as fleet:
        fleet.workers()
        fleet.exporter()
        fleet.run(code)
        _exact(fleet)
