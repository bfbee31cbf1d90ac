"""What a real exporter answers over real sockets."""

from __future__ import annotations

import gzip
import json
import os
import signal
from concurrent.futures import ThreadPoolExecutor

import psutil
import pytest

from bioagents_worker.wire import State
from support.exporter import Answer, Exporter
from support.polling import wait_until
from support.redis_server import RedisServer
from support.wire_fleet import WireFleet

from .conftest import Start

UP = 'bioagents_redis_up{fleet="dramatiq"}'
PAGES = ("/metrics", "/", "/api/v1/status", "/-/healthy", "/-/ready")
EVIL = """<script>alert("&'x")</script>"""


def steady(text: str) -> list[str]:
    """The names and labels of an exposition, which stay from scrape to scrape."""
    return [line.rpartition(" ")[0] for line in text.splitlines() if not line.startswith("#")]


def test_metrics_are_text_of_format_0_0_4(redis_server: RedisServer, start: Start) -> None:
    """Prometheus 3 refuses a scrape without a proper Content-Type."""
    answer = start("--redis.url", redis_server.url).get("/metrics")
    assert answer.status == 200
    assert answer.headers["Content-Type"] == "text/plain; version=0.0.4; charset=utf-8"
    assert answer.value(UP) == 1
    assert int(answer.headers["Content-Length"]) == len(answer.body)


def test_metrics_are_compressed_when_asked(redis_server: RedisServer, start: Start) -> None:
    """The same series, fewer bytes; a cache must know of it."""
    exporter = start("--redis.url", redis_server.url, "--queues", "chat,deep-research")
    plain = exporter.get("/metrics")
    packed = exporter.get("/metrics", headers={"Accept-Encoding": "deflate, gzip;q=0.5"})
    assert packed.headers["Content-Encoding"] == "gzip"
    assert "Content-Encoding" not in plain.headers
    assert plain.headers["Vary"] == packed.headers["Vary"] == "Accept-Encoding"
    assert len(packed.body) < len(plain.body) / 4
    second = exporter.get("/metrics")
    assert steady(gzip.decompress(packed.body).decode()) == steady(second.text)
    assert "Content-Encoding" not in exporter.get("/metrics", headers={"Accept-Encoding": "gzip;q=0"}).headers


@pytest.mark.parametrize("path", PAGES)
def test_every_page_answers_get_and_head_alone(path: str, redis_server: RedisServer, start: Start) -> None:
    """HEAD has the headers of GET and no body; nothing else is taken."""
    exporter = start("--redis.url", redis_server.url)
    wait_until(lambda: exporter.get("/-/ready").status == 200)
    assert exporter.get(path).status == 200
    head = exporter.get(path, method="HEAD")
    assert (head.status, head.body) == (200, b"")
    assert int(head.headers["Content-Length"]) > 0
    assert exporter.get(path, method="POST").status == 405
    assert exporter.get("/metricss").status == 404


def test_nothing_is_told_of_the_software_that_serves(redis_server: RedisServer, start: Start) -> None:
    """Versions belong to exporter_build_info, behind the authentication."""
    headers = start("--redis.url", redis_server.url).get("/").headers
    assert headers["Server"] == "bioagents-exporter"
    assert headers["Content-Security-Policy"].startswith("default-src 'none'")
    assert headers["Cache-Control"] == "no-store"


def test_losing_redis_never_ends_it(redis_server: RedisServer, start: Start) -> None:
    """200 with redis_up 0 and no number that was not read; all comes back with Redis."""
    exporter = start("--redis.url", redis_server.url, "--queues", "chat")
    wait_until(lambda: exporter.get("/-/ready").status == 200)
    redis_server.stop()
    answer = exporter.get("/metrics")
    assert (answer.status, answer.value(UP)) == (200, 0)
    assert "queue_depth{" not in answer.text
    errors = 'bioagents_exporter_scrape_errors_total{fleet="dramatiq",cause="redis_unreachable"}'
    assert (answer.value(errors) or 0) >= 1
    ready = exporter.get("/-/ready")
    assert ready.status == 503
    assert "Connection refused" in ready.text
    assert exporter.get("/-/healthy").status == 200
    assert "Connection refused" in exporter.get("/").text
    status = exporter.get("/api/v1/status").json()
    assert (status["redis"]["up"], status["queues"]) == (False, [])
    redis_server.start()
    assert exporter.get("/metrics").value(UP) == 1
    assert exporter.get("/-/ready").status == 200


