"""The summaries of alerts: what it is about, how much, and the limit, in one line that fits on a phone.

``Queue mail: 150 waiting jobs, limit 50 (fleet prod)``: the object first, because a telephone cuts the end.
"""

from __future__ import annotations

from typing import Final

from bioagents_alerts.builder import FLEET, QUEUE, ROLE, Builder

# What a query in a summary found, in the units of its metric.
WHOLE: Final = '{{ .Value | printf "%.0f" }}'
TIME: Final = "{{ .Value | humanizeDuration }}"
PERCENT: Final = "{{ .Value | humanizePercentage }}"


def title(subject: str, fact: str) -> str:
    """A summary about any object of a fleet."""
    return f"{subject}: {fact} (fleet {FLEET})"


def of_queue(fact: str) -> str:
    """About the queue of the alert."""
    return title(f"Queue {QUEUE}", fact)


def of_role(fact: str) -> str:
    """About the workers that consume the same queues."""
    return title(f"Workers consuming {ROLE}", fact)


def of_fleet(fact: str) -> str:
    """About the whole fleet."""
    return f"Fleet {FLEET}: {fact}"


def of_redis(fact: str) -> str:
    """About the Redis of the fleet."""
    return f"Redis of fleet {FLEET}: {fact}"


def counted(noun: str) -> str:
    """The value of the alert as a number of things: ``1 waiting job``, ``3 waiting jobs``."""
    return (
        f'{{{{ with printf "%.0f" $value }}}}{{{{ . }}}} {noun}'
        '{{ if ne . "1" }}s{{ end }}{{ end }}'
    )


def limit_of(b: Builder, gauge: str, shown: str, name: str = "limit") -> str:
    """The limit of the alert's queue, ``, limit 50``; nothing where it is not known."""
    return b.each(b.same.gauge(gauge), f", {name} {shown}")
