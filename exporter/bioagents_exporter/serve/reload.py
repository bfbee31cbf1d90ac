"""The web configuration in force, read again when one of its files changes."""

from __future__ import annotations

import logging
import ssl
from pathlib import Path

from bioagents_exporter.serve import web_config
from bioagents_exporter.serve.auth import Guard
from bioagents_exporter.settings import SettingsError

log = logging.getLogger(__name__)

_Stamp = tuple[int, int, int] | None


class LiveConfig:
    """SettingsError where the first file cannot be used; later the last good one stays in force."""

    def __init__(self, path: Path | None) -> None:
        self.tls: ssl.SSLContext | None = None
        self.guard = Guard({})
        self._path, self._refused = path, ""
        self._files: tuple[Path, ...] = ()
        self._stamps: tuple[_Stamp, ...] = ()
        if path is not None:
            self._load(path)

    def refresh(self) -> bool:
        """Read the files again if they changed; whether something new is in force. Blocking."""
        if self._path is None or (_stamps(self._files) == self._stamps and not self._refused):
            return False
        try:
            self._load(self._path)
        except SettingsError as error:
            if str(error) != self._refused:
                log.warning("web_config_refused reason=%r in_force=%r", str(error), "the one before")
            self._refused = str(error)
            return False
        log.info("web_config_read file=%s", self._path)
        return True

    def _load(self, path: Path) -> None:
        # Before reading: a change in between is then seen at the next look.
        stamps = {file: _stamp(file) for file in (path, *self._files)}
        config = web_config.read(path)
        tls = web_config.context(config.tls) if config.tls else None
        before, self.guard = self.guard, Guard(config.users)
        before.close()
        self.tls, self._files, self._refused = tls, config.files, ""
        self._stamps = tuple(stamps[file] if file in stamps else _stamp(file) for file in config.files)


def _stamps(files: tuple[Path, ...]) -> tuple[_Stamp, ...]:
    return tuple(_stamp(file) for file in files)


def _stamp(file: Path) -> _Stamp:
    try:
        stat = file.stat()
    except OSError:
        return None
    return stat.st_mtime_ns, stat.st_size, stat.st_ino
