"""The web configuration: what it may contain, and one line for what is wrong with it."""

from __future__ import annotations

import ssl
import subprocess
from pathlib import Path

import bcrypt
import pytest

from bioagents_exporter.serve import web_config
from bioagents_exporter.serve.web_config import Tls, WebConfig
from bioagents_exporter.settings import SettingsError
from support.programs import require, self_signed

HASH = bcrypt.hashpw(b"x", bcrypt.gensalt(4)).decode()


def written(folder: Path, text: str) -> Path:
    """A configuration next to files called cert.pem and key.pem."""
    for name in ("cert.pem", "key.pem", "ca.pem"):
        (folder / name).touch()
    path = folder / "web.yml"
    path.write_text(text)
    return path


def test_all_of_it(tmp_path: Path) -> None:
    """Paths are those next to the file; a change of any of them is noticed."""
    text = f"""
tls_server_config:
  cert_file: cert.pem
  key_file: {tmp_path}/key.pem
  client_auth_type: RequireAndVerifyClientCert
  client_ca_file: ca.pem
  min_version: TLS13
basic_auth_users:
  prometheus: {HASH}
"""
    path = written(tmp_path, text)
    cert, key, ca = (tmp_path / name for name in ("cert.pem", "key.pem", "ca.pem"))
    tls = Tls(cert, key, ssl.CERT_REQUIRED, ca, ssl.TLSVersion.TLSv1_3)
    assert web_config.read(path) == WebConfig(tls, {"prometheus": HASH.encode()}, (path, cert, key, ca))


def test_nothing_of_it(tmp_path: Path) -> None:
    """Plain HTTP for everyone."""
    path = written(tmp_path, "")
    assert web_config.read(path) == WebConfig(files=(path,))


FILES = "cert_file: cert.pem, key_file: key.pem"


BAD = {
    "tls_server_conf: {}": ":tls_server_conf (line 1): unknown key (did you mean tls_server_config?)",
    "http_server_config: {http2: true}": "unknown key",
    "tls_server_config: {cert_file: cert.pem}": "key_file is missing: expected cert_file and key_file",
    "tls_server_config: {}": "cert_file is missing",
    "tls_server_config: {cert_file: no.pem, key_file: key.pem}": "'no.pem': expected the path of a file",
    f"tls_server_config: {{{FILES}, min_version: TLS10}}": "'TLS10': expected TLS12 or TLS13",
    f"tls_server_config: {{{FILES}, cipher_suites: [x]}}": ".cipher_suites (line 1): unknown key",
    f"tls_server_config: {{{FILES}, client_auth_type: RequireAnyClientCert}}": (
        "'RequireAnyClientCert': expected NoClientCert or VerifyClientCertIfGiven or Require"
    ),
    f"tls_server_config: {{{FILES}, client_auth_type: RequireAndVerifyClientCert}}": (
        "expected client_ca_file too"
    ),
    f"tls_server_config: {{{FILES}, client_ca_file: ca.pem}}": "expected client_auth_type too",
    "basic_auth_users: {a: hunter2}": ":basic_auth_users.a (line 1): expected the password's bcrypt hash",
    f"basic_auth_users:\n  a: {HASH}\n  a: {HASH}": ":basic_auth_users.a (line 3): given twice",
    "basic_auth_users: [a]": "a list: expected a mapping",
}


def test_what_is_wrong_is_named(tmp_path: Path) -> None:
    """File, key, line and what was expected; never what may be a password."""
    wrong = {}
    for text, expected in BAD.items():
        path = written(tmp_path, text)
        with pytest.raises(SettingsError) as caught:
            web_config.read(path)
        message = str(caught.value)
        if expected not in message or not message.startswith(str(path)) or "hunter2" in message:
            wrong[text] = message
    assert wrong == {}


def test_files_that_are_no_certificates(tmp_path: Path) -> None:
    """Found before anything is served."""
    made = self_signed(tmp_path)
    for tls in (
        Tls(made.key, made.key, ssl.CERT_NONE, None, ssl.TLSVersion.TLSv1_2),
        Tls(made.certificate, made.certificate, ssl.CERT_NONE, None, ssl.TLSVersion.TLSv1_2),
        Tls(made.certificate, tmp_path / "gone", ssl.CERT_NONE, None, ssl.TLSVersion.TLSv1_2),
    ):
        with pytest.raises(SettingsError, match="expected a certificate and its private key") as caught:
            web_config.context(tls)
        assert str(tls.cert_file) in str(caught.value)
    with pytest.raises(SettingsError, match="expected certificates in PEM"):
        web_config.context(
            Tls(made.certificate, made.key, ssl.CERT_REQUIRED, made.key, ssl.TLSVersion.TLSv1_2)
        )


def test_a_key_with_a_passphrase_is_refused(tmp_path: Path) -> None:
    """OpenSSL would ask for it on the terminal and wait."""
    made = self_signed(tmp_path)
    locked = tmp_path / "locked.pem"
    command = [
        require("openssl"),
        "rsa",
        "-aes256",
        "-passout",
        "pass:x",
        "-in",
        str(made.key),
        "-out",
        str(locked),
    ]
    subprocess.run(command, check=True, capture_output=True)
    with pytest.raises(SettingsError, match="without a passphrase"):
        web_config.context(Tls(made.certificate, locked, ssl.CERT_NONE, None, ssl.TLSVersion.TLSv1_2))
