"""Colours of the boards: every text on a background of ours can be read, in both themes of Grafana."""

from __future__ import annotations

import json
import re
from itertools import combinations
from typing import Final

from bioagents_boards import style
from support.boards import boards, hold

#: The level AA of WCAG 2 for text.
READABLE: Final = 4.5
#: The same for what is no text, as lines and bars.
VISIBLE: Final = 3.0

#: Grafana's texts on a colour: dark where the colour is brighter than this, else light.
BRIGHT: Final = 180
DARK_TEXT, LIGHT_TEXT = "#202226", "#f7f8fa"

#: Backgrounds of panels, in the light theme and in the dark one.
PANELS: Final = ("#ffffff", "#181b1f")

#: The colours that the boards give to backgrounds, by name.
COLOURS: Final = {
    name: value
    for name, value in vars(style).items()
    if isinstance(value, str) and re.fullmatch(r"#[0-9A-F]{6}", value)
}


def channels(colour: str) -> list[int]:
    return [int(colour[place : place + 2], 16) for place in (1, 3, 5)]


def luminance(colour: str) -> float:
    """Relative luminance as WCAG 2 defines it."""
    shares = (channel / 255 for channel in channels(colour))
    red, green, blue = (s / 12.92 if s <= 0.04045 else ((s + 0.055) / 1.055) ** 2.4 for s in shares)
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue


def contrast(one: str, other: str) -> float:
    """From 1, the same, to 21, black on white."""
    darker, lighter = sorted((luminance(one), luminance(other)))
    return (lighter + 0.05) / (darker + 0.05)


def text_on(colour: str) -> str:
    """The colour of Grafana's text on a background, by the formula for brightness that it uses."""
    red, green, blue = channels(colour)
    return DARK_TEXT if (299 * red + 587 * green + 114 * blue) / 1000 > BRIGHT else LIGHT_TEXT


def test_contrast_is_what_wcag_defines() -> None:
    """Black on white is 21 to 1; the white on amber that could not be read was 2.25 to 1."""
    assert round(contrast("#000000", "#ffffff"), 2) == 21
    assert round(contrast("#E69F00", "#ffffff"), 2) == 2.25


def test_text_on_each_colour_can_be_read() -> None:
    """Tiles and cells: Grafana's text on each of our backgrounds."""
    hold(COLOURS.values(), lambda colour: _at_least(READABLE, colour, text_on(colour)))


def _at_least(least: float, one: str, other: str) -> None:
    assert contrast(one, other) >= least, f"{one} on {other}: {contrast(one, other):.2f}"


def test_colours_can_be_seen_on_a_panel() -> None:
    """Lines and bars in both themes; orange in the light one is only ever an area with a name."""
    pairs = [
        (c, panel) for c in COLOURS.values() for panel in PANELS if (c, panel) != (style.WARN, PANELS[0])
    ]
    hold(pairs, lambda pair: _at_least(VISIBLE, *pair))


def test_colours_of_the_boards_are_those_of_the_style() -> None:
    """No board has a colour of its own, which no test here would see."""
    found = set(re.findall(r"#[0-9A-Fa-f]{6}", json.dumps(boards())))
    assert found == set(COLOURS.values())


def test_what_is_good_differs_from_what_is_bad() -> None:
    """Two meanings have no colour in common."""
    assert all(one != other for one, other in combinations(COLOURS.values(), 2))
