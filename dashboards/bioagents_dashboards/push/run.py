"""Push and check: what can be refused is refused before the first change."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field

from bioagents_dashboards.push import report
from bioagents_dashboards.push.apply import carry_out
from bioagents_dashboards.push.grafana import Grafana
from bioagents_dashboards.push.refusals import refuse
from bioagents_dashboards.push.survey import Target, survey

Say = Callable[[str], None]


@dataclass(frozen=True, slots=True)
class Options:
    """What was asked of a push."""

    target: Target = field(default_factory=Target)
    dry_run: bool = False
    overwrite: bool = False
    prune: bool = False


def push(grafana: Grafana, options: Options, say: Say) -> None:
    """Bring the boards in and say what was done; GrafanaError or UsageError with one line."""
    found = survey(grafana, options.target)
    refuse(found, overwrite=options.overwrite, prune=options.prune)
    if options.dry_run:
        for text in report.plan(found, grafana.url, prune=options.prune):
            say(text)
    else:
        carry_out(grafana, found, say, prune=options.prune)


def check(grafana: Grafana, target: Target, say: Say) -> bool:
    """Say of each board whether Grafana has it as this version ships it; whether all are current."""
    found = survey(grafana, target)
    for text in report.verdicts(found, grafana.url):
        say(text)
    return all(report.verdict_on(step)[0] == "current" for step in found.steps)
