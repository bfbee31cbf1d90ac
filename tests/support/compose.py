"""The real Docker Compose, which needs no engine to read a file."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from functools import cache
from pathlib import Path
from typing import Any, Final

from support.programs import require

ROOT: Final = Path(__file__).parents[2]
COMPOSE_FILE: Final = ROOT / "docker-compose.monitoring.yml"


def installed(program: str) -> str:
    """A program that a Python package ships: beside this interpreter, else from the PATH."""
    beside = Path(sys.executable).with_name(program)
    return str(beside) if beside.exists() else require(program)


def compose(*arguments: str) -> subprocess.CompletedProcess[str]:
    """``docker-compose -f <our file> config ...`` in an environment without variables of its own."""
    command = [installed("docker-compose"), "-f", str(COMPOSE_FILE), "config", *arguments]
    environment = {"PATH": os.environ["PATH"], "HOME": os.environ.get("HOME", "/")}
    return subprocess.run(command, env=environment, capture_output=True, text=True, check=False, timeout=60)


@cache
def resolved() -> dict[str, Any]:
    """The whole file as Compose understands it."""
    result = compose("--format", "json")
    assert result.returncode == 0, result.stderr
    found: dict[str, Any] = json.loads(result.stdout)
    return found
