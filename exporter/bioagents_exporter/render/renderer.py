"""Families to text, with what stays from scrape to scrape kept ready."""

from __future__ import annotations

import threading
from collections.abc import Iterable
from typing import Final

from bioagents_exporter.catalogue import FLEET_LABEL
from bioagents_exporter.derive.family import Family
from bioagents_exporter.render import text
from bioagents_exporter.render.block import Block
from bioagents_exporter.render.series import SeriesMaker

CONTENT_TYPE: Final = "text/plain; version=0.0.4; charset=utf-8"


class Renderer:
    """One for each exporter; threads may use it at will.

    Bounded: it keeps the lines of the last rendering, and nothing of the one before.
    """

    def __init__(self, *, prefix: str, fleet: str) -> None:
        self._prefix, self._fleet_label = prefix, text.label(FLEET_LABEL, fleet)
        self._blocks: dict[str, Block] = {}
        self._lock = threading.Lock()

    def render(self, families: Iterable[Family]) -> bytes:
        """The exposition. A metric without series is left out; no metric may come twice."""
        with self._lock:
            before, self._blocks = self._blocks, {}
            maker = SeriesMaker(self._fleet_label)
            return b"".join([self._block(before, maker, f).render(f) for f in families if f.keys])

    def _block(self, before: dict[str, Block], maker: SeriesMaker, family: Family) -> Block:
        metric = family.metric
        block = before.get(metric.name)
        if block is None or block.series.keys != family.keys:
            series = maker.make(metric, family.keys, block.series if block else None)
            block = Block(metric, metric.full_name(self._prefix), series)
        self._blocks[metric.name] = block
        return block
