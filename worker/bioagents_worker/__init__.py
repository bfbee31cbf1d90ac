"""The middleware that reports the metrics of Dramatiq workers and producers on Redis.

::

    from bioagents_worker import JobMetrics

    broker.add_middleware(JobMetrics())

The format in Redis, :mod:`bioagents_worker.wire`, is public too; modules that begin with ``_`` are private.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from bioagents_worker._middleware import ConfigurationError, JobMetrics

__all__ = ["ConfigurationError", "JobMetrics", "__version__"]

#: Of the whole distribution; the build reads it from here.
__version__ = "0.1.0"


def __getattr__(name: str) -> Any:  # noqa: ANN401 - a module attribute may be anything
    """Import on first use: a reader of the wire format alone (the exporter) does not load Dramatiq."""
    if name in {"ConfigurationError", "JobMetrics"}:
        from bioagents_worker import _middleware  # noqa: PLC0415 - see above

        return getattr(_middleware, name)
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
