"""Where the Grafana is, and with which token: parsed once, checked once."""

from __future__ import annotations

import ssl
from dataclasses import dataclass, field
from pathlib import Path
from urllib.parse import SplitResult, urlsplit

from bioagents_cli.parsing import UsageError

EXPECTED = "expected http(s)://host[:port][/path] of a Grafana"


@dataclass(frozen=True, slots=True)
class Connection:
    """An address and a token; the token is in no text of this value."""

    scheme: str
    host: str
    port: int | None
    path: str  # "" or one that ends with a slash
    token: str = field(repr=False)
    ca_file: Path | None = None  # authorities for the certificate; None: those of this machine

    @property
    def url(self) -> str:
        """The address as a person would write it, without a slash at the end."""
        port = "" if self.port is None else f":{self.port}"
        return f"{self.scheme}://{self.host}{port}/{self.path}".rstrip("/")


def connection(url: str, token: str, ca_file: Path | None = None) -> Connection:
    """UsageError if the address is not valid or contains credentials, and if the token is not valid."""
    parts, port = _split(url)
    if parts.scheme not in {"http", "https"} or not parts.hostname:
        raise UsageError(f"--grafana.url is {_safe(parts)!r}: {EXPECTED}")
    if parts.query or parts.fragment:
        raise UsageError(f"--grafana.url has something after its path {_safe(parts)!r}: {EXPECTED}")
    if parts.username is not None or parts.password is not None:
        raise UsageError(
            "--grafana.url contains a user name or password: expected a token in $GRAFANA_TOKEN or "
            "--grafana.token-file"
        )
    if not token:
        raise UsageError(
            "no token: expected a service account token in $GRAFANA_TOKEN or --grafana.token-file"
        )
    if not (token.isascii() and token.isprintable() and " " not in token):
        raise UsageError("the token has spaces or other characters that a token cannot contain")
    if ca_file:
        _require_certificates(ca_file)
    path = parts.path.strip("/")
    host = f"[{parts.hostname}]" if ":" in parts.hostname else parts.hostname
    return Connection(parts.scheme, host, port, f"{path}/" if path else "", token, ca_file)


def read_token(path: Path) -> str:
    """The token in a file, without the white space around it; UsageError where it cannot be read."""
    try:
        return path.read_text(encoding="ascii").strip()
    except OSError as error:
        raise UsageError(f"--grafana.token-file {str(path)!r}: {error.strerror}") from error
    except UnicodeDecodeError as error:
        raise UsageError(
            f"--grafana.token-file {str(path)!r} is not a valid text file with a token"
        ) from error


def _require_certificates(path: Path) -> None:
    try:
        ssl.create_default_context(cafile=path)
    except (OSError, ValueError) as error:  # an SSLError is an OSError
        reason = "no certificate in it" if isinstance(error, ssl.SSLError) else str(error)
        if isinstance(error, FileNotFoundError | PermissionError | IsADirectoryError):
            reason = str(error.strerror)
        raise UsageError(
            f"--grafana.ca-file {str(path)!r}: {reason}; expected a file with certificates (PEM)"
        ) from error


def _split(url: str) -> tuple[SplitResult, int | None]:
    try:
        parts = urlsplit(url)
        port = parts.port
        (parts.hostname or "").encode("idna")  # as the client will, and with no better error
    except ValueError as error:
        raise UsageError(f"--grafana.url is not a valid address: {EXPECTED}") from error
    return parts, port


def _safe(parts: SplitResult) -> str:
    return parts._replace(netloc=parts.netloc.rpartition("@")[2], query="", fragment="").geturl()
