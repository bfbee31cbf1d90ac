"""The parts of a line of the exposition format."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from bioagents_exporter.derive.family import Number

_LABEL_ESCAPES: Final = str.maketrans({"\\": r"\\", '"': r"\"", "\n": r"\n"})
_HELP_ESCAPES: Final = str.maketrans({"\\": r"\\", "\n": r"\n"})


def label(name: str, value: str) -> str:
    r"""``name="value"``; bytes of a name that are no UTF-8 (lone surrogates) are shown as ``\udcXX``."""
    if not value.isascii():
        value = value.encode("utf-8", "backslashreplace").decode()
    return f'{name}="{value if value.isalnum() else value.translate(_LABEL_ESCAPES)}"'


def help_text(text: str) -> str:
    """The text of a HELP line."""
    return text.translate(_HELP_ESCAPES)


def bound(upper: float) -> str:
    """The value of ``le``: always a float, since Prometheus 3 stores it as one."""
    return repr(float(upper))


def numbers(values: Sequence[Number]) -> list[str]:
    """Values as text that reads back exactly; integers without ``.0``.

    All at once: a call for each number costs twice as much as the number itself.
    """
    if set(map(type, values)) == {int}:
        return list(map(repr, values))
    joined = "\n".join(map(repr, values)) + "\n"
    joined = joined.replace(".0\n", "\n")
    if "n" in joined:  # inf or nan: no other number has the letter
        joined = joined.replace("-inf\n", "-Inf\n").replace("inf\n", "+Inf\n").replace("nan\n", "NaN\n")
    return joined.split("\n")[:-1]
