"""A real redis-server in a temporary folder, on a free port of 127.0.0.1."""

from __future__ import annotations

import signal
from pathlib import Path

import redis

from support.polling import free_port, wait_until
from support.programs import Program, require


class RedisServer:
    """Starts at once; ``options`` are redis.conf directives, e.g. ``appendonly="yes"``."""

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
        """SIGTERM: Redis saves what it is told to save."""
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