UNREACHABLE = 'bioagents_exporter_scrape_errors_total{fleet="dramatiq",cause="redis_unreachable"}'


def test_a_hung_redis_does_not_hold_up_a_scrape(redis_server: RedisServer, start: Start) -> None:
    """A scrape is answered within its own timeout, before one that may wait longer; both are counted."""
    exporter = start("--redis.url", redis_server.url)
    wait_until(lambda: exporter.get("/-/ready").status == 200)
    answered = []

    def scrape(timeout: str) -> Answer:
        answer = exporter.get("/metrics", headers={"X-Prometheus-Scrape-Timeout-Seconds": timeout})
        answered.append(timeout)
        return answer

    redis_server.pause()
    try:
        with ThreadPoolExecutor() as pool:
            answers = list(pool.map(scrape, ("4.0", "1.0")))
    finally:
        redis_server.resume()
    assert answered == ["1.0", "4.0"]
    for answer in answers:
        assert (answer.status, answer.value(UP)) == (200, 0)
        assert (answer.value(UNREACHABLE) or 0) >= 1
        assert 'queue="' not in answer.text
    wait_until(lambda: exporter.get("/metrics").value(UP) == 1)


@pytest.mark.parametrize("signum", [signal.SIGTERM, signal.SIGINT])
@pytest.mark.parametrize("hung", [False, True], ids=["redis answers", "redis hangs"])
def test_a_signal_ends_it_at_once(
    signum: signal.Signals, redis_server: RedisServer, start: Start, *, hung: bool
) -> None:
    """With status 0 and no output. A scrape that waits for Redis gets no answer: no client waited for it."""
    exporter = start("--redis.url", redis_server.url, "--queues", "chat")
    wait_until(lambda: exporter.get("/-/ready").status == 200)
    before = exporter.program.output()
    with ThreadPoolExecutor() as pool:
        if hung:
            redis_server.pause()
            scrape = pool.submit(exporter.get, "/metrics")
            wait_until(lambda: connections(exporter) == 2, what="the request to arrive")
        exporter.program.signal(signum)
        status = exporter.program.process.wait(30)
        redis_server.resume()
        assert not hung or scrape.exception() is not None
    assert (status, exporter.program.output()) == (0, before)


def connections(exporter: Exporter) -> int:
    """Established connections of the exporter: to Redis, and from clients."""
    process = psutil.Process(exporter.program.pid)
    return len([c for c in process.net_connections("tcp") if c.status == psutil.CONN_ESTABLISHED])


def test_memory_of_a_small_fleet(redis_server: RedisServer, start: Start) -> None:
    """At most 60 MiB after a thousand scrapes and a look at each page."""
    with redis_server.client() as client:
        fleet = WireFleet(client)
        for n in range(4):
            fleet.flush(f"w{n}", State(threads=8), {"chat": {"processed|answer": 5}})
        exporter = start("--redis.url", redis_server.url, "--queues", "chat,deep-research")
        for path in PAGES:
            exporter.get(path)
        with ThreadPoolExecutor(2) as pool:
            headers = {"Accept-Encoding": "gzip"}
            answers = list(pool.map(lambda _: exporter.get("/metrics", headers=headers).status, range(1_000)))
    assert set(answers) == {200}
    assert psutil.Process(exporter.program.pid).memory_info().rss <= 60 * 2**20


