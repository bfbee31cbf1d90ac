"""The label text of series: made once for each key, shared by all metrics that have the same keys."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from bioagents_exporter.catalogue import Metric
from bioagents_exporter.derive.family import Key
from bioagents_exporter.render import text


@dataclass(frozen=True, slots=True)
class Series:
    """A list of keys and what stands between the braces for each of those that are shown."""

    keys: Sequence[Key]
    labels: Sequence[str]
    shown: Sequence[int] | None  # positions in ``keys``; None: all


class SeriesMaker:
    """Lives for one rendering: what is the same for several metrics is made once."""

    def __init__(self, fleet_label: str) -> None:
        self._fleet_label = fleet_label
        self._made: dict[tuple[tuple[str, ...], int], Series] = {}
        self._known: dict[tuple[str, ...], dict[Key, str]] = {}

    def make(self, metric: Metric, keys: Sequence[Key], before: Series | None) -> Series:
        """``before``: the metric's series of the last rendering; most of them are still there."""
        names = metric.labels + metric.optional
        made = self._made.get((names, id(keys)))
        if made is None or made.keys is not keys:
            made = self._made[names, id(keys)] = _distinct(keys, self._labels(names, keys, before))
        return made

    def _labels(self, names: tuple[str, ...], keys: Sequence[Key], before: Series | None) -> list[str]:
        known = self._known.get(names)
        if known is None:
            known = self._known[names] = {}
            if before is not None and before.shown is None:
                known.update(zip(before.keys, before.labels, strict=True))
        return [known.get(key) or self._add(known, names, key) for key in keys]

    def _add(self, known: dict[Key, str], names: tuple[str, ...], key: Key) -> str:
        pairs = zip(names[: len(key)], key, strict=True)
        known[key] = made = ",".join([self._fleet_label, *(text.label(name, value) for name, value in pairs)])
        return made


def _distinct(keys: Sequence[Key], labels: list[str]) -> Series:
    """Names that are no UTF-8 may look alike when they are shown: of such series the first is."""
    if len(set(labels)) == len(labels):
        return Series(keys, labels, None)
    first = {label: i for i, label in reversed(list(enumerate(labels)))}
    shown = sorted(first.values())
    return Series(keys, [labels[i] for i in shown], shown)
