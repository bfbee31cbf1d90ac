"""Environments for the tools that we measure against, each with what it requires.

They cannot share ours: rq-exporter and celery-exporter both require an older redis-py.
"""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

HERE = Path(__file__).resolve().parent.parent
ENVIRONMENTS = HERE / ".venv"


def python_of(peer: str) -> Path:
    """The interpreter of the environment of ``peers/<peer>.txt``, which is made at the first request.

    Raises:
        RuntimeError: With pip's last lines, where its packages cannot be had.
    """
    requirements = HERE / "peers" / f"{peer}.txt"
    environment = ENVIRONMENTS / peer
    python = environment / "bin" / "python"
    stamp = environment / "requirements.txt"
    if stamp.is_file() and stamp.read_text() == requirements.read_text():
        return python
    _run([sys.executable, "-m", "venv", "--clear", str(environment)])
    _run([str(python), "-m", "pip", "install", "--quiet", "--requirement", str(requirements)])
    stamp.write_text(requirements.read_text())
    return python


def _run(command: list[str]) -> None:
    environ = {**os.environ, "PIP_DISABLE_PIP_VERSION_CHECK": "1"}
    done = subprocess.run(command, check=False, capture_output=True, text=True, env=environ)
    if done.returncode:
        raise RuntimeError(f"{' '.join(command)}: {done.stderr[-2000:]}")
