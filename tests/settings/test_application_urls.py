"""A URL that an application can use never ends the exporter: every option of redis-py, on real servers.

The options are those of the installed redis-py, so a new version that has one more makes a test fail.
"""

from __future__ import annotations

import inspect
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import quote

import pytest
import redis
import valkey
from redis.backoff import NoBackoff
from redis.cluster import RedisCluster
from redis.connection import (
    BlockingConnectionPool,
    Connection,
    ConnectionPool,
    SSLConnection,
    UnixDomainSocketConnection,
)
from redis.retry import Retry
from redis.sentinel import Sentinel as SentinelClient

from bioagents_exporter.read.endpoint import endpoint_of
from bioagents_exporter.settings.redis_url import APPLIED, IGNORED, redis_url
from read.test_acl import RIGHTS, allow
from support.polling import free_port
from support.programs import self_signed
from support.redis_server import RedisServer, Sentinel

#: Everything whose parameters a URL of an application may set.
CLASSES = (
    redis.Redis, RedisCluster, SentinelClient, ConnectionPool, BlockingConnectionPool,
    Connection, SSLConnection, UnixDomainSocketConnection,
    valkey.Valkey, valkey.ValkeyCluster, valkey.connection.SSLConnection,
)  # fmt: skip
#: Parameters that take all others.
CATCH_ALL = {"args", "kwargs", "connection_kwargs"}
#: Values as people write them; each option is tried with each.
VALUES = ("0", "1", "3", "-1", "0.001", " 5 ", "true", "F", "none", "latin-1", "a b@c")


def parameters(*classes: type) -> set[str]:
    """The names of all parameters, those of the classes that they inherit from included."""
    bases = {base for one in classes for base in one.__mro__ if base is not object}
    return {name for base in bases for name in inspect.signature(base).parameters} - CATCH_ALL


@dataclass(frozen=True)
class Served:
    """One Redis by TCP, TLS, a Unix socket and Sentinel."""

    server: RedisServer
    sentinel: Sentinel
    certificate: Path
    plain: str
    tls: str
    unix: str

    def urls(self, option: str, value: str) -> Iterator[str]:
        """This option by each way that an application may use; the first value of an option counts."""
        query = f"{option}={quote(value)}"
        if option.startswith("ssl_"):
            yield f"{self.tls}?{query}&ssl_ca_certs={self.certificate}"
        else:
            yield f"{self.plain}?{query}"
        if option.startswith("socket_"):
            yield f"{self.unix}?{query}"


@pytest.fixture(scope="module")
def served(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Served]:
    """The servers, for all tests of this module."""
    folder = tmp_path_factory.mktemp("served")
    certificate, port, socket = self_signed(folder), free_port(), folder / "redis.sock"
    server = RedisServer(
        folder / "redis",
        unixsocket=str(socket),
        tls_port=str(port),
        tls_cert_file=str(certificate.certificate),
        tls_key_file=str(certificate.key),
        tls_auth_clients="no",
        tls_ca_cert_file=str(certificate.certificate),
    )
    sentinel = Sentinel(folder / "sentinel", server.port)
    yield Served(
        server,
        sentinel,
        certificate.certificate,
        server.url,
        f"rediss://localhost:{port}/0",
        f"unix://{socket}",
    )
    sentinel.kill()
    server.kill()


def application_uses(url: str) -> bool:
    """Whether redis-py works with this URL."""
    try:
        link = ConnectionPool.from_url(url, retry=Retry(NoBackoff(), 0)).make_connection()
    except Exception:  # noqa: BLE001 - redis-py raises whatever its arguments raise
        return False
    try:
        link.connect()
    except Exception:  # noqa: BLE001 - as above
        return False
    finally:
        link.disconnect()
    return True


def exporter_refuses(url: str) -> str:
    """Why the exporter cannot use this URL; empty if it can."""
    try:
        endpoint_of(redis_url(url)).connect().disconnect()  # type: ignore[no-untyped-call]
    except Exception as error:  # noqa: BLE001 - each is a failure of the test, with its reason
        return repr(error)
    return ""


def test_every_option_of_the_client_library_is_known() -> None:
    """Those of clients, pools, connections, Cluster and Sentinel of redis-py, and those of valkey-py."""
    assert parameters(*CLASSES) - {*APPLIED} - IGNORED == set()


