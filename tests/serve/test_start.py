"""What is wrong at the start ends with one line and status 2."""

from __future__ import annotations

import contextlib
import os
import socket
import subprocess
import sys
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path

from dramatiq import Message
from dramatiq.brokers.redis import RedisBroker

from support.polling import free_port, wait_until
from support.redis_server import RedisServer, Sentinel

from .conftest import Start

PASSWORD = "hunter2"  # noqa: S105 - planted
UP = 'bioagents_redis_up{fleet="dramatiq"}'


def refusal(*args: str, listen: str = "127.0.0.1:0") -> str:
    """The one line of an exporter that does not start."""
    command = [sys.executable, "-m", "bioagents_cli", "exporter", "--web.listen-address", listen, *args]
    finished = subprocess.run(command, capture_output=True, text=True, timeout=60, check=False)
    assert (finished.returncode, finished.stdout) == (2, ""), finished.stderr
    assert finished.stderr.count("\n") == 1, finished.stderr
    assert finished.stderr.startswith("bioagents exporter: ")
    assert PASSWORD not in finished.stderr
    return finished.stderr


@contextlib.contextmanager
def listening() -> Iterator[int]:
    """A port that accepts connections and never answers."""
    with socket.create_server(("127.0.0.1", 0)) as server:
        yield server.getsockname()[1]


@contextlib.contextmanager
def http_server() -> Iterator[int]:
    """A port on which HTTP is spoken."""

    class Handler(BaseHTTPRequestHandler):
        def log_message(self, *_: object) -> None:
            pass

    with HTTPServer(("127.0.0.1", 0), Handler) as server:
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.05})
        thread.start()
        try:
            yield server.server_port
        finally:
            server.shutdown()
            thread.join()


def test_a_port_in_use() -> None:
    """The address is named."""
    with listening() as port:
        message = refusal(listen=f"127.0.0.1:{port}")
    assert (
        f"--web.listen-address 127.0.0.1:{port}: Address already in use: expected a free address" in message
    )


def test_no_server_listens() -> None:
    """Said with the way to start all the same."""
    port = free_port()
    message = refusal("--redis.url", f"redis://:{PASSWORD}@127.0.0.1:{port}/0")
    assert f"--redis.url redis://:***@127.0.0.1:{port}/0" in message
    assert "Connection refused" in message
    assert "expected Redis or Valkey to answer there; --redis.wait starts without it" in message


def test_a_host_that_does_not_exist() -> None:
    """Named."""
    message = refusal("--redis.url", "redis://no-such-host.invalid:6379/0")
    assert "no-such-host.invalid" in message


def test_a_port_that_never_answers() -> None:
    """Not waited for without end."""
    with listening() as port:
        message = refusal("--redis.url", f"redis://:{PASSWORD}@127.0.0.1:{port}/0?socket_timeout=0.5")
    assert "expected Redis or Valkey to answer there" in message


def test_a_server_that_is_no_redis() -> None:
    """A web server, say."""
    with http_server() as port:
        message = refusal("--redis.url", f"redis://127.0.0.1:{port}/0")
    assert f"127.0.0.1:{port}" in message
    assert "expected" in message


def test_a_wrong_password(tmp_path: Path) -> None:
    """Wrong or missing; what a user needs is named."""
    server = RedisServer(tmp_path / "redis", requirepass="right")
    try:
        for url in (f"redis://:{PASSWORD}@127.0.0.1:{server.port}/0", server.url):
            message = refusal("--redis.url", url)
            assert "expected user and password in the URL, of a user that may: +@read" in message
    finally:
        server.kill()


def test_an_acl_that_does_not_suffice(redis_server: RedisServer) -> None:
    """A user without our keys, and one that may not read at all."""
    with redis_server.client() as client:
        for n, rule in enumerate(("~dramatiq:* +@read +ping +info +select", "~* +ping +select")):
            client.execute_command("ACL", "SETUSER", f"u{n}", "on", f">{PASSWORD}", *rule.split())
            message = refusal("--redis.url", f"redis://u{n}:{PASSWORD}@127.0.0.1:{redis_server.port}/0")
            assert "-keys ~dramatiq:* ~bioagents:*" in message


def test_the_user_that_the_message_asks_for_is_enough(redis_server: RedisServer, start: Start) -> None:
    """The ACL line of the documentation."""
    rules = ["+@read", "+ping", "+info", "+select", "-keys", "~dramatiq:*", "~bioagents:*"]
    with redis_server.client() as client:
        client.execute_command("ACL", "SETUSER", "exporter", "on", f">{PASSWORD}", *rules)
        exporter = start("--redis.url", f"redis://exporter:{PASSWORD}@127.0.0.1:{redis_server.port}/3")
        assert exporter.get("/metrics").value(UP) == 1
        log = client.acl_log()
    assert [entry["object"] for entry in log] == []


def test_a_database_that_does_not_exist(redis_server: RedisServer) -> None:
    """SELECT fails."""
    message = refusal("--redis.url", f"redis://127.0.0.1:{redis_server.port}/99")
    assert "DB index is out of range" in message


def test_a_cluster_and_a_namespace_without_a_hash_tag(tmp_path: Path) -> None:
    """Its keys are on several nodes."""
    server = RedisServer(tmp_path / "redis", port=free_port(), cluster_enabled="yes")
    try:
        with server.client() as client:
            client.execute_command("CLUSTER", "ADDSLOTSRANGE", 0, 16383)
        wait_until(lambda: cluster_ok(server), what="the cluster")
        message = refusal("--redis.url", server.url)
        assert "expected a single Redis, or a namespace with a hash tag, such as {dramatiq}" in message
    finally:
        server.kill()


