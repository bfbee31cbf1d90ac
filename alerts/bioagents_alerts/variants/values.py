"""What people give to ``bioagents rules``, as values that are valid; ValueError says what was expected."""

from __future__ import annotations

import math
import re
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Final, TypeVar
from urllib.parse import urlsplit

from bioagents_alerts.variants import objectives
from bioagents_alerts.variants.constants import BY_ALERT
from bioagents_alerts.variants.objectives import RECORDS, Objective
from bioagents_cli.parsing import did_you_mean

T = TypeVar("T")

_PART: Final = r"[a-z0-9](?:[-a-z0-9]*[a-z0-9])?"
_NAME: Final = re.compile(rf"{_PART}(?:\.{_PART})*")
_LABEL_NAME: Final = re.compile(
    rf"(?:(?=.{{1,253}}/){_PART}(?:\.{_PART})*/)?[A-Za-z0-9](?:[\w.-]{{0,61}}[A-Za-z0-9])?", re.ASCII
)
_LABEL_VALUE: Final = re.compile(r"(?:[A-Za-z0-9](?:[\w.-]{0,61}[A-Za-z0-9])?)?", re.ASCII)
_LONGEST_NAME: Final = 253
_LONGEST_NAMESPACE: Final = 63


def parse(flag: str, text: str, parser: Callable[[str], T]) -> T:
    """The value of a flag; ValueError names the flag and the value."""
    try:
        return parser(text)
    except ValueError as error:
        raise ValueError(f"{flag} {text!r}: {error}") from None


def constants(texts: Sequence[str]) -> dict[str, float]:
    """``["HighJobFailureRate=0.5"]`` as numbers by alert."""
    found: dict[str, float] = {}
    for text in texts:
        alert, value = parse("--set", text, _constant)
        if alert in found:
            raise ValueError(f"--set {text!r}: {alert} is given twice, expected each alert once")
        found[alert] = value
    return found


def _constant(text: str) -> tuple[str, float]:
    alert, equals, given = text.partition("=")
    if not equals:
        raise ValueError("expected ALERT=NUMBER")
    if alert not in BY_ALERT:
        known = ", ".join(BY_ALERT)
        raise ValueError(f"unknown alert {alert!r}{did_you_mean(alert, BY_ALERT)}: expected one of {known}")
    constant = BY_ALERT[alert]
    value = _number(given)
    if value is None or not 0 < value < constant.below:
        below = f" and below {constant.below:g}" if math.isfinite(constant.below) else ""
        raise ValueError(f"expected {constant.meaning}, a number above 0{below}")
    return alert, value


def parse_objectives(texts: Sequence[str]) -> tuple[Objective, ...]:
    """``["wait=0.99", "wait:chat=0.999"]`` as objectives."""
    found: dict[tuple[str, str], Objective] = {}
    for text in texts:
        objective = parse("--objective", text, _objective)
        key = (objective.name, objective.queue)
        if key in found:
            raise ValueError(f"--objective {text!r}: expected each objective once")
        found[key] = objective
    return tuple(found.values())


def _objective(text: str) -> Objective:
    key, equals, given = text.rpartition("=")
    name, colon, queue = key.partition(":")
    if not equals or (colon and not queue):
        raise ValueError("expected NAME=SHARE or NAME:QUEUE=SHARE, such as wait=0.99")
    if name not in RECORDS:
        known = " or ".join(sorted(RECORDS))
        raise ValueError(f"unknown objective {name!r}{did_you_mean(name, RECORDS)}: expected {known}")
    value = _number(given)
    if value is None:
        raise ValueError(objectives.EXPECTED)
    return Objective(name, objectives.check(value), queue)


def _number(text: str) -> float | None:
    """A finite number in plain digits."""
    try:
        value = float(text) if re.fullmatch(r"[-+]?[0-9.]+(?:[eE][-+]?[0-9]+)?", text.strip()) else math.nan
    except ValueError:
        return None
    return value if math.isfinite(value) else None


def folder(text: str) -> Path:
    """A folder; nothing at all is not the current one, but a variable that was not set."""
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
    found: dict[str, str] = {}
    for text in texts:
        name, value = parse("--label", text, _label)
        if name in found:
            raise ValueError(f"--label {text!r}: expected each label once")
        found[name] = value
    return found


def _label(text: str) -> tuple[str, str]:
    name, equals, value = text.partition("=")
    if not (equals and _LABEL_NAME.fullmatch(name) and _LABEL_VALUE.fullmatch(value)):
        raise ValueError("expected a label of Kubernetes, NAME=VALUE, such as release=prometheus")
    return name, value