# redis-py leaves the socket open where an option fails after the connection.
@pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning")
def test_the_exporter_takes_what_the_application_takes(
    served: Served, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Each option with each value: if redis-py connects, the exporter connects too."""
    # Reading the system's authorities takes 50 ms for each connection by TLS.
    monkeypatch.setenv("SSL_CERT_FILE", str(served.certificate.with_name("none")))
    monkeypatch.setenv("SSL_CERT_DIR", str(served.certificate.with_name("none")))
    options = sorted(parameters(*CLASSES))
    urls = [url for name in options for value in VALUES for url in served.urls(name, value)]
    used = [url for url in urls if application_uses(url)]
    assert len(used) > len(VALUES) * 10
    assert {url: reason for url in used if (reason := exporter_refuses(url))} == {}


@pytest.mark.parametrize(
    "form",
    [
        "{plain}?max_connections=50&health_check_interval=30&socket_keepalive=true&retry_on_timeout=true",
        "{plain}?protocol=3&client_name=shop&socket_timeout=10",
        "{plain}?max_connections=",
        "{plain}?no_value",
        "{plain}?db=0&db=zero",
        "{plain}\n",
        "{plain}#cache",
        "{host}",
        "{host}/cache",
        "redis://127.0.0.1?port={port}",
        "redis://?host=127.0.0.1&port={port}",
        "redis://:{port}/0",
        "redis://localhost:/0?port={port}",
        "unix://?path={socket}",
        "{host}/0/",
        "{tls}?ssl_cert_reqs=none&ssl_check_hostname=F&max_connections=50",
        "{unix}?socket_keepalive=&max_connections=50&db=1",
    ],
)
def test_urls_as_applications_write_them(form: str, served: Served) -> None:
    """Blank values, repeated options, a line end from a file: as redis-py reads them."""
    host = served.plain.removesuffix("/0")
    url = form.format(
        plain=served.plain,
        host=host,
        tls=served.tls,
        unix=served.unix,
        port=served.server.port,
        socket=served.unix.removeprefix("unix://"),
    )
    assert application_uses(url)
    assert exporter_refuses(url) == ""


@pytest.mark.parametrize("query", ["max_connections=50&socket_keepalive=yes", "protocol=3&client_name=shop"])
def test_options_of_a_sentinel_url(query: str, served: Served) -> None:
    """They are those of Redis, and they count or are ignored in the same way."""
    assert exporter_refuses(f"redis+sentinel://127.0.0.1:{served.sentinel.port}/fleet/0?{query}") == ""


def test_urls_of_valkey_py(served: Served) -> None:
    """``valkey://`` is ``redis://``, and ``valkeys://`` is ``rediss://``."""
    plain = served.plain.replace("redis:", "valkey:")
    tls = f"{served.tls.replace('rediss:', 'valkeys:')}?ssl_ca_certs={served.certificate}"
    for url in (plain, tls, plain.replace("valkey", "VALKEY")):
        with valkey.Valkey.from_url(url) as client:
            assert client.ping()
        assert exporter_refuses(url) == ""


def test_a_short_timeout_suits_requests_but_no_read(served: Served) -> None:
    """Redis may need longer for the read of a whole fleet than for the requests of an application."""
    link = endpoint_of(redis_url(f"{served.plain}?socket_timeout=0.05")).connect()
    link.send_command("BLPOP", "none", "0.2")  # type: ignore[no-untyped-call]
    assert link.read_response() is None  # type: ignore[no-untyped-call]
    link.disconnect()  # type: ignore[no-untyped-call]


def test_the_database_is_that_of_the_application(served: Served) -> None:
    """Also where redis-py's reading surprises: a path of several numbers, and the option before the path."""
    for tail in ("/1", "/1/", "/0/1", "/one", "?db=2", "/1?db=2", ""):
        url = served.plain.removesuffix("/0") + tail
        with redis.Redis.from_url(url) as client:
            database = client.client_info()["db"]
        assert endpoint_of(redis_url(url)).label.endswith(f"db {database})"), url


def test_a_name_that_redis_refuses_costs_nothing(served: Served) -> None:
    """The documented user of the exporter may not name its connection; it connects without a name."""
    with served.server.client() as client:
        user = allow(client, *RIGHTS)
        for part, name, expected in (("", "default", "shop"), (user, "exporter", "")):
            url = f"redis://{part}127.0.0.1:{served.server.port}/0?client_name=shop"
            link = endpoint_of(redis_url(url)).connect()
            names = {one["name"] for one in client.client_list() if one["user"] == name}
            link.disconnect()  # type: ignore[no-untyped-call]
            assert expected in names
            assert name == "default" or names == {""}
