"""promtool's cases with no more rules than they need, since it evaluates every rule for every case."""

from __future__ import annotations

import json
import re
import subprocess
from collections.abc import Iterator, Mapping
from graphlib import TopologicalSorter
from pathlib import Path
from typing import Any

import yaml

from support.programs import Release, require

Document = dict[str, Any]


def run_cases(
    folder: Path, tests: Document, rules: Path, release: Release = "stable"
) -> subprocess.CompletedProcess[str]:
    """`promtool test rules` on the cases of a file; its rule files are looked for in a folder."""
    documents = {
        Path(name).name: yaml.safe_load((rules / Path(name).name).read_text(encoding="utf-8"))
        for name in tests["rule_files"]
    }
    files = [
        _written(folder / str(number), tests | {"tests": cases}, documents)
        for number, cases in enumerate(_by_subject(tests["tests"]))
    ]
    command = [require("promtool", release), "test", "rules", *files]
    return subprocess.run(command, capture_output=True, text=True, check=False)


def _by_subject(cases: list[Document]) -> Iterator[list[Document]]:
    subjects = [case.get("name", "").split(":")[0] for case in cases]
    for subject in dict.fromkeys(subjects):
        yield [case for case, of in zip(cases, subjects, strict=True) if of == subject]


def _written(folder: Path, tests: Document, documents: Mapping[str, Document]) -> Path:
    folder.mkdir(parents=True)
    needed = _needed(json.dumps(tests["tests"]), documents)
    for name, document in documents.items():
        groups = [
            group | {"rules": [rule for rule in group["rules"] if _name(rule) in needed]}
            for group in document["groups"]
        ]
        _dump(folder / name, {"groups": [group for group in groups if group["rules"]]})
    tests = {"group_eval_order": _order(documents)} | tests | {"rule_files": list(documents)}
    _dump(folder / "cases.yaml", tests)
    return folder / "cases.yaml"


def _order(documents: Mapping[str, Document]) -> list[str]:
    """All groups, each after those whose recorded series it reads: promtool's own order is random."""
    group_of = {
        _name(rule): group["name"]
        for document in documents.values()
        for group in document["groups"]
        for rule in group["rules"]
    }
    inputs: dict[str, set[str]] = {}
    for document in documents.values():
        for group in document["groups"]:
            used = _words(" ".join(rule["expr"] for rule in group["rules"]))
            inputs[group["name"]] = {group_of[name] for name in used & group_of.keys()} - {group["name"]}
    return list(TopologicalSorter(inputs).static_order())


def _needed(text: str, documents: Mapping[str, Document]) -> set[str]:
    """The rules that a text names, and those that they name, in expressions or in queries of their texts."""
    rules = [rule for one in documents.values() for group in one["groups"] for rule in group["rules"]]
    texts = {_name(rule): json.dumps(rule) for rule in rules}
    found: set[str] = set()
    named = _words(text) & texts.keys()
    while named - found:
        found |= named
        named = {word for name in found for word in _words(texts[name])} & texts.keys()
    return found


def _words(text: str) -> set[str]:
    """What may be a name, in a text or in JSON, which writes a new line as a letter."""
    return set(re.findall(r"[\w:]+", text.replace("\\n", " ")))


def _name(rule: Document) -> str:
    return str(rule.get("alert") or rule["record"])


def _dump(path: Path, document: object) -> None:
    path.write_text(json.dumps(document, ensure_ascii=False), encoding="utf-8")
