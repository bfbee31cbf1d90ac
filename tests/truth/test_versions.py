"""The counts are exact with the lowest supported Dramatiq too; all other tests use the newest one.

Its virtual environment is made from PyPI in a temporary folder.
"""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest
from recorded_fleet import recorded_fleet

from support.redis_server import RedisServer

ROOT = Path(__file__).parents[2]


@pytest.fixture(scope="module")
def lowest(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The Python of an environment with dramatiq 1.17 and the redis-py that it allows."""
    folder = tmp_path_factory.mktemp("lowest")
    subprocess.run([sys.executable, "-m", "venv", folder], check=True)
    python = folder / "bin" / "python"
    packages = ["dramatiq==1.17.0", "redis<6", "psutil", "prometheus-client"]
    subprocess.run(
        [python, "-m", "pip", "install", "-q", "--disable-pip-version-check", *packages], check=True
    )
    return python


def test_lowest_dramatiq(tmp_path: Path, redis_server: RedisServer, lowest: Path) -> None:
    """With all kinds of outcomes except asyncio actors, which it does not have."""
    path = f"{ROOT / 'worker'}:{Path(__file__).parent}"
    with recorded_fleet(tmp_path, redis_server.url, GREEN="1", PYTHONPATH=path) as fleet:
        fleet.workers(python=str(lowest))
        fleet.exporter()
        fleet.produce(30, python=str(lowest))
        fleet.settle()
        fleet.assert_exact()
        fleet.assert_times()
        assert b'"dramatiq":"1.17.0"' in b"".join(
            redis_server.client().hvals("bioagents:{dramatiq}:v1:beats")
        )
