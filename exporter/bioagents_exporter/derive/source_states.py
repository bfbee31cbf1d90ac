"""The state of each source of numbers (success, duration, age), and the errors of scrapes by cause."""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from typing import Final, TypeVar

from bioagents_exporter.read import errors as read

logger = logging.getLogger(__name__)

T = TypeVar("T")

#: The cause of ``exporter_scrape_errors_total`` that is a bug of the exporter.
DERIVE: Final = "derive"

#: Causes of ``exporter_scrape_errors_total`` that exist at 0 from the start.
CAUSES: Final = (DERIVE, *read.CAUSES)


@dataclass(slots=True)
class SourceState:
    """The state of one source of numbers."""

    success: bool = False
    duration: float | None = None  # seconds, of the last run
    fresh_at: float | None = None  # monotonic seconds of the instant that its numbers are of
    trouble: str | None = None  # as last logged; None: nothing logged yet


@dataclass
class SourceStates:
    """``clock`` measures durations, in seconds."""

    clock: Callable[[], float]
    sources: dict[str, SourceState] = field(default_factory=dict)
    errors: dict[str, int] = field(default_factory=lambda: dict.fromkeys(CAUSES, 0))
    scrape_duration: float | None = None  # seconds, of the last finished scrape

    def error(self, cause: str, n: int = 1) -> None:
        """Count what had to be left out."""
        self.errors[cause] = self.errors.get(cause, 0) + n

    def run(
        self,
        name: str,
        work: Callable[[], Iterable[T]],
        now: float,
        age: Callable[[], float | None] = lambda: 0.0,
    ) -> list[T]:
        """Run a source; an exception in it is recorded and does not hide the numbers of other sources.

        ``age`` gives the age of its numbers in seconds, None where it has none yet.
        """
        began = self.clock()
        try:
            found, age_now = list(work()), age()
        except Exception as error:  # noqa: BLE001 - a bug in one part must not hide the others' numbers
            self.error(DERIVE)
            self.failed(name, type(error).__name__, exc_info=True)
            found = []
        else:
            self.succeeded(name, None if age_now is None else now - age_now)
        self.sources[name].duration = self.clock() - began
        return found

    def succeeded(self, name: str, fresh_at: float | None) -> None:
        """A source gave its numbers, which are of the instant ``fresh_at``; None: it had nothing to read."""
        source = self._source(name)
        if source.trouble:
            logger.info("source_recovered source=%s", name)
        source.success, source.trouble = True, ""
        source.fresh_at = fresh_at

    def failed(self, name: str, trouble: str, *, exc_info: bool = False) -> None:
        """A source failed; logged once, until the reason changes."""
        source = self._source(name)
        if source.trouble != trouble:
            logger.error("source_failed source=%s trouble=%s", name, trouble, exc_info=exc_info)
        source.success, source.trouble = False, trouble

    def suspended(self, *names: str) -> None:
        """Sources cannot run, for a reason that another source reports."""
        for name in names:
            self._source(name).success = False

    def _source(self, name: str) -> SourceState:
        return self.sources.setdefault(name, SourceState())
