"""Every way in which a process that enqueues may end, and how many of its jobs are counted then.

All processes of this file start together, because they sleep most of the time; each has its own namespace.
The shortest time between two of their calls is two seconds instead of 0.1 s, so that no slow machine decides.
"""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Final

import pytest

from bioagents_worker.wire import Keys
from support.polling import free_port
from support.redis_server import RedisServer

JOBS: Final = 5
#: The first one is enqueued more than half an interval before an abrupt end, the others just before it.
OLD: Final = 1

PRODUCER = """
import atexit
late = lambda: None
atexit.register(lambda: late())  # before the modules below register theirs: called after them

import multiprocessing, os, signal, sys, threading, time, urllib.request
import dramatiq
from concurrent.futures import ProcessPoolExecutor
from dramatiq.brokers.redis import RedisBroker
from bioagents_worker import JobMetrics

broker = RedisBroker(url=os.environ["REDIS_URL"], namespace=os.environ["NAMESPACE"])
broker.add_middleware(JobMetrics(min_interval=2))
act = dramatiq.actor(lambda: None, broker=broker, actor_name="act")

def send(n):
    for _ in range(n):
        act.send()

def work(_=None):
    "Long enough for the first call of a fresh process, too short for a second one."
    send(1)
    time.sleep(1.2)
"""

GUNICORN = """
from gunicorn.app.base import BaseApplication

def jobs():
    send(5)
    os.kill(os.getppid(), signal.SIGTERM)

class Application(BaseApplication):
    def load_config(self):
        self.cfg.set("bind", "127.0.0.1:" + os.environ["PORT"])
        self.cfg.set("post_worker_init", lambda worker: threading.Thread(target=jobs).start())

    def load(self):
        return lambda environ, start_response: []

Application().run()
"""

UVICORN = """
import uvicorn

async def app(scope, receive, reply):
    send(int(scope["path"][1:]))
    await reply({"type": "http.response.start", "status": 200, "headers": []})
    await reply({"type": "http.response.body", "body": b""})

def ask(path):
    while True:
        try:
            return urllib.request.urlopen("http://127.0.0.1:" + os.environ["PORT"] + path).close()
        except OSError:
            time.sleep(0.1)

def requests():
    ask("/1")
    time.sleep(1.2)
    ask("/4")
    os.kill(os.getpid(), signal.SIGTERM)

threading.Thread(target=requests, daemon=True).start()
uvicorn.run(app, host="127.0.0.1", port=int(os.environ["PORT"]), lifespan="off")
"""

#: Python runs functions at the end of these: every job is counted, and the process signs off.
CLEAN = {
    "return": "send(5)",
    "sys.exit": "send(5); sys.exit(3)",
    "exception": "send(5); raise LookupError",
    "SIGINT": "send(5); os.kill(os.getpid(), signal.SIGINT); time.sleep(9)",
    "SIGTERM, handled": "signal.signal(15, lambda *_: sys.exit()); send(5); os.kill(os.getpid(), 15)",
    "thread after the main one": "threading.Timer(0.5, send, [2]).start(); send(3)",
    "atexit, all jobs": "atexit.register(send, 5)",
    "atexit, after ours": "late = lambda: send(2); send(3)",
    "Process": "child = multiprocessing.Process(target=send, args=[5]); child.start(); child.join()",
    "ProcessPoolExecutor": "with ProcessPoolExecutor(1) as pool: pool.submit(send, 5).result()",
    "Pool, closed": "pool = multiprocessing.Pool(1); pool.apply(send, [5]); pool.close(); pool.join()",
    "fork": "send(2); pid = os.fork(); send(0 if pid else 3); pid and os.waitpid(pid, 0)",
    "gunicorn": GUNICORN,
}
#: Python runs nothing at the end of these: jobs of the last interval may be missing.
ABRUPT = {
    "os._exit": "work(); send(4); os._exit(0)",
    "SIGTERM": "work(); send(4); os.kill(os.getpid(), signal.SIGTERM)",
    "SIGHUP": "work(); send(4); os.kill(os.getpid(), signal.SIGHUP)",
    "SIGKILL": "work(); send(4); os.kill(os.getpid(), signal.SIGKILL)",
    "abort": "work(); send(4); os.abort()",
    "exec": "work(); send(4); os.execv('/bin/true', ['true'])",
    "fork and os._exit": "pid = os.fork(); pid or [work(), send(4), os._exit(0)]; os.waitpid(pid, 0)",
    "Pool, terminated": "with multiprocessing.Pool(1) as p: p.map(work, [0]); p.apply_async(send, [4])",
    "uvicorn": UVICORN,
    # Nothing of an earlier interval is missing, although the first call was made long before.
    "SIGKILL, later": "work(); send(4); time.sleep(2.5); os.kill(os.getpid(), signal.SIGKILL)",
}


@pytest.fixture(scope="module")
def ended(shared_redis: RedisServer, tmp_path_factory: pytest.TempPathFactory) -> Iterator[RedisServer]:
    """The Redis of all processes, once all have ended."""
    folder, running = tmp_path_factory.mktemp("ends"), []
    for number, code in enumerate((CLEAN | ABRUPT).values()):
        script = folder / f"producer{number}.py"
        script.write_text(PRODUCER + code)
        running.append(start(script, shared_redis))
    for process in running:
        process.wait(60)
    yield shared_redis
    for process in running:
        process.kill()


def start(script: Path, server: RedisServer) -> subprocess.Popen[bytes]:
    env = {"REDIS_URL": server.url, "NAMESPACE": script.stem, "PORT": str(free_port())}
    env["HOME"] = str(script.parent)  # gunicorn opens a socket there
    with script.with_suffix(".log").open("wb") as log:
        return subprocess.Popen([sys.executable, script], env=os.environ | env, stdout=log, stderr=log)


def counted(server: RedisServer, name: str) -> tuple[int, int]:
    """The jobs that are counted as enqueued, and the processes that have not signed off."""
    keys = Keys(f"producer{[*CLEAN, *ABRUPT].index(name)}")
    client = server.client()
    return int(client.hget(keys.totals("default"), "enqueued|act") or 0), client.hlen(keys.producers)


@pytest.mark.parametrize("name", CLEAN)
def test_clean_end_loses_nothing(ended: RedisServer, name: str) -> None:
    """Every job is counted, and no process is left in the list of producers."""
    assert counted(ended, name) == (JOBS, 0)


@pytest.mark.parametrize("name", ABRUPT)
def test_abrupt_end_loses_the_last_interval_at_most(ended: RedisServer, name: str) -> None:
    """The first job of a fresh process is counted at once, later ones within an interval; none twice."""
    least = JOBS if name == "SIGKILL, later" else OLD
    assert least <= counted(ended, name)[0] <= JOBS
