"""Real ``dramatiq`` worker processes."""

from __future__ import annotations

import os
import sys
from collections.abc import Mapping
from pathlib import Path

from support.programs import Program


def start_workers(
    module: str,
    *,
    cwd: Path,
    path: Path,
    processes: int = 1,
    threads: int = 4,
    env: Mapping[str, str] | None = None,
    args: tuple[str, ...] = (),
    name: str = "workers",
    program: tuple[str, ...] = ("-m", "dramatiq"),
    python: str = sys.executable,
) -> Program:
    """``dramatiq --processes P --threads T --path <path> <module> ...`` with this interpreter, or ``python``.

    ``env`` extends the environment; pass the Redis URL in it, as the test applications read ``REDIS_URL``.
    """
    command = [python, *program, "--processes", str(processes), "--threads", str(threads)]
    # "--path" and "--queues" take any number of values: the module comes first.
    command += [module, "--path", str(path), *args]
    python_path = os.pathsep.join(filter(None, [str(path), os.environ.get("PYTHONPATH", "")]))
    return Program(command, cwd=cwd, name=name, env={"PYTHONPATH": python_path, **(env or {})})
