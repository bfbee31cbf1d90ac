"""All access to Redis: a snapshot for each scrape, an audit step in the background."""

from __future__ import annotations

import logging
import threading
from collections import Counter

from bioagents_exporter.read.audit.auditor import Auditor
from bioagents_exporter.read.connection import Connection
from bioagents_exporter.read.discovery import Discovery
from bioagents_exporter.read.endpoint import endpoint_of
from bioagents_exporter.read.errors import ReadError
from bioagents_exporter.read.info import Clock
from bioagents_exporter.read.rounds import ReadResult, RoundTrips
from bioagents_exporter.read.snapshot import Snapshot
from bioagents_exporter.read.unread import UnreadLog
from bioagents_exporter.settings import Settings

log = logging.getLogger(__name__)


class Reader:
    """Reads one fleet; thread-safe, blocking. Raises EndpointError for a URL that cannot be used."""

    def __init__(self, settings: Settings) -> None:
        self._connection = Connection(endpoint_of(settings.redis_url))
        self._clock = Clock()
        self._rounds = RoundTrips(self._connection, settings, self._clock)
        self._discovery = Discovery(settings.namespace)
        self._auditor = Auditor(settings.namespace, settings.heartbeat_timeout, self._connection, self._clock)
        self._unread = UnreadLog()
        self._audit_errors: Counter[str] = Counter()
        self._lock, self._audit_lock = threading.Lock(), threading.Lock()
        self._failures = 0
        self._latest = Snapshot(None, 0.0)

    def read(self) -> Snapshot:
        """Everything that one read finds, or the reason why Redis cannot be read."""
        failures = self._failures
        with self._lock:
            if self._failures != failures and self._latest.server is None:
                return self._latest  # it failed while this call waited: no second wait for the same timeout
            before, self._latest = self._latest, self._read()
            self._log_change(before, self._latest)
            return self._latest

    def audit(self) -> None:
        """One step of the background audit, at most 5,000 commands; none while Redis cannot be read.

        Its results, and its errors, are in the snapshots of later reads.
        """
        latest = self._latest
        if latest.server is None or not self._audit_lock.acquire(blocking=False):
            return
        errors: Counter[str] = Counter()
        try:
            with self._connection.lock:
                self._rounds.look_for_older()
            self._discovery.step(self._connection, errors)
            self._auditor.step(latest, errors)
        except ReadError as failure:
            log.debug("audit_failed reason=%s", failure.reason)  # the next read reports it
        finally:
            self._audit_errors += errors
            self._audit_lock.release()

    def close(self) -> None:
        """Close the connection; a later read would open it again."""
        self._connection.close()

    def _read(self) -> Snapshot:
        try:
            result = self._read_with_one_retry()
        except ReadError as failure:
            self._failures += 1
            reason = f"Redis {self._connection.endpoint.label}: {failure.reason}"
            return Snapshot(None, 0.0, errors={failure.cause: 1}, failure=reason)
        return self._snapshot(result)

    def _read_with_one_retry(self) -> ReadResult:
        """Read; if the connection broke since the last read, again with a new one."""
        try:
            return self._read_locked()
        except ReadError as failure:
            if not failure.stale:
                raise
        return self._read_locked()

    def _read_locked(self) -> ReadResult:
        with self._connection.lock:
            try:
                return self._rounds.read(tuple(self._discovery.found))
            except ReadError:
                self._connection.close()
                raise

    def _snapshot(self, result: ReadResult) -> Snapshot:
        audited, self._audit_errors = self._audit_errors, Counter()
        return Snapshot(
            result.server,
            result.round_trip,
            tuple(result.queues),
            tuple(result.workers),
            tuple(result.totals),
            tuple(result.stores),
            self._auditor.results,
            self._unread.add_up((self._rounds.unread, self._auditor.unread)),
            dict(result.errors + audited),
            used=result.used,
        )

    def _log_change(self, before: Snapshot, now: Snapshot) -> None:
        if now.failure and now.failure != before.failure:
            log.warning("redis_failed reason=%s", now.failure)
        elif before.failure and not now.failure:
            log.info("redis_answers server=%s", self._connection.endpoint.label)
