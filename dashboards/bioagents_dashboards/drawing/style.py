"""What colours and thresholds mean, the same on every board.

The colours are told apart with every common kind of colour blindness (the palette of Okabe and Ito), and none
stands alone: a value, a name or a dashed line says the same.
"""

from __future__ import annotations

from typing import Final

from grafana_foundation_sdk.builders import dashboard as build
from grafana_foundation_sdk.models import dashboard as model

GOOD: Final = "#0072B2"  # blue
WARN: Final = "#E69F00"  # orange
BAD: Final = "#D55E00"  # vermilion
NEUTRAL: Final = "#8C8C8C"  # grey: nothing to judge


def thresholds(base: str, *steps: tuple[float, str]) -> build.ThresholdsConfig:
    """``base`` below the first step, then the colour of each step from its value on."""
    levels = [model.Threshold(value=None, color=base)]
    levels += [model.Threshold(value=value, color=color) for value, color in steps]
    return build.ThresholdsConfig().mode(model.ThresholdsMode.ABSOLUTE).steps(levels)


def or_unknown(judged: build.ThresholdsConfig, unknown: str = NEUTRAL) -> build.ThresholdsConfig:
    """The same, and ``unknown`` where there is no number at all: Grafana takes none for less than any."""
    base, *steps = judged.build().steps
    levels = [
        model.Threshold(value=None, color=unknown),
        model.Threshold(value=-1e15, color=base.color),
        *steps,
    ]
    return build.ThresholdsConfig().mode(model.ThresholdsMode.ABSOLUTE).steps(levels)


def no_judgement() -> build.ThresholdsConfig:
    """For a number that is neither good nor bad by itself."""
    return thresholds(NEUTRAL)


def any_is_bad() -> build.ThresholdsConfig:
    """For what should be 0."""
    return thresholds(GOOD, (1, BAD))


def more_than_none() -> build.ThresholdsConfig:
    """For a rate that should be 0: one event in a quarter of an hour is enough."""
    return thresholds(GOOD, (0.001, BAD))


def share_of_limit(good: str = GOOD) -> build.ThresholdsConfig:
    """For shares of a limit: the limits are metrics, so these two steps hold for every queue."""
    return thresholds(good, (0.7, WARN), (1, BAD))


def budget_left(good: str = GOOD) -> build.ThresholdsConfig:
    """For what is left of an error budget; below 0 it is overspent."""
    return thresholds(BAD, (0, WARN), (0.3, good))


def value_text(value: str, text: str, color: str | None = None) -> model.ValueMap:
    """Shows ``text`` instead of ``value``."""
    return model.ValueMap(options={value: model.ValueMappingResult(text=text, color=color)})


def pattern_text(pattern: str, color: str) -> model.RegexMap:
    """Colours the values that a regular expression matches."""
    result = model.ValueMappingResult(color=color)
    return model.RegexMap(options=model.DashboardRegexMapOptions(pattern=pattern, result=result))


def endless(text: str, color: str = BAD) -> model.RangeMap:
    """Shows ``text`` instead of +Inf."""
    result = model.ValueMappingResult(text=text, color=color)
    return model.RangeMap(options=model.DashboardRangeMapOptions(from_val=1e15, to=None, result=result))


def mapped(*mappings: model.ValueMap | model.RangeMap | model.RegexMap) -> model.DynamicConfigValue:
    """The texts and colours of a column's values."""
    return model.DynamicConfigValue("mappings", [mapping.to_json() for mapping in mappings])
