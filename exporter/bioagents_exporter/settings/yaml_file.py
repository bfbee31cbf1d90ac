"""YAML files read strictly: each value knows its file, key and line, and a key given twice is an error.

Scalars stay the text that the file holds (``60``, ``5m``, ``yes``), so that one parser serves flags,
environment and file, and YAML's rules for numbers and booleans cannot change a value.
"""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from pathlib import Path
from typing import Final, TypeAlias

import yaml

from bioagents_cli.parsing import did_you_mean
from bioagents_exporter.settings.errors import SettingsError, shown

_NULL_TAG: Final = "tag:yaml.org,2002:null"


@dataclass(frozen=True, slots=True)
class Item:
    """A value of a YAML file and its place."""

    file: Path
    key: str  # by dots; empty for the whole file
    line: int
    value: Value

    @property
    def place(self) -> str:
        """``file:key``, or the file alone for its whole content."""
        return f"{self.file}:{self.key}" if self.key else str(self.file)

    def error(self, expected: str) -> SettingsError:
        """This value is not what was expected."""
        found = {str: "", dict: "a mapping: ", tuple: "a list: ", type(None): "no value: "}[type(self.value)]
        found = f"{shown(self.value)}: " if isinstance(self.value, str) else found
        return SettingsError(f"{self.place} (line {self.line}): {found}{expected}")

    def text(self) -> str:
        """A scalar, as written."""
        if not isinstance(self.value, str):
            raise self.error("expected a single value")
        return self.value

    def items(self) -> tuple[Item, ...]:
        """A list."""
        if not isinstance(self.value, tuple):
            raise self.error("expected a list")
        return self.value

    def mapping(self, known: Collection[str] | None = None) -> dict[str, Item]:
        """A mapping, with no other keys than the known ones; no value at all is an empty one."""
        if self.value is None:
            return {}
        if not isinstance(self.value, dict):
            raise self.error(f"expected a mapping{_listing(known)}")
        for key, item in self.value.items():
            if known is not None and key not in known:
                hint = did_you_mean(key, known)
                raise SettingsError(f"{item.place} (line {item.line}): unknown key{hint}{_listing(known)}")
        return self.value


Value: TypeAlias = "str | tuple[Item, ...] | dict[str, Item] | None"


class _Loader(yaml.SafeLoader):
    """Refuses aliases: a few lines of them can mean millions of values, or refer to themselves."""

    def compose_node(self, parent: yaml.Node | None, index: int) -> yaml.Node | None:
        if self.check_event(yaml.AliasEvent):
            event = self.peek_event()  # type: ignore[no-untyped-call]  # missing in types-PyYAML
            raise yaml.composer.ComposerError(None, None, "aliases are not supported", event.start_mark)
        return super().compose_node(parent, index)


def read(path: Path) -> Item:
    """The file as a tree of items; SettingsError where it cannot be read or is not YAML."""
    try:
        with path.open("rb") as stream:
            node = yaml.compose(stream, Loader=_Loader)
    except OSError as error:
        raise SettingsError(f"{path}: cannot be read ({error.strerror}): expected a YAML file") from None
    except yaml.MarkedYAMLError as error:
        line = error.problem_mark.line + 1 if error.problem_mark else 1
        raise SettingsError(f"{path} (line {line}): expected YAML: {error.problem}") from None
    except (yaml.YAMLError, UnicodeDecodeError):
        raise SettingsError(f"{path}: expected YAML in UTF-8") from None
    except RecursionError:
        raise SettingsError(f"{path}: nested too deeply: expected settings") from None
    return Item(path, "", 1, None) if node is None else _item(path, "", node)


def _item(path: Path, key: str, node: yaml.Node) -> Item:
    line = node.start_mark.line + 1
    if isinstance(node, yaml.MappingNode):
        return Item(path, key, line, _pairs(path, key, node))
    if isinstance(node, yaml.SequenceNode):
        items = tuple(_item(path, f"{key}[{n}]", child) for n, child in enumerate(node.value))
        return Item(path, key, line, items)
    return Item(path, key, line, None if node.tag == _NULL_TAG else str(node.value))


def _pairs(path: Path, key: str, node: yaml.MappingNode) -> dict[str, Item]:
    pairs: dict[str, Item] = {}
    for key_node, value_node in node.value:
        line = key_node.start_mark.line + 1
        if not isinstance(key_node, yaml.ScalarNode):
            raise SettingsError(f"{path} (line {line}): expected a plain key")
        name = str(key_node.value)
        dotted = f"{key}.{name}" if key else name
        if name in pairs:
            raise SettingsError(f"{path}:{dotted} (line {line}): given twice: expected each key once")
        pairs[name] = _item(path, dotted, value_node)
    return pairs


def _listing(known: Collection[str] | None) -> str:
    return f": expected {', '.join(known)}" if known else ""
