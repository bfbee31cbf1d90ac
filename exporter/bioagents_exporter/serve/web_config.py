"""``--web.config.file``: TLS and basic authentication, in the format of Prometheus' exporter-toolkit.

The files are read again when one of them changes.
"""

from __future__ import annotations

import logging
import re
import ssl
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from types import MappingProxyType
from typing import Final, TypeVar

from bioagents_exporter.serve.auth import Guard
from bioagents_exporter.settings import SettingsError, yaml_file
from bioagents_exporter.settings.yaml_file import Item

log = logging.getLogger(__name__)

T = TypeVar("T")

_TLS_KEYS: Final = ("cert_file", "key_file", "client_auth_type", "client_ca_file", "min_version")
_CLIENT_AUTH: Final = MappingProxyType(
    {
        "NoClientCert": ssl.CERT_NONE,
        "VerifyClientCertIfGiven": ssl.CERT_OPTIONAL,
        "RequireAndVerifyClientCert": ssl.CERT_REQUIRED,
    }
)
_VERSIONS: Final = MappingProxyType({"TLS12": ssl.TLSVersion.TLSv1_2, "TLS13": ssl.TLSVersion.TLSv1_3})
#: Modification time, size and inode; None: no such file.
_Stamp = tuple[int, int, int] | None
_BCRYPT: Final = re.compile(r"\$2[abxy]\$(0[4-9]|[12][0-9]|3[01])\$[./A-Za-z0-9]{53}")


@dataclass(frozen=True, slots=True)
class Tls:
    """What a TLS listener needs."""

    cert_file: Path
    key_file: Path
    client_auth: ssl.VerifyMode
    client_ca_file: Path | None
    min_version: ssl.TLSVersion


@dataclass(frozen=True, slots=True)
class WebConfig:
    """A checked web configuration; the default is plain HTTP for everyone."""

    tls: Tls | None = None
    users: Mapping[str, bytes] = field(default_factory=dict)  # name → bcrypt hash
    files: tuple[Path, ...] = ()  # a change in one of them is a change of the configuration


def read(path: Path) -> WebConfig:
    """The configuration in a file; SettingsError names file, key and what was expected."""
    top = yaml_file.read(path).mapping(("tls_server_config", "basic_auth_users"))
    tls = _tls(top["tls_server_config"]) if "tls_server_config" in top else None
    users = top["basic_auth_users"].mapping() if "basic_auth_users" in top else {}
    named = (tls.cert_file, tls.key_file, tls.client_ca_file) if tls else ()
    files = (path, *(file for file in named if file is not None))
    return WebConfig(tls, MappingProxyType({name: _hash(item) for name, item in users.items()}), files)


def context(tls: Tls) -> ssl.SSLContext:
    """A server's TLS context; SettingsError where certificate, key or CA cannot be used."""
    result = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    result.minimum_version = tls.min_version
    result.verify_mode = tls.client_auth
    try:
        # A key with a passphrase would ask for it on the terminal.
        result.load_cert_chain(tls.cert_file, tls.key_file, password=_no_passphrase)
    except (OSError, ValueError) as error:
        expected = "expected a certificate and its private key without a passphrase, in PEM"
        raise SettingsError(f"{tls.cert_file}, {tls.key_file}: {_reason(error)}: {expected}") from None
    if tls.client_ca_file:
        try:
            result.load_verify_locations(tls.client_ca_file)
        except OSError as error:
            raise SettingsError(
                f"{tls.client_ca_file}: {_reason(error)}: expected certificates in PEM"
            ) from None
    return result


def _tls(item: Item) -> Tls:
    keys = item.mapping(_TLS_KEYS)
    for key in ("cert_file", "key_file"):
        if key not in keys:
            raise SettingsError(
                f"{item.place} (line {item.line}): {key} is missing: expected cert_file and key_file"
            )
    client_auth = _word(keys.get("client_auth_type"), _CLIENT_AUTH, ssl.CERT_NONE)
    ca = keys.get("client_ca_file")
    if client_auth is not ssl.CERT_NONE and ca is None:
        raise keys["client_auth_type"].error(
            "expected client_ca_file too: whose client certificates to accept"
        )
    if client_auth is ssl.CERT_NONE and ca is not None:
        expected = "expected client_auth_type too, VerifyClientCertIfGiven or RequireAndVerifyClientCert"
        raise ca.error(expected)
    version = _word(keys.get("min_version"), _VERSIONS, ssl.TLSVersion.TLSv1_2)
    return Tls(
        _file(keys["cert_file"]), _file(keys["key_file"]), client_auth, _file(ca) if ca else None, version
    )


def _file(item: Item) -> Path:
    path = item.file.parent / item.text()  # as the toolkit has it: relative to the configuration file
    if not path.is_file():
        raise item.error("expected the path of a file that exists")
    return path


def _word(item: Item | None, known: Mapping[str, T], default: T) -> T:
    if item is None:
        return default
    if item.text() not in known:
        raise item.error(f"expected {' or '.join(known)}")
    return known[item.text()]


def _hash(item: Item) -> bytes:
    """The hash; not shown in the error, since it may be a password in plain text."""
    if not _BCRYPT.fullmatch(item.text()):
        expected = "expected the password's bcrypt hash, as `htpasswd -nB <user>` prints it"
        raise SettingsError(f"{item.place} (line {item.line}): {expected}")
    return item.text().encode()


def _no_passphrase() -> str:
    raise ValueError("the private key has a passphrase")


def _reason(error: Exception) -> str:
    return (error.strerror if isinstance(error, OSError) else None) or str(error)


class LiveConfig:
    """The configuration in force, reloaded when its files change.

    Raises SettingsError where the file cannot be used at first; later the last good one stays in force.
    """

    def __init__(self, path: Path | None) -> None:
        self.tls: ssl.SSLContext | None = None
        self.guard = Guard({})
        self._path, self._rejected = path, ""
        self._files: tuple[Path, ...] = ()
        self._stamps: tuple[_Stamp, ...] = ()
        if path is not None:
            self._load(path)

    def refresh(self) -> bool:
        """Read the files again if they changed; whether something new is in force. Blocking."""
        if self._path is None or (_stamps(self._files) == self._stamps and not self._rejected):
            return False
        try:
            self._load(self._path)
        except SettingsError as error:
            if str(error) != self._rejected:
                log.warning("web_config_rejected reason=%r using=previous", str(error))
            self._rejected = str(error)
            return False
        log.info("web_config_read file=%s", self._path)
        return True

    def _load(self, path: Path) -> None:
        # Before reading: a change in between is then noticed at the next check.
        stamps = {file: _stamp(file) for file in (path, *self._files)}
        config = read(path)
        tls = context(config.tls) if config.tls else None
        before, self.guard = self.guard, Guard(config.users)
        before.close()
        self.tls, self._files, self._rejected = tls, config.files, ""
        self._stamps = tuple(stamps[file] if file in stamps else _stamp(file) for file in config.files)


def _stamps(files: tuple[Path, ...]) -> tuple[_Stamp, ...]:
    return tuple(_stamp(file) for file in files)


def _stamp(file: Path) -> _Stamp:
    try:
        stat = file.stat()
    except OSError:
        return None
    return stat.st_mtime_ns, stat.st_size, stat.st_ino
