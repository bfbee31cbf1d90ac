"""The checkout under test, and commands that are run to their end."""

from __future__ import annotations

import subprocess
from pathlib import Path
from typing import Final

ROOT: Final = Path(__file__).resolve().parents[2]

#: The folders with one import package each.
PARTS: Final = ("alerts", "cli", "dashboards", "demo", "exporter", "worker")


def run(*args: str, cwd: Path) -> str:
    """The output of a command; a failure shows what it wrote."""
    done = outcome(*args, cwd=cwd)
    assert done.returncode == 0, f"{args} ended with {done.returncode}:\n{done.stdout}\n{done.stderr}"
    return done.stdout


def outcome(*args: str, cwd: Path) -> subprocess.CompletedProcess[str]:
    """What became of a command, whatever its status."""
    return subprocess.run(args, cwd=cwd, capture_output=True, text=True, timeout=300, check=False)