def test_names_from_redis_are_escaped(redis_server: RedisServer, start: Start) -> None:
    """A queue, a host or a version may be called as it likes: on the page it is text, in JSON it is JSON."""
    with redis_server.client() as client:
        WireFleet(client).flush("w1", State(threads=1), {EVIL: {"processed|a": 1}}, host=EVIL, version=EVIL)
        exporter = start("--redis.url", redis_server.url, "--fleet", EVIL)
        page = wait_until(lambda: found if "&lt;script&gt;" in (found := exporter.get("/").text) else "")
        assert "<script" not in page
        assert page.count("&lt;script&gt;alert(&quot;&amp;&#x27;x&quot;)&lt;/script&gt;") >= 3
        status = exporter.get("/api/v1/status").json()
        assert status["fleet"] == EVIL
        assert status["workers"][0]["host"] == EVIL


def test_the_page_needs_nothing_from_elsewhere(redis_server: RedisServer, start: Start) -> None:
    """It works on the on-call person's phone in a closed network."""
    page = start("--redis.url", redis_server.url, "--queues", "chat").get("/").text
    for word in ("http://", "https://", "src=", "<script", "@import", "url(", "<link"):
        assert word not in page
    assert "prefers-color-scheme" in page
    assert 'name="viewport"' in page


def test_status_for_scripts(redis_server: RedisServer, start: Start) -> None:
    """The numbers of one queue and one worker as JSON."""
    with redis_server.client() as client:
        fleet = WireFleet(client)
        fleet.flush("w1", State(threads=8, running={"chat": 3}, rss=2**20), {"chat": {"processed|answer": 5}})
        client.rpush("dramatiq:chat", "m1", "m2")
        client.hset("dramatiq:chat.msgs", mapping={"m1": "{}", "m2": "{}", "m3": "{}"})
        exporter = start("--redis.url", redis_server.url)
        answer = exporter.get("/api/v1/status")
    assert answer.headers["Content-Type"] == "application/json"
    status = answer.json()
    (chat,) = status["queues"]
    expected = {"name": "chat", "waiting": 2, "active": 1, "workers": 1, "slots": 8, "running_jobs": 3}
    assert expected.items() <= chat.items()
    (worker,) = status["workers"]
    assert {"worker": "w1", "alive": True, "threads": 8, "memory_rss_bytes": 2**20}.items() <= worker.items()
    assert status["redis"]["up"] is True
    assert status["warnings"] == []
    assert json.loads(answer.body) == status


def test_a_sidecar_tells_of_its_own_workers_alone(redis_server: RedisServer, start: Start) -> None:
    """--collect.workers=host: no queues, no totals, the workers of this host."""
    with redis_server.client() as client:
        fleet = WireFleet(client)
        fleet.flush("mine", State(threads=1), {"chat": {"processed|answer": 5}}, host="here")
        fleet.flush("other", State(threads=1), host="there")
        exporter = start("--redis.url", redis_server.url, "--collect.workers=host", "--host", "here")
        text = exporter.get("/metrics").text
    assert 'worker="mine"' in text
    assert 'worker="other"' not in text
    assert "queue_depth" not in text
    assert [w["worker"] for w in exporter.get("/api/v1/status").json()["workers"]] == ["mine"]


def test_prefix_fleet_and_limits_reach_the_exposition(redis_server: RedisServer, start: Start) -> None:
    """Settings from the environment, end to end."""
    env = {
        "REDIS_URL": redis_server.url, "BIOAGENTS_METRICS_PREFIX": "acme_", "BIOAGENTS_FLEET": "eu",
        "BIOAGENTS_QUEUES": "chat", **os.environ,
    }  # fmt: skip
    answer = start(env=env).get("/metrics")
    assert answer.value('acme_queue_depth_limit{fleet="eu",queue="chat"}') == 50
    assert "bioagents_" not in answer.text


def test_it_listens_where_it_is_told(redis_server: RedisServer, start: Start) -> None:
    """Every interface, IPv4 as well as IPv6; a name with all its addresses."""
    places = {
        ":0": ["127.0.0.1", "::1"],
        "localhost:0": ["127.0.0.1"],
        "[::1]:0": ["::1"],
        "0.0.0.0:0": ["127.0.0.1"],
    }
    for address, hosts in places.items():
        exporter = start("--redis.url", redis_server.url, listen=address)
        for host in hosts:
            exporter.host = host
            assert exporter.get("/-/healthy").status == 200
