"""Other names and more matchers for the metrics of PromQL, also of the PromQL inside annotations.

An annotation is a template of Go: PromQL stands in its text, cut by actions (``{queue={{ $q }}}``), and
in the strings of its actions (``{{ printf "x{queue=%q}" .Labels.queue | query }}``).
"""

from __future__ import annotations

import ast
import json
import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

from bioagents_alerts.variants.selector import Matcher

_DOUBLE: Final = r'"(?:\\.|[^"\\])*"'
_SINGLE: Final = r"'(?:\\.|[^'\\])*'"
_STRING: Final = rf"{_DOUBLE}|{_SINGLE}|`[^`]*`"
_WORD: Final = r"(?<![\w:])[A-Za-z_:](?:[\w:]*\w)?"
_ACTION: Final = rf"\{{\{{(?:{_STRING}|(?!\}}\}}).)*\}}\}}"

# What can be or hold a name, and what can only look like one; the order decides.
_EXPRESSION: Final = re.compile(rf"(?P<string>{_STRING})|(?P<comment>\#[^\n]*)|(?P<word>{_WORD})", re.DOTALL)
_TEMPLATE: Final = re.compile(rf"(?P<action>{_ACTION})|(?P<word>{_WORD})", re.DOTALL)
_LITERAL: Final = re.compile(rf"(?P<format>\bprintf\s+)?(?P<literal>{_DOUBLE}|`[^`]*`)", re.DOTALL)

_BRACE: Final = re.compile(r"\s*\{(?!\{)")
_PIECE: Final = re.compile(rf"{_ACTION}|{_STRING}|.", re.DOTALL)
_FIXED: Final = re.compile(r"""(\w+)\s*=\s*(?:"[^"%{]*"|'[^'%{]*')""")


@dataclass(frozen=True, slots=True)
class Series:
    """What becomes of one name: its new name and the matchers that its selectors get."""

    name: str
    matchers: tuple[Matcher, ...] = ()
    word: bool = False  # as `up` is: in a text without braces it is no name


@dataclass(frozen=True, slots=True)
class Rewriter:
    """Rewrites each name that it knows; all others stay."""

    series: Mapping[str, Series]

    def expression(self, text: str) -> str:
        """A PromQL expression."""
        return self._rewrite(text, _EXPRESSION, text_of_a_person=False)

    def template(self, text: str) -> str:
        """An annotation."""
        return self._rewrite(text, _TEMPLATE, text_of_a_person=True)

    def _rewrite(self, text: str, tokens: re.Pattern[str], *, text_of_a_person: bool) -> str:
        written, position = [], 0
        while found := tokens.search(text, position):
            written.append(text[position : found.start()])
            position = found.end()
            series = self.series.get(found[0]) if found.lastgroup == "word" else None
            if found.lastgroup == "action":
                written.append(_LITERAL.sub(self._literal, found[0]))
            elif series is None or (text_of_a_person and series.word and not _BRACE.match(text, position)):
                written.append(found[0])
            else:
                selector, position = _selector(text, position, series.matchers)
                written.append(series.name + selector)
        return "".join(written) + text[position:]

    def _literal(self, found: re.Match[str]) -> str:
        """A string of an action: PromQL, or nothing that we know."""
        literal, formats = found["literal"], found["format"] or ""
        raw = literal.startswith("`")
        content = literal[1:-1] if raw else str(ast.literal_eval(literal))
        rewriter = self._formatting() if formats else self
        new = rewriter.expression(content)
        if new == content:
            return found[0]
        return formats + (f"`{new}`" if raw and "`" not in new else json.dumps(new, ensure_ascii=False))

    def _formatting(self) -> Rewriter:
        """The same inside a format of printf, where a percent sign is written twice."""
        return Rewriter(
            {
                name: Series(
                    series.name,
                    tuple(Matcher(m.label, m.operator, m.value.replace("%", "%%")) for m in series.matchers),
                    series.word,
                )
                for name, series in self.series.items()
            }
        )


def _selector(text: str, position: int, matchers: tuple[Matcher, ...]) -> tuple[str, int]:
    """The selector that begins at a position, if one does, with more matchers; and where it ends."""
    if not matchers:
        return "", position
    given = [str(matcher) for matcher in matchers]
    brace = _BRACE.match(text, position)
    if not brace:
        return "{" + ",".join(given) + "}", position
    parts, end = _parts(text, brace.end())
    replacing = {matcher.label for matcher in matchers if matcher.operator in {"=", "=~"}}
    kept = [part for part in parts if _fixed_label(part) not in replacing]
    return "{" + ",".join(given + kept) + "}", end


def _parts(text: str, position: int) -> tuple[list[str], int]:
    """The matchers between braces as they are written, and the end of the closing brace."""
    parts = [""]
    while piece := _PIECE.match(text, position):
        position = piece.end()
        if piece[0] == "}":
            return [part.strip() for part in parts if part.strip()], position
        if piece[0] == ",":
            parts.append("")
        else:
            parts[-1] += piece[0]
    raise ValueError(f"a selector has no end: {text}")


def _fixed_label(part: str) -> str:
    """The label of a matcher for one value that stands there itself, in no template and no format."""
    found = _FIXED.fullmatch(part)
    return found[1] if found else ""
