"""The argument parser of all commands: errors in one line, near misses named, help of a fixed width."""

from __future__ import annotations

import argparse
from collections.abc import Sequence
from typing import Any, Final, NoReturn

from bioagents_cli.errors import UsageError
from bioagents_cli.hints import did_you_mean

_WIDTH: Final = 100  # the same help on each terminal, and in the documentation


class Parser(argparse.ArgumentParser):
    """Flags in full, each at most once, no value repeated in an error that may be a secret."""

    def __init__(self, prog: str, *, description: str, example: str) -> None:
        super().__init__(
            prog=prog,
            usage="%(prog)s [flags]",
            description=description,
            epilog=f"example:\n  {example}",
            formatter_class=_Formatter,
            allow_abbrev=False,
        )

    def parse(self, argv: Sequence[str]) -> argparse.Namespace:
        """The values; UsageError for all that is not known."""
        self._refuse_repeated(argv)
        known, unknown = self.parse_known_args(list(argv))
        for argument in unknown:
            if argument.startswith("-"):
                flag = argument.split("=", 1)[0]
                raise UsageError(
                    f"unknown flag {flag}{did_you_mean(flag, self._flags())}: see {self.prog} --help"
                )
        if unknown:
            raise UsageError(f"expected a flag, got {_named(unknown[0], argv)}: see {self.prog} --help")
        return known

    def error(self, message: str) -> NoReturn:
        """Bad input, for ``bioagents`` to print."""
        raise UsageError(message)

    def _flags(self) -> list[str]:
        return [flag for action in self._actions for flag in action.option_strings]

    def _refuse_repeated(self, argv: Sequence[str]) -> None:
        given = [argument.split("=", 1)[0] for argument in argv if argument.startswith("--")]
        for action in self._actions:
            if isinstance(action, argparse._StoreAction):  # noqa: SLF001 - no public name for "takes a value"
                for flag in action.option_strings:
                    if given.count(flag) > 1:
                        raise UsageError(f"{flag} is given twice: expected each flag once")


def _named(value: str, argv: Sequence[str]) -> str:
    """The value in quotes; its place alone where it may be a part of a URL with a password, cut in two."""
    if "@" in value or any("://" in argument for argument in argv):
        return f"a value as argument {len(argv) - list(reversed(argv)).index(value)}"
    return repr(value)


class _Formatter(argparse.RawDescriptionHelpFormatter):
    def __init__(self, prog: str, **_: Any) -> None:  # noqa: ANN401 - newer versions pass colours
        super().__init__(prog, width=_WIDTH, max_help_position=38)
