"""``job="x",region=~"eu.*"``: the series of an exporter that the rules select."""

from __future__ import annotations

import ast
import json
import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final

from bioagents_alerts.promql import written
from bioagents_exporter.catalogue import FLEET_LABEL, METRICS

#: Labels that some of the exporter's series carry and others do not.
OWN: Final = frozenset(label for metric in METRICS for label in (*metric.labels, *metric.optional)) | {"le"}

_EXPECTED: Final = 'expected label matchers of PromQL such as job="x",region=~"eu.*"'
_STRING: Final = r'"(?:\\.|[^"\\\n])*"' + r"|'(?:\\.|[^'\\\n])*'" + "|`[^`]*`"
_MATCHER: Final = re.compile(
    rf"\s*(?P<label>[A-Za-z_]\w*|{_STRING})\s*(?P<operator>=~|!~|!=|=)\s*(?P<value>{_STRING})\s*(?P<end>,|$)",
    re.ASCII,
)
#: What RE2 knows and Python's regular expressions do not: no reason to refuse.
_OTHER_DIALECT: Final = re.compile(r"bad escape|unknown extension|global flags")


@dataclass(frozen=True, slots=True)
class Matcher:
    """One matcher of a selector."""

    label: str
    operator: str
    value: str

    def __str__(self) -> str:
        """As PromQL and YAML can hold it."""
        return f"{written(self.label)}{self.operator}{json.dumps(self.value, ensure_ascii=False)}"


def parse_selector(text: str) -> tuple[Matcher, ...]:
    """The matchers of a selector with or without its braces; ValueError says what was expected."""
    inner = text.strip()
    if inner.startswith("{") and inner.endswith("}"):
        inner = inner[1:-1].strip()
    matchers = tuple(_matchers(inner))
    for matcher in matchers:
        _check(matcher)
    _check_together(matchers)
    return matchers


def _matchers(text: str) -> Iterator[Matcher]:
    position = 0
    while position < len(text) or not position:
        found = _MATCHER.match(text, position)
        if not found:
            raise ValueError(f"{_EXPECTED}, found {text[position : position + 40]!r}")
        yield Matcher(_label(found["label"]), found["operator"], _unquoted(found["value"]))
        position = found.end()


def _label(name: str) -> str:
    """The name of a label, which Prometheus 3 takes in quotes too."""
    plain = _unquoted(name) if name[0] in "\"'`" else name
    if not plain:
        raise ValueError(f"{_EXPECTED}, found a label without a name")
    return plain


def _unquoted(literal: str) -> str:
    if literal.startswith("`"):
        return literal[1:-1]
    try:
        return str(ast.literal_eval(literal))  # Python knows every escape of PromQL
    except (SyntaxError, ValueError):
        raise ValueError(f"{_EXPECTED}, found the string {literal}") from None


def _check(matcher: Matcher) -> None:
    if matcher.label == "__name__" or matcher.label in OWN:
        raise ValueError(
            f"not every series carries the label {matcher.label}: expected labels of the scraped "
            f"targets, such as job, region or cluster, or {FLEET_LABEL}; if your targets have a label "
            f"{matcher.label}, rename it (see the runbook MetricsLabelConflict)"
        )
    for text in (matcher.label, matcher.value):
        if re.search(r"\{\{|\}\}", text):
            raise ValueError(f"{text!r} would be a template in annotations: expected no {{{{ and no }}}}")
    if matcher.operator in {"=~", "!~"}:
        _check_pattern(matcher.value)


def _check_together(matchers: tuple[Matcher, ...]) -> None:
    """Two values for one label select nothing, and no alert would ever fire."""
    exact: dict[str, str] = {}
    for matcher in matchers:
        if matcher.operator == "=" and exact.setdefault(matcher.label, matcher.value) != matcher.value:
            both = "|".join(re.escape(value) for value in (exact[matcher.label], matcher.value))
            raise ValueError(
                f"no series has two values of {matcher.label}: expected one of them, or "
                f"{Matcher(matcher.label, '=~', both)}"
            )


def _check_pattern(pattern: str) -> None:
    try:
        re.compile(pattern)
    except re.error as error:
        if not _OTHER_DIALECT.search(str(error)):
            raise ValueError(
                f"{pattern!r} is not a valid regular expression ({error}): expected one such as eu.*"
            ) from None
