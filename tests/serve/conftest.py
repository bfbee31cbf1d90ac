"""Exporters that end with their test."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from support.exporter import Exporter

Start = Callable[..., Exporter]


@pytest.fixture
def start(tmp_path: Path) -> Iterator[Start]:
    """Start exporters with these arguments."""
    running: list[Exporter] = []

    def start_one(*args: str, env: dict[str, str] | None = None, listen: str = "127.0.0.1:0") -> Exporter:
        name = f"exporter-{len(running)}"
        running.append(Exporter(tmp_path, *args, env=env, listen=listen, name=name))
        return running[-1]

    yield start_one
    for exporter in running:
        exporter.kill()
