"""A real redis-sentinel that watches real servers."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import redis

from support.polling import free_port, wait_until
from support.programs import Program, require


class Sentinel:
    """One Sentinel, which alone is the majority; ``primary`` is its name for the watched primary."""

    def __init__(self, folder: Path, primary_port: int, *, primary: str = "fleet") -> None:
        self.port, self.primary = free_port(), primary
        folder.mkdir(parents=True, exist_ok=True)
        config = folder / "sentinel.conf"
        config.write_text(
            f"port {self.port}\nbind 127.0.0.1\ndir {folder}\n"
            f"sentinel monitor {primary} 127.0.0.1 {primary_port} 1\n"
            f"sentinel down-after-milliseconds {primary} 500\n"
            f"sentinel failover-timeout {primary} 3000\n"
        )
        self.program = Program([require("redis-sentinel"), str(config)], cwd=folder, name="sentinel")
        wait_until(self._ready, what="redis-sentinel")

    def primary_port(self) -> int:
        """The port of the present primary."""
        return int(self._state()["port"])

    def knows_replica(self) -> bool:
        """Whether a failover is possible."""
        return int(self._state()["num-slaves"]) > 0

    def kill(self) -> None:
        """SIGKILL."""
        self.program.kill()

    def _ready(self) -> bool:
        try:
            return bool(self._state())
        except redis.RedisError:
            return False

    def _state(self) -> dict[str, Any]:
        with redis.Redis(port=self.port, socket_timeout=2) as client:
            return dict(client.sentinel_master(self.primary))
