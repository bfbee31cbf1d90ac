"""How wide a text is in Grafana, which cuts off a title or the head of a column that does not fit.

Grafana writes both in Inter, 14 pixels, medium weight. What it writes in cells is a little narrower.
"""

from __future__ import annotations

from typing import Final

#: Pixels → the characters that are so wide, its letter spacing included.
_CHARACTERS: Final = {
    3.7: "ijl ",
    4.2: "I,.:;!'",
    5.2: "t()/[]",
    5.6: "fr",
    6.0: "1",
    6.6: "-",
    7.7: "s",
    8.2: "7acekvxyzJL_",
    8.7: "25bdghnopquEF",
    9.2: "034689BPRSTZ",
    9.7: "KY+<=>",
    10.1: "ADVX",
    10.6: "CGHNOU",
    11.0: "Q",
    11.8: "w",
    12.6: "m“”…–",
    13.0: "M",
    14.2: "W%@",
}
_WIDTHS: Final = {character: pixels for pixels, characters in _CHARACTERS.items() for character in characters}


def width(text: str) -> float:
    """Pixels; KeyError for a character that no board uses so far."""
    return sum(_WIDTHS[character] for character in text)
