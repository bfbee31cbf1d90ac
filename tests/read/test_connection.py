"""Redis in every state: one line names the reason why it cannot be read; it is read again when it can be."""

from __future__ import annotations

import socket
import threading
from pathlib import Path

import hiredis
import pytest
import redis

from bioagents_exporter.read import endpoint
from bioagents_exporter.read.connection import Connection, pack
from bioagents_exporter.read.errors import Cause, cause_of
from bioagents_exporter.read.reader import Reader
from bioagents_exporter.read.snapshot import Snapshot
from bioagents_exporter.settings import Secret
from read.conftest import MakeReader
from support.polling import free_port, wait_until
from support.programs import self_signed
from support.redis_server import RedisServer
from support.wire_fleet import WireFleet

PASSWORD = "correct-horse-battery"  # noqa: S105 - planted, to be looked for in every message


def failed(snapshot: Snapshot, cause: Cause, *words: str) -> None:
    """The read failed for this cause, with these words in its line and never the password."""
    assert snapshot.server is None
    assert snapshot.errors == {cause: 1}
    assert (snapshot.queues, snapshot.workers, snapshot.totals, snapshot.audits) == ((), (), (), {})
    assert "\n" not in snapshot.failure
    assert PASSWORD not in snapshot.failure
    for word in words:
        assert word in snapshot.failure


def test_no_server_listens(make_reader: MakeReader) -> None:
    """The line names the address, the user and the database."""
    port = free_port()
    reader = make_reader(f"redis://someone:{PASSWORD}@127.0.0.1:{port}/3")
    failed(
        reader.read(),
        Cause.REDIS_UNREACHABLE,
        f"127.0.0.1:{port}",
        "'someone'",
        "db 3",
        "Connection refused",
    )
    reader.audit()


def test_a_host_that_does_not_exist(make_reader: MakeReader) -> None:
    """Names that cannot be resolved, or are none."""
    failed(
        make_reader("redis://no-such-host.invalid:6379/0").read(),
        Cause.REDIS_UNREACHABLE,
        "no-such-host.invalid",
    )
    failed(make_reader(f"redis://{'x' * 70}.invalid:6379/0").read(), Cause.REDIS_ERROR)


def test_redis_comes_and_goes(redis_server: RedisServer, make_reader: MakeReader) -> None:
    """Down it fails, back it is read; a restart between two reads goes unnoticed."""
    reader = make_reader(redis_server.url, queues=("chat",))
    assert reader.read().failure == ""
    redis_server.stop()
    failed(reader.read(), Cause.REDIS_UNREACHABLE)
    failed(reader.read(), Cause.REDIS_UNREACHABLE)
    redis_server.start()
    before = reader.read().server
    assert before is not None
    redis_server.restart()
    after = reader.read()
    assert after.failure == ""
    assert after.server is not None
    assert after.server.run_id != before.run_id


