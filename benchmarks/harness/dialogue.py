"""A program that answers each line of input with one line of JSON."""

from __future__ import annotations

import json
import os
import subprocess
from collections.abc import Mapping, Sequence

from harness.bench import Bench

Answer = dict[str, float]


class Dialogue:
    """The program prints ``{}`` when it is ready, and runs until it is stopped."""

    def __init__(self, bench: Bench, command: Sequence[str], env: Mapping[str, str] | None = None) -> None:
        self._process = subprocess.Popen(
            command, env={**os.environ, **(env or {})}, text=True, cwd=bench.folder,
            stdin=subprocess.PIPE, stdout=subprocess.PIPE,
        )  # fmt: skip
        self._answer()

    def ask(self, *words: object) -> Answer:
        """The answer to one line; RuntimeError if the program has ended."""
        print(*words, file=self._process.stdin, flush=True)
        return self._answer()

    def stop(self) -> None:
        self._process.kill()
        self._process.communicate()

    def _answer(self) -> Answer:
        line = self._process.stdout.readline() if self._process.stdout else ""
        if not line:
            raise RuntimeError(f"{self._process.args!r} ended")
        found: Answer = json.loads(line)
        return found
