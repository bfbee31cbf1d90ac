"""A certificate for 127.0.0.1 that signs itself."""

from __future__ import annotations

import subprocess
from dataclasses import dataclass
from pathlib import Path

from support.programs import require


@dataclass(frozen=True)
class Certificate:
    """Its two files; the certificate is its own authority."""

    certificate: Path
    key: Path


def self_signed(folder: Path) -> Certificate:
    """Made by openssl, valid for a day."""
    made = Certificate(folder / "certificate.pem", folder / "key.pem")
    command = [require("openssl"), "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", "1"]
    command += ["-subj", "/CN=localhost", "-addext", "subjectAltName=DNS:localhost,IP:127.0.0.1"]
    command += ["-keyout", str(made.key), "-out", str(made.certificate)]
    subprocess.run(command, check=True, capture_output=True)
    return made
