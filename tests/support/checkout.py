"""The checkout under test, commands, and the Compose file as Docker Compose reads it."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from functools import cache
from pathlib import Path
from typing import Any, Final

from support.programs import require

ROOT: Final = Path(__file__).resolve().parents[2]

#: The folders with one import package each.
PARTS: Final = ("alerts", "cli", "dashboards", "demo", "exporter", "worker")

COMPOSE_FILE: Final = ROOT / "docker-compose.monitoring.yml"


def run(*args: str, cwd: Path) -> str:
    """The output of a command; a failure shows what it wrote."""
    done = outcome(*args, cwd=cwd)
    assert done.returncode == 0, f"{args} ended with {done.returncode}:\n{done.stdout}\n{done.stderr}"
    return done.stdout


def outcome(*args: str, cwd: Path) -> subprocess.CompletedProcess[str]:
    """The finished process of a command, whatever its status."""
    return subprocess.run(args, cwd=cwd, capture_output=True, text=True, timeout=300, check=False)


def installed(program: str) -> str:
    """A program of a Python package: in the folder of this interpreter, else from the PATH."""
    beside = Path(sys.executable).with_name(program)
    return str(beside) if beside.exists() else require(program)


def compose(*arguments: str) -> subprocess.CompletedProcess[str]:
    """``docker-compose -f <our file> config ...``, with PATH and HOME as the only variables."""
    command = [installed("docker-compose"), "-f", str(COMPOSE_FILE), "config", *arguments]
    environment = {"PATH": os.environ["PATH"], "HOME": os.environ.get("HOME", "/")}
    return subprocess.run(command, env=environment, capture_output=True, text=True, check=False, timeout=60)


@cache
def resolved() -> dict[str, Any]:
    """The file as Compose resolves it."""
    result = compose("--format", "json")
    assert result.returncode == 0, result.stderr
    found: dict[str, Any] = json.loads(result.stdout)
    return found
