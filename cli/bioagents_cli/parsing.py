"""The argument parser of all commands, and the error of bad input.

Exception
└── UsageError    bad input: one line that names it and says what was expected; exit status 2
"""

from __future__ import annotations

import argparse
from collections.abc import Callable, Iterable, Sequence
from difflib import get_close_matches
from typing import Any, Final, NoReturn, TypeVar

T = TypeVar("T")

_WIDTH: Final = 100  # columns of the help text, the same on each terminal and in the documentation


class UsageError(Exception):
    """Bad input on the command line, in the environment or in a file of settings."""


def did_you_mean(given: str, known: Iterable[str]) -> str:
    """`` (did you mean <the most similar known>?)``, or an empty string if none is similar."""
    near = get_close_matches(given, list(known), 1)
    return f" (did you mean {near[0]}?)" if near else ""


def argument(parse: Callable[[str], T]) -> Callable[[str], T]:
    """The ``type`` of a flag whose values ``parse`` reads; the message of its ValueError reaches the user."""

    def parse_argument(text: str) -> T:
        try:
            return parse(text)
        except ValueError as error:
            raise argparse.ArgumentTypeError(f"{text!r}: {error}") from None

    return parse_argument


class Parser(argparse.ArgumentParser):
    """Accepts each flag once and unabbreviated; an error never repeats a value that may be a secret."""

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
        """The values of the flags; raises UsageError for an unknown flag or any other argument."""
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
        """Raise UsageError instead of argparse's exit; ``bioagents`` prints it."""
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
    """The value in quotes; only its position if it may be part of a URL with a password, split in two."""
    if "@" in value or any("://" in argument for argument in argv):
        return f"a value as argument {len(argv) - list(reversed(argv)).index(value)}"
    return repr(value)


class _Formatter(argparse.RawDescriptionHelpFormatter):
    def __init__(self, prog: str, **_: Any) -> None:  # noqa: ANN401 - newer versions pass colours
        super().__init__(prog, width=_WIDTH, max_help_position=38)
