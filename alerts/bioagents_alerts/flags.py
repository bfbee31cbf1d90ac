"""The values of the flags of ``bioagents rules``, validated; a ValueError says what was expected."""

from __future__ import annotations

import math
import re
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Final, TypeVar
from urllib.parse import urlsplit

from bioagents_alerts import objectives
from bioagents_alerts.objectives import DEFAULTS, Objective
from bioagents_alerts.promql import labels_of_all
from bioagents_alerts.thresholds import THRESHOLDS
from bioagents_cli.parsing import did_you_mean

K = TypeVar("K")
T = TypeVar("T")

_PART: Final = r"[a-z0-9](?:[-a-z0-9]*[a-z0-9])?"
_NAME: Final = re.compile(rf"{_PART}(?:\.{_PART})*")
_LABEL_NAME: Final = re.compile(
    rf"(?:(?=.{{1,253}}/){_PART}(?:\.{_PART})*/)?[A-Za-z0-9](?:[\w.-]{{0,61}}[A-Za-z0-9])?", re.ASCII
)
#: Prometheus 3 takes more than letters, digits and underscores: ``k8s.pod.name``.
_COPY_LABEL: Final = re.compile(r"[A-Za-z_][\w./:-]*", re.ASCII)
_LABEL_VALUE: Final = re.compile(r"(?:[A-Za-z0-9](?:[\w.-]{0,61}[A-Za-z0-9])?)?", re.ASCII)
_LONGEST_NAME: Final = 253
_LONGEST_NAMESPACE: Final = 63


def parse(flag: str, text: str, parser: Callable[[str], T]) -> T:
    """The value of a flag; ValueError names the flag and the value."""
    try:
        return parser(text)
    except ValueError as error:
        raise ValueError(f"{flag} {text!r}: {error}") from None


def _each_once(
    flag: str, texts: Sequence[str], parser: Callable[[str], tuple[K, T]], what: str
) -> dict[K, T]:
    """The values of a repeated flag by their keys; ValueError for a key that is given twice."""
    found: dict[K, T] = {}
    for text in texts:
        key, value = parse(flag, text, parser)
        if key in found:
            raise ValueError(f"{flag} {text!r}: expected each {what} once")
        found[key] = value
    return found


def copies(text: str) -> tuple[str, ...]:
    """``instance,pod`` as labels of targets; without a label of the exporter's own."""
    names = dict.fromkeys(name.strip() for name in text.split(","))
    if not all(map(_COPY_LABEL.fullmatch, names)):
        raise ValueError("expected names of labels with commas between them, such as instance,pod")
    return tuple(map(copy_label, names))


def copy_labels(texts: Sequence[str]) -> tuple[str, ...]:
    """``["pod_template_hash"]`` as labels of targets, each of them once."""
    return tuple(dict.fromkeys(parse("--copy-label", text, copy_label) for text in texts))


def copy_label(name: str) -> str:
    """A label of targets in which copies of one exporter differ; none of the exporter's own."""
    if not _COPY_LABEL.fullmatch(name):
        raise ValueError("expected the name of one label, such as pod_template_hash")
    if name == "job" or name in labels_of_all():
        raise ValueError(f"copies do not differ in {name}: expected labels of targets, such as instance,pod")
    return name


def thresholds(texts: Sequence[str]) -> dict[str, float]:
    """``["HighJobFailureRate=0.5"]`` as numbers by alert."""
    return _each_once("--set", texts, _threshold, "alert")


def _threshold(text: str) -> tuple[str, float]:
    alert, equals, given = text.partition("=")
    if not equals:
        raise ValueError("expected ALERT=NUMBER")
    if alert not in THRESHOLDS:
        known = ", ".join(THRESHOLDS)
        raise ValueError(f"unknown alert {alert!r}{did_you_mean(alert, THRESHOLDS)}: expected one of {known}")
    threshold = THRESHOLDS[alert]
    value = _number(given)
    if value is None or not 0 < value < threshold.below:
        below = f" and below {threshold.below:g}" if math.isfinite(threshold.below) else ""
        raise ValueError(f"expected {threshold.meaning}, a number above 0{below}")
    return alert, value


def parse_objectives(texts: Sequence[str]) -> tuple[Objective, ...]:
    """``["wait=0.99", "wait:chat=0.999"]`` as objectives."""
    by_name = _each_once("--objective", texts, _objective, "objective")
    return tuple(by_name.values())


def _objective(text: str) -> tuple[tuple[str, str], Objective]:
    key, equals, given = text.rpartition("=")
    name, colon, queue = key.partition(":")
    if not equals or (colon and not queue):
        raise ValueError("expected NAME=SHARE or NAME:QUEUE=SHARE, such as wait=0.99")
    if name not in DEFAULTS:
        known = " or ".join(sorted(DEFAULTS))
        raise ValueError(f"unknown objective {name!r}{did_you_mean(name, DEFAULTS)}: expected {known}")
    value = _number(given)
    if value is None:
        raise ValueError(objectives.EXPECTED)
    return (name, queue), Objective(name, objectives.check(value), queue)


def _number(text: str) -> float | None:
    """A finite number in plain digits."""
    try:
        value = float(text) if re.fullmatch(r"[-+]?[0-9.]+(?:[eE][-+]?[0-9]+)?", text.strip()) else math.nan
    except ValueError:
        return None
    return value if math.isfinite(value) else None


def folder(text: str) -> Path:
    """A folder; an empty text is a variable that was not set, not the current folder."""
    if not text:
        raise ValueError("expected a folder to write to")
    return Path(text)


def base_url(text: str) -> str:
    """An http address without a slash at its end."""
    expected = "expected the address of a server, http:// or https://, with a path if need be"
    try:
        parts = urlsplit(text)
        usable = parts.scheme in {"http", "https"} and bool(parts.hostname) and (parts.port or 0) >= 0
    except ValueError:
        raise ValueError(expected) from None
    if not usable or parts.query or parts.fragment or re.search(r"[\s{}\"'<>\\`]", text):
        raise ValueError(expected)
    return text.rstrip("/")


def resource_name(text: str) -> str:
    """The name of a Kubernetes object."""
    if len(text) > _LONGEST_NAME or not _NAME.fullmatch(text):
        raise ValueError(
            "expected a name of Kubernetes: small letters, digits, '-' and '.', such as bioagents"
        )
    return text


def namespace(text: str) -> str:
    """The name of a Kubernetes namespace."""
    if len(text) > _LONGEST_NAMESPACE or not re.fullmatch(_PART, text):
        raise ValueError(
            "expected a namespace of Kubernetes: small letters, digits and '-', such as monitoring"
        )
    return text


def labels(texts: Sequence[str]) -> dict[str, str]:
    """``["release=prometheus"]`` as labels of a Kubernetes object."""
    return _each_once("--label", texts, _label, "label")


def _label(text: str) -> tuple[str, str]:
    name, equals, value = text.partition("=")
    if not (equals and _LABEL_NAME.fullmatch(name) and _LABEL_VALUE.fullmatch(value)):
        raise ValueError("expected a label of Kubernetes, NAME=VALUE, such as release=prometheus")
    return name, value