def cluster_ok(server: RedisServer) -> bool:
    """Whether all slots are served."""
    with server.client() as client:
        return bool(client.execute_command("CLUSTER INFO")["cluster_state"] == "ok")


def test_no_sentinel_answers() -> None:
    """Each is named."""
    port = free_port()
    message = refusal("--redis.url", f"redis+sentinel://:{PASSWORD}@127.0.0.1:{port}/mymaster")
    assert f"127.0.0.1:{port}" in message


def test_a_bad_web_configuration(tmp_path: Path) -> None:
    """Before anything is served."""
    file = tmp_path / "web.yml"
    file.write_text("tls_server_config: {cert: x}\n")
    message = refusal("--web.config.file", str(file))
    assert f"{file}:tls_server_config.cert (line 1): unknown key (did you mean cert_file?)" in message


def test_it_can_start_before_redis(tmp_path: Path, start: Start) -> None:
    """--redis.wait: redis_up 0, and all else once Redis is there."""
    port = free_port()
    exporter = start("--redis.url", f"redis://:{PASSWORD}@127.0.0.1:{port}/0", "--redis.wait")
    assert exporter.get("/metrics").value(UP) == 0
    assert exporter.get("/-/ready").status == 503
    assert "started_without_redis" in exporter.program.output()
    server = RedisServer(tmp_path / "redis", port=port, requirepass=PASSWORD)
    try:
        wait_until(lambda: exporter.get("/metrics").value(UP) == 1)
        assert exporter.get("/-/ready").status == 200
    finally:
        server.kill()


def test_waiting_does_not_hide_a_wrong_password(tmp_path: Path) -> None:
    """It does not pass by itself."""
    server = RedisServer(tmp_path / "redis", requirepass="right")
    try:
        assert "expected user and password" in refusal("--redis.wait", "--redis.url", server.url)
    finally:
        server.kill()


def test_an_empty_namespace_is_a_warning_that_names_the_others(
    redis_server: RedisServer, start: Start
) -> None:
    """Perhaps a typing error, perhaps a fresh fleet: it serves, and warns until something is there."""
    with redis_server.client() as client:
        broker = RedisBroker(client=client, namespace="shop", middleware=[])  # type: ignore[no-untyped-call]
        broker.declare_queue("default")
        broker.enqueue(Message("default", "f", (), {}, {}))
        exporter = start("--redis.url", redis_server.url, "--redis.namespace", "shp")
        warning = "namespace 'shp': nothing of Dramatiq or JobMetrics in it yet; this Redis has 'shop'"
        wait_until(lambda: warning in exporter.program.output(), what="the warning in the log")
        assert exporter.program.output().count(warning) == 1
        assert exporter.get("/api/v1/status").json()["warnings"] == [warning]
        assert "nothing of Dramatiq or JobMetrics in it yet" in exporter.get("/").text
        found = start("--redis.url", redis_server.url, "--redis.namespace", "shop", "--queues", "default")
    assert found.get("/api/v1/status").json()["warnings"] == []
    assert "namespace_empty" not in found.program.output()


def test_a_namespace_with_waiting_jobs_is_not_empty(redis_server: RedisServer, start: Start) -> None:
    """Producers without JobMetrics, no worker yet: the queue is found later, but nothing says "empty"."""
    with redis_server.client() as client:
        broker = RedisBroker(client=client, namespace="shop", middleware=[])  # type: ignore[no-untyped-call]
        broker.declare_queue("mail")
        broker.enqueue(Message("mail", "send", (), {}, {}))
        exporter = start("--redis.url", redis_server.url, "--redis.namespace", "shop")
        first = exporter.get("/api/v1/status").json()
        wait_until(lambda: exporter.get("/api/v1/status").json()["queues"], what="the queue")
    assert first["warnings"] == []
    assert "namespace_empty" not in exporter.program.output()


def test_a_secret_is_never_shown(tmp_path: Path, start: Start) -> None:
    """Planted as the password, searched in everything that comes out: up, down, and refused."""
    server = RedisServer(tmp_path / "redis", requirepass=PASSWORD)
    try:
        url = f"redis://:{PASSWORD}@127.0.0.1:{server.port}/0?client_name=x"
        exporter = start(env={**os.environ, "REDIS_URL": url})
        texts = [exporter.get(path).text for path in ("/metrics", "/", "/api/v1/status", "/-/ready")]
        assert exporter.get("/metrics").value(UP) == 1
        with server.client(password=PASSWORD) as client:
            client.config_set("requirepass", "changed")
            client.execute_command("CLIENT", "KILL", "TYPE", "normal", "SKIPME", "yes")
        wait_until(lambda: exporter.get("/metrics").value(UP) == 0)
        texts += [exporter.get(path).text for path in ("/metrics", "/", "/api/v1/status", "/-/ready")]
        server.kill()
        texts += [exporter.get(path).text for path in ("/metrics", "/", "/api/v1/status", "/-/ready")]
        exporter.stop()
        texts.append(exporter.program.output())
        assert not [text for text in texts if PASSWORD in text]
    finally:
        server.kill()


def test_the_primary_of_a_sentinel(redis_server: RedisServer, tmp_path: Path, start: Start) -> None:
    """The URL of the documentation."""
    sentinel = Sentinel(tmp_path / "sentinel", redis_server.port)
    try:
        exporter = start("--redis.url", f"redis+sentinel://127.0.0.1:{sentinel.port}/{sentinel.primary}/0")
        assert exporter.get("/metrics").value(UP) == 1
        refused = refusal("--redis.url", f"redis+sentinel://127.0.0.1:{sentinel.port}/unknown")
        assert "knows no primary of this name" in refused
    finally:
        sentinel.kill()
