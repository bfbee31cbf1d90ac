"""Writes the texts that the rule tests expect, as promtool reports them: ``python -m support.rule_texts``.

Run it after a text of an alert has changed, and review the difference. Labels and times stay as they are: a
test whose alert does not fire, or fires with other labels, keeps its texts and fails.
"""

from __future__ import annotations

import json
import re
import sys
from collections.abc import Iterator, Mapping
from copy import deepcopy
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any, Final

from bioagents_alerts import emit, rules_folder
from bioagents_alerts.durations import milliseconds
from support.checkout import ROOT
from support.rule_cases import run_cases
from support.rule_files import rule_tests

Texts = dict[str, str]
#: Test, time in ms, alert and labels.
Key = tuple[str, int, str, str]

_PAIR: Final = re.compile(r'(\w+)="((?:\\.|[^"\\])*)"')
_BLOCK: Final = re.compile(r"( +)exp_annotations:(?: &[\w-]+)?")
_KEY: Final = re.compile(r"( +)(\w+):")


def main() -> None:
    """Rewrite each file of alerts/tests."""
    for path in sorted((ROOT / "alerts/tests").glob("*.yml")):
        text = path.read_text(encoding="utf-8")
        path.write_text(rewritten(text), encoding="utf-8")


def rewritten(text: str) -> str:
    """A file of rule tests with the texts that the present rules give."""
    tests = rule_tests(text)
    got = _got(tests)
    wanted = iter([got.get(key) for key in _expected(tests)])
    lines, result = iter(text.splitlines(keepends=True)), list[str]()
    for line in lines:
        result.append(line)
        if "exp_annotations:" in line:
            texts = next(wanted)
            if _BLOCK.fullmatch(line.rstrip()) and texts:
                block, following = _block(lines, line)
                result += [*_written(block, texts), *following]
    return "".join(result)


def _expected(tests: Mapping[str, Any]) -> Iterator[Key]:
    for test in tests["tests"]:
        for at in test.get("alert_rule_test", []):
            for expected in at["exp_alerts"]:
                time, labels = milliseconds(str(at["eval_time"])), _sorted(expected["exp_labels"])
                yield test["name"], time, at["alertname"], labels


def _sorted(labels: Mapping[str, str]) -> str:
    return json.dumps({**labels, "alertname": ""}, sort_keys=True)


def _got(tests: dict[str, Any]) -> dict[Key, Texts]:
    """What fires, by promtool's report on tests that expect other texts."""
    asked = deepcopy(tests)
    for test in asked["tests"]:
        for at in test.get("alert_rule_test", []):
            for expected in at["exp_alerts"]:
                expected["exp_annotations"] = {}
    with TemporaryDirectory() as folder:
        report = run_cases(Path(folder) / "cases", asked, rules_folder())
    found: dict[Key, Texts] = {}
    parts = re.split(r"^    name: (.*),$", report.stdout + report.stderr, flags=re.MULTILINE)
    for name, part in zip(parts[1::2], parts[2::2], strict=True):
        for alert, time, shown in re.findall(
            r"alertname: ?(\w+), time: (\w+), *\n.*?got:\[(.*?)\n        +\]", part, re.DOTALL
        ):
            for labels, texts in re.findall(r"Labels:\{(.*)\}\n +Annotations:\{(.*)\}", shown):
                found[name, milliseconds(time), alert, _sorted(_pairs(labels))] = _pairs(texts)
    return found


def _pairs(text: str) -> Texts:
    return {name: json.loads(f'"{value}"') for name, value in _PAIR.findall(text)}


def _block(lines: Iterator[str], head: str) -> tuple[list[str], list[str]]:
    """The lines that are deeper than the head, and the one that follows them."""
    depth, block = len(head) - len(head.lstrip()), list[str]()
    for line in lines:
        if line.strip() and len(line) - len(line.lstrip()) <= depth:
            return block, [line]
        block.append(line)
    return block, []


def _written(block: list[str], texts: Texts) -> Iterator[str]:
    indent = block[0][: len(block[0]) - len(block[0].lstrip())]
    present = rule_tests("".join(block).rstrip())
    entries: dict[str, list[str]] = {}
    for line in block:
        found = _KEY.match(line)
        if found and found[1] == indent:
            entries[found[2]] = [line]
        else:
            entries[[*entries][-1]].append(line)
    for name, own in entries.items():
        if present[name] == texts.get(name, present[name]):
            yield from own
        else:
            blank = [line for line in own if not line.strip()]
            yield from (f"{line}\n" for line in emit.scalar(name, texts[name], indent))
            yield from blank


if __name__ == "__main__":
    sys.exit(main())
