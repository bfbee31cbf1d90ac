"""Metrics of a fleet of Dramatiq workers on Redis: the worker's part.

::

    from bioagents_worker import JobMetrics

    broker.add_middleware(JobMetrics())
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from bioagents_worker.version import __version__

if TYPE_CHECKING:
    from bioagents_worker.errors import ConfigurationError
    from bioagents_worker.middleware import JobMetrics

__all__ = ["ConfigurationError", "JobMetrics", "__version__"]


def __getattr__(name: str) -> Any:  # noqa: ANN401 - a module attribute may be anything
    """Import on first use: whoever reads the wire format alone (an exporter) does not load Dramatiq."""
    if name == "JobMetrics":
        from bioagents_worker.middleware import JobMetrics  # noqa: PLC0415 - see above

        return JobMetrics
    if name == "ConfigurationError":
        from bioagents_worker.errors import ConfigurationError  # noqa: PLC0415 - see above

        return ConfigurationError
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
