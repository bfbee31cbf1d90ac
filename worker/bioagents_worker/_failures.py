"""The errors inside JobMetrics, none of which may reach a job: counted by cause, each kind logged once."""

from __future__ import annotations

import logging
from collections import Counter

logger = logging.getLogger(__name__)


class Failures:
    """Counts for ``middleware_errors_total``. Any thread adds; the flusher takes."""

    def __init__(self) -> None:
        self._counts: Counter[str] = Counter()
        self._taken: Counter[str] = Counter()
        self._logged: set[str] = set()

    def add(self, cause: str, error: BaseException, text: str, *, level: int = logging.ERROR) -> None:
        """Count one error; ``cause`` is one of :data:`bioagents_worker.wire.ERROR_CAUSES`.

        The first error with this ``text`` is logged. A warning is one line, an error has its traceback.
        """
        self._counts[cause] += 1
        if text not in self._logged:
            self._logged.add(text)
            if level >= logging.ERROR:
                logger.log(level, "%s; further failures there are only counted", text, exc_info=error)
            else:
                logger.log(level, "%s: %s: %s", text, type(error).__name__, error)

    def take(self) -> dict[str, int]:
        """The new errors by cause."""
        new = {cause: n - self._taken[cause] for cause, n in list(self._counts.items())}
        self._taken.update(new)
        return {cause: n for cause, n in new.items() if n}
