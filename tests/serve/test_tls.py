"""TLS, client certificates and basic authentication over real sockets, changed while it runs."""

from __future__ import annotations

import http.client
import ssl
from pathlib import Path

import bcrypt
import pytest

from support.exporter import Exporter
from support.polling import wait_until
from support.programs import Certificate, self_signed
from support.redis_server import RedisServer

from .conftest import Start

PAGES = ("/metrics", "/", "/api/v1/status", "/-/healthy", "/-/ready")
LOGIN = "prometheus:secret"


def hashed(password: str) -> str:
    """As ``htpasswd -nB`` prints it."""
    return bcrypt.hashpw(password.encode(), bcrypt.gensalt(4)).decode().replace("$2b$", "$2y$")


def made(folder: Path, name: str) -> Certificate:
    """A certificate in a folder of its own."""
    (folder / name).mkdir()
    return self_signed(folder / name)


def trusting(server: Certificate, client: Certificate | None = None) -> ssl.SSLContext:
    """A client that trusts this server and shows this certificate."""
    context = ssl.create_default_context(cafile=server.certificate)
    if client:
        context.load_cert_chain(client.certificate, client.key)
    return context


def tls_config(server: Certificate, extra: str = "") -> str:
    """The part of a web configuration."""
    return f"tls_server_config: {{cert_file: {server.certificate}, key_file: {server.key}{extra}}}\n"


def refuses(exporter: Exporter, context: ssl.SSLContext | None) -> bool:
    """Whether no answer is to be had in this way."""
    try:
        exporter.get("/-/healthy", tls=context)
    except (OSError, http.client.HTTPException):
        return True
    return False


@pytest.fixture
def web(tmp_path: Path) -> Path:
    """The configuration file, written by the test."""
    return tmp_path / "web.yml"


def test_https_alone(web: Path, tmp_path: Path, redis_server: RedisServer, start: Start) -> None:
    """With the certificate that is configured, and not by plain HTTP."""
    server, other = made(tmp_path, "server"), made(tmp_path, "other")
    web.write_text(tls_config(server))
    exporter = start("--redis.url", redis_server.url, "--web.config.file", str(web))
    assert exporter.scheme == "https"
    assert exporter.get("/metrics", tls=trusting(server)).status == 200
    assert refuses(exporter, None)
    assert refuses(exporter, trusting(other))
    old = trusting(server)
    old.minimum_version = old.maximum_version = ssl.TLSVersion.TLSv1_2
    assert not refuses(exporter, old)


def test_the_lowest_version(web: Path, tmp_path: Path, redis_server: RedisServer, start: Start) -> None:
    """min_version: TLS13 refuses TLS 1.2."""
    server = made(tmp_path, "server")
    web.write_text(tls_config(server, ", min_version: TLS13"))
    exporter = start("--redis.url", redis_server.url, "--web.config.file", str(web))
    old = trusting(server)
    old.maximum_version = ssl.TLSVersion.TLSv1_2
    assert refuses(exporter, old)
    assert not refuses(exporter, trusting(server))


def test_client_certificates(web: Path, tmp_path: Path, redis_server: RedisServer, start: Start) -> None:
    """Required: the right one alone passes. If given: a wrong one does not pass, none does."""
    server, client, other = (made(tmp_path, name) for name in ("server", "client", "other"))
    kinds = ("RequireAndVerifyClientCert", "VerifyClientCertIfGiven")
    for kind, without_refused in zip(kinds, (True, False), strict=True):
        web.write_text(
            tls_config(server, f", client_ca_file: {client.certificate}, client_auth_type: {kind}")
        )
        exporter = start("--redis.url", redis_server.url, "--web.config.file", str(web))
        assert not refuses(exporter, trusting(server, client))
        assert refuses(exporter, trusting(server, other))
        assert refuses(exporter, trusting(server)) is without_refused


def test_every_page_needs_the_password(web: Path, redis_server: RedisServer, start: Start) -> None:
    """401 with a challenge that browsers understand; the pages behind it are the same as ever."""
    web.write_text(f"basic_auth_users: {{prometheus: '{hashed('secret')}'}}\n")
    exporter = start("--redis.url", redis_server.url, "--web.config.file", str(web))
    wait_until(lambda: exporter.get("/-/ready", login=LOGIN).status == 200)
    for path in (*PAGES, "/unknown"):
        for login in ("", "prometheus:wrong", "nobody:secret"):
            answer = exporter.get(path, login=login)
            assert (answer.status, answer.body) == (401, b"Unauthorized\n")
            assert answer.headers["WWW-Authenticate"].startswith("Basic ")
    assert [exporter.get(path, login=LOGIN).status for path in PAGES] == [200] * len(PAGES)
    assert exporter.get("/unknown", login=LOGIN).status == 404


def test_users_change_while_it_runs(web: Path, redis_server: RedisServer, start: Start) -> None:
    """A password that was remembered is worth nothing once its user is gone."""
    web.write_text(f"basic_auth_users: {{prometheus: '{hashed('secret')}'}}\n")
    exporter = start("--redis.url", redis_server.url, "--web.config.file", str(web))
    assert exporter.get("/-/healthy", login=LOGIN).status == 200
    web.write_text(f"basic_auth_users: {{other: '{hashed('new')}'}}\n")
    wait_until(lambda: exporter.get("/-/healthy", login="other:new").status == 200)
    assert exporter.get("/-/healthy", login=LOGIN).status == 401
    web.write_text("")
    wait_until(lambda: exporter.get("/-/healthy").status == 200)


def test_a_certificate_is_renewed_while_it_runs(
    web: Path, tmp_path: Path, redis_server: RedisServer, start: Start
) -> None:
    """In place, as certificate managers do it, and a client in between never finds the door closed."""
    server, renewed = made(tmp_path, "server"), made(tmp_path, "renewed")
    web.write_text(tls_config(server))
    exporter = start("--redis.url", redis_server.url, "--web.config.file", str(web))
    before = trusting(server)
    server.certificate.write_bytes(renewed.certificate.read_bytes())
    wait_until(
        lambda: "web_config_rejected" in exporter.program.output(), what="the half-written pair to be noticed"
    )
    assert not refuses(exporter, before), "the pair before stays in force"
    server.key.write_bytes(renewed.key.read_bytes())
    wait_until(lambda: not refuses(exporter, trusting(renewed)), what="the new certificate")
    assert refuses(exporter, before)


def test_a_broken_change_leaves_the_one_before_in_force(
    web: Path, tmp_path: Path, redis_server: RedisServer, start: Start
) -> None:
    """Said once, and over as soon as the file is good again, also when it then names other files."""
    server = made(tmp_path, "server")
    web.write_text(f"basic_auth_users: {{prometheus: '{hashed('secret')}'}}\n")
    exporter = start("--redis.url", redis_server.url, "--web.config.file", str(web))
    later = Certificate(tmp_path / "later.pem", tmp_path / "later.key")
    web.write_text(tls_config(later))
    wait_until(lambda: "web_config_rejected" in exporter.program.output())
    assert exporter.get("/-/healthy").status == 401
    assert exporter.get("/-/healthy", login=LOGIN).status == 200
    later.key.write_bytes(server.key.read_bytes())
    later.certificate.write_bytes(server.certificate.read_bytes())
    wait_until(lambda: not refuses(exporter, trusting(server)), what="TLS")
    assert "later.pem" in exporter.program.output()
    assert "Traceback" not in exporter.program.output()
