"""What colours and thresholds mean, the same on every board.

The palette of Okabe and Ito is distinguishable with every common kind of colour blindness. No colour is the
only sign: a value, a name or a dashed line says the same.

Three of its colours are darker or lighter here: Grafana writes light text on a background up to a brightness
of 180 of 255 and dark text on a brighter one, and every text needs a contrast of 4.5 to 1 (WCAG 2, AA).
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final, TypeAlias

from grafana_foundation_sdk.builders import dashboard as build
from grafana_foundation_sdk.models import dashboard as model

GOOD: Final = "#0072B2"  # blue
WARN: Final = "#F5B82E"  # orange, light enough for dark text
BAD: Final = "#BF4A00"  # vermilion
NEUTRAL: Final = "#6E6E6E"  # grey: nothing to judge
#: In tables a good value needs no colour.
CLEAR: Final = "transparent"


def per_second(things: str) -> str:
    """The unit of a rate, as "9 jobs/s"; Grafana's own unit for rates says operations ("ops/s")."""
    return f"count:{things}/s"


JOBS: Final = per_second("jobs")
ATTEMPTS: Final = per_second("attempts")
ERRORS: Final = per_second("errors")

#: Below any value that a panel shows.
_LOWEST: Final = -1e15
_INFINITE: Final = 1e15

ValueMapping: TypeAlias = model.ValueMap | model.RangeMap | model.RegexMap


@dataclass(frozen=True, slots=True)
class Thresholds:
    """``base`` below the first step, then the colour of each step from its value on."""

    base: str
    steps: tuple[tuple[float, str], ...] = ()

    def plain(self) -> build.ThresholdsConfig:
        """For graphs, where every point has a value."""
        return _absolute((None, self.base), *self.steps)

    def or_unknown(self, unknown: str = NEUTRAL) -> build.ThresholdsConfig:
        """With ``unknown`` where there is no value: Grafana compares a missing one as the lowest."""
        return _absolute((None, unknown), (_LOWEST, self.base), *self.steps)


def _absolute(*levels: tuple[float | None, str]) -> build.ThresholdsConfig:
    steps = [model.Threshold(value=value, color=color) for value, color in levels]
    return build.ThresholdsConfig().mode(model.ThresholdsMode.ABSOLUTE).steps(steps)


def thresholds(base: str, *steps: tuple[float, str]) -> Thresholds:
    """``base`` below the first step, then the colour of each step from its value on."""
    return Thresholds(base, steps)


#: For a number that is neither good nor bad by itself.
NOT_JUDGED: Final = thresholds(NEUTRAL)
#: For a number that should be 0.
ANY_IS_BAD: Final = thresholds(GOOD, (1, BAD))
#: For a rate that should be 0: one event in a quarter of an hour is enough.
ANY_RATE_IS_BAD: Final = thresholds(GOOD, (0.001, BAD))
#: For 1 (up) and 0 (down).
UP: Final = thresholds(BAD, (1, GOOD))


def share_of_limit(good: str = GOOD) -> Thresholds:
    """For shares of a limit: the limits are metrics, so these two steps hold for every queue."""
    return thresholds(good, (0.7, WARN), (1, BAD))


def budget_left(good: str = GOOD) -> Thresholds:
    """For the rest of an error budget; below 0 it is overspent."""
    return thresholds(BAD, (0, WARN), (0.3, good))


def value_text(value: str, text: str, color: str | None = None) -> model.ValueMap:
    """Shows ``text`` instead of ``value``."""
    return model.ValueMap(options={value: model.ValueMappingResult(text=text, color=color)})


def pattern_text(pattern: str, color: str) -> model.RegexMap:
    """Colours the values that a regular expression matches."""
    result = model.ValueMappingResult(color=color)
    return model.RegexMap(options=model.DashboardRegexMapOptions(pattern=pattern, result=result))


def infinite(text: str, color: str = BAD) -> model.RangeMap:
    """Shows ``text`` instead of +Inf."""
    result = model.ValueMappingResult(text=text, color=color)
    return model.RangeMap(options=model.DashboardRangeMapOptions(from_val=_INFINITE, to=None, result=result))


#: Shows 1 and 0 as words.
UP_OR_DOWN: Final = (value_text("1", "up", GOOD), value_text("0", "DOWN", BAD))