def test_a_paused_redis_is_given_up_on(
    redis_server: RedisServer, make_reader: MakeReader, monkeypatch: pytest.MonkeyPatch
) -> None:
    """After the timeout; calls that wait for the same read do not wait for another timeout."""
    monkeypatch.setattr(endpoint, "TIMEOUT", 1.0)
    reader = make_reader(redis_server.url)
    reader.read()
    redis_server.pause()
    found: list[Snapshot] = []
    attempts: list[object] = []
    read = reader._rounds.read
    monkeypatch.setattr(reader._rounds, "read", lambda names: attempts.append(names) or read(names))
    threads = [threading.Thread(target=lambda: found.append(reader.read())) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(attempts) == 1
    for snapshot in found:
        failed(snapshot, Cause.REDIS_UNREACHABLE, "no answer within")
    redis_server.resume()
    assert reader.read().failure == ""


def test_a_wrong_password(redis_server: RedisServer, make_reader: MakeReader) -> None:
    """A wrong password, or none where one is needed, is ``redis_denied``; the right one works."""
    with redis_server.client() as client:
        client.config_set("requirepass", "secret")
        failed(
            make_reader(f"redis://:{PASSWORD}@127.0.0.1:{redis_server.port}/0").read(),
            Cause.REDIS_DENIED,
            f"127.0.0.1:{redis_server.port}",
            "'default'",
        )
        failed(make_reader(redis_server.url).read(), Cause.REDIS_DENIED, "Authentication required")
        right = f"redis://:secret@127.0.0.1:{redis_server.port}/0"
        assert make_reader(right).read().failure == ""


def test_a_wrong_password_after_the_handshake(redis_server: RedisServer) -> None:
    """The error reply WRONGPASS has the same cause as the refusal of the handshake."""
    connection = Connection(endpoint.endpoint_of(Secret(redis_server.url)))
    (reply,) = connection.call(pack("AUTH", "nobody", "x"), 1)
    connection.close()
    assert isinstance(reply, hiredis.ReplyError)
    assert (str(reply).split()[0], cause_of(reply)) == ("WRONGPASS", Cause.REDIS_DENIED)


def test_a_wrong_database(redis_server: RedisServer, make_reader: MakeReader) -> None:
    """A database that the server does not have is an error of Redis, which names it."""
    reader = make_reader(f"redis://127.0.0.1:{redis_server.port}/99")
    failed(reader.read(), Cause.REDIS_ERROR, "db 99", "DB index is out of range")


def test_no_redis_at_all(make_reader: MakeReader) -> None:
    """A web server sends another answer, another server closes the connection."""
    for answer in (b"HTTP/1.1 400 Bad Request\r\n\r\n", b""):
        with socket.create_server(("127.0.0.1", 0)) as server:
            port = server.getsockname()[1]

            def serve(server: socket.socket = server, answer: bytes = answer) -> None:
                connection, _ = server.accept()
                with connection:
                    connection.recv(1000)
                    connection.sendall(answer)

            thread = threading.Thread(target=serve)
            thread.start()
            cause = Cause.REDIS_ERROR if answer else Cause.REDIS_UNREACHABLE
            failed(make_reader(f"redis://127.0.0.1:{port}/0").read(), cause, f"127.0.0.1:{port}")
            thread.join()


def test_loading(tmp_path: Path, make_reader: MakeReader) -> None:
    """A server that still loads its data set has no numbers yet."""
    server = RedisServer(tmp_path / "redis", save="3600 1", enable_debug_command="yes")
    try:
        with server.client() as client:
            client.execute_command("DEBUG", "POPULATE", 300, "key", 100)
            client.config_set("loading-process-events-interval-bytes", 1024)
            client.config_set("key-load-delay", 20_000)
            reader = make_reader(server.url)
            thread = threading.Thread(target=reload, args=(server,))
            thread.start()
            wait_until(lambda: reader.read().failure)
            failed(reader.read(), Cause.REDIS_LOADING, f"127.0.0.1:{server.port}", "loading its data set")
            client.config_set("key-load-delay", 0)
            thread.join()
            wait_until(lambda: not reader.read().failure)
    finally:
        server.kill()


def reload(server: RedisServer) -> None:
    """Save and load again, slowly."""
    with server.client(socket_timeout=60) as client:
        client.execute_command("DEBUG", "RELOAD")


def test_a_replica(redis_server: RedisServer, replica: RedisServer, make_reader: MakeReader) -> None:
    """It is read as a replica; without its primary the link is down, and refused commands are a failure."""
    with redis_server.client() as client:
        WireFleet(client).flush("w1")
        wait_until(lambda: make_reader(replica.url).read().workers)
    reader = make_reader(replica.url)
    server = reader.read().server
    assert server is not None
    assert (server.role, server.link_up) == ("slave", True)
    assert server.lag is not None
    redis_server.kill()
    wait_until(lambda: not link_is_up(reader))
    with replica.client() as client:
        client.config_set("replica-serve-stale-data", "no")
        failed(reader.read(), Cause.REDIS_REPLICA_STALE, "MASTERDOWN")


def link_is_up(reader: Reader) -> bool:
    """Whether a replica is connected to its primary; the lag is known while it is."""
    server = reader.read().server
    assert server is not None
    assert (server.lag is None) == (not server.link_up)
    return bool(server.link_up)


def test_a_unix_socket(tmp_path: Path, make_reader: MakeReader) -> None:
    """By its path, with a database."""
    path = tmp_path / "redis.sock"
    server = RedisServer(tmp_path / "redis", unixsocket=str(path))
    try:
        with server.client(db=2) as client:
            client.rpush("dramatiq:chat", "1")
        snapshot = make_reader(f"unix://{path}?db=2", queues=("chat",)).read()
        assert snapshot.queues[0].waiting == 1
    finally:
        server.kill()
    failed(make_reader(f"unix://{tmp_path}/none").read(), Cause.REDIS_UNREACHABLE, f"{tmp_path}/none")


def test_tls(tmp_path: Path, make_reader: MakeReader) -> None:
    """With the certificate's authority it is read, a fleet larger than any buffer too; without, refused."""
    certificate = self_signed(tmp_path)
    port = free_port()
    server = RedisServer(
        tmp_path / "redis",
        tls_port=str(port),
        tls_cert_file=str(certificate.certificate),
        tls_key_file=str(certificate.key),
        tls_ca_cert_file=str(certificate.certificate),
        tls_auth_clients="no",
    )
    try:
        names = tuple(f"queue-{i}" for i in range(1500))
        with server.client() as client:
            client.rpush("dramatiq:queue-1499", "1")
            fleet = WireFleet(client)
            fleet.flush("w1")
            beat = client.hget(fleet.keys.beats, "w1") or b""
            client.hset(fleet.keys.beats, mapping={f"w{i}": beat for i in range(1500)})
        url = f"rediss://localhost:{port}/0"
        snapshot = make_reader(f"{url}?ssl_ca_certs={certificate.certificate}", queues=names).read()
        assert (len(snapshot.queues), len(snapshot.workers)) == (1500, 1500)
        assert {queue.name: queue.waiting for queue in snapshot.queues}["queue-1499"] == 1
        failed(make_reader(url).read(), Cause.REDIS_UNREACHABLE, "certificate")
    finally:
        server.kill()


def test_a_change_is_logged_once(
    redis_server: RedisServer, make_reader: MakeReader, caplog: pytest.LogCaptureFixture
) -> None:
    """One line when Redis fails and one when it is back, not one for each read."""
    caplog.set_level("INFO")
    reader = make_reader(redis_server.url)
    reader.read()
    redis_server.stop()
    for _ in range(3):
        reader.read()
    redis_server.start()
    for _ in range(3):
        reader.read()
    words = [record.getMessage().split()[0] for record in caplog.records]
    assert words == ["redis_failed", "redis_answers"]


def test_reads_in_many_threads(redis_server: RedisServer, make_reader: MakeReader) -> None:
    """Reads and audits at the same time never mix their replies."""
    with redis_server.client() as client:
        fleet = WireFleet(client)
        for number in range(20):
            totals = {f"q{number}": {"processed|a": number}}
            fleet.flush(f"w{number}", totals=totals, queues=(f"q{number}",))
            client.rpush(f"dramatiq:q{number}", *["x"] * (number + 1))
    reader = make_reader(redis_server.url)
    wrong: list[object] = []
    threads = [threading.Thread(target=use, args=(reader, wrong)) for _ in range(6)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert wrong == []


def use(reader: Reader, wrong: list[object]) -> None:
    """Read and audit, and note what is not as it should be."""
    for _ in range(20):
        snapshot = reader.read()
        waiting = {queue.name: queue.waiting for queue in snapshot.queues}
        if snapshot.failure or waiting != {f"q{n}": n + 1 for n in range(20)} or len(snapshot.workers) != 20:
            wrong.append(snapshot)
        reader.audit()


def test_close_and_read_again(redis_server: RedisServer, make_reader: MakeReader) -> None:
    """Closing leaves no connection behind; a later read opens one."""
    reader = make_reader(redis_server.url)
    reader.read()
    with redis_server.client() as client:
        reader.close()
        wait_until(lambda: len(client.client_list()) == 1)
        assert reader.read().failure == ""
        with pytest.raises(redis.ResponseError):
            client.execute_command("NO-SUCH-COMMAND")
