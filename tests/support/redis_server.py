"""A real redis-server and a real redis-sentinel, in temporary folders and on free ports."""

from __future__ import annotations

import signal
from pathlib import Path
from typing import Any

import redis

from support.polling import free_port, wait_until
from support.programs import Program, require


class RedisServer:
    """Started by the constructor; ``options`` are redis.conf directives, e.g. ``appendonly="yes"``."""

    def __init__(
        self, folder: Path, *, port: int | None = None, program: str = "redis-server", **options: str
    ) -> None:
        self.folder, self.port = folder, port or free_port()
        self.program_name, self.options = program, options
        folder.mkdir(parents=True, exist_ok=True)
        self.start()

    @property
    def url(self) -> str:
        return f"redis://127.0.0.1:{self.port}/0"

    def client(self, **kwargs: object) -> redis.Redis:
        return redis.Redis(host="127.0.0.1", port=self.port, **kwargs)  # type: ignore[arg-type]

    def start(self) -> None:
        options = {"save": "", "appendonly": "no", "bind": "127.0.0.1", "dir": str(self.folder)}
        options |= {name.replace("_", "-"): value for name, value in self.options.items()}
        args = [require(self.program_name), "--port", str(self.port)]
        for name, value in options.items():
            args += [f"--{name}", *(value.split() or [""])]
        self.program = Program(args, cwd=self.folder, name=f"redis-{self.port}")
        try:
            wait_until(self._answers)
        except AssertionError as error:
            self.kill()
            raise AssertionError(f"redis-server on {self.port}: {self.program.output()}") from error

    def _answers(self) -> bool:
        try:
            with self.client(socket_connect_timeout=1, password=self.options.get("requirepass")) as client:
                return bool(client.ping())
        except redis.RedisError:
            return False

    def stop(self) -> None:
        """SIGTERM: Redis saves its data if it is configured to."""
        self.program.stop()

    def kill(self) -> None:
        self.program.kill()

    def pause(self) -> None:
        self.program.signal(signal.SIGSTOP)

    def resume(self) -> None:
        self.program.signal(signal.SIGCONT)

    def restart(self) -> None:
        self.stop()
        self.start()


class Sentinel:
    """One Sentinel with a quorum of one; ``primary`` is the name of the primary that it watches."""

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
        """The port of the current primary."""
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
