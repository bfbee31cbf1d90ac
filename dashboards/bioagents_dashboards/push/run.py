"""Push and check: what can be refused is refused before the first change."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field
from typing import Final

from bioagents_cli.parsing import UsageError
from bioagents_dashboards.push import report
from bioagents_dashboards.push.apply import carry_out
from bioagents_dashboards.push.grafana import Grafana
from bioagents_dashboards.push.plan import Step, version_of
from bioagents_dashboards.push.survey import Leftover, Requested, Survey, survey

Say = Callable[[str], None]

_EDITOR: Final = "expected a service account with the role Editor"


@dataclass(frozen=True, slots=True)
class Options:
    """What was asked of a push."""

    target: Requested = field(default_factory=Requested)
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


def check(grafana: Grafana, target: Requested, say: Say) -> bool:
    """Say of each board whether Grafana has it as this version ships it; whether all are current."""
    found = survey(grafana, target)
    for text in report.verdicts(found, grafana.url):
        say(text)
    return all(report.verdict_on(step)[0] == "current" for step in found.steps)


def refuse(found: Survey, *, overwrite: bool, prune: bool) -> None:
    """UsageError where a push would lose a person's work or cannot work."""
    reason = next(_reasons(found, overwrite=overwrite, prune=prune), "")
    if reason:
        raise UsageError(reason)


def _reasons(found: Survey, *, overwrite: bool, prune: bool) -> Iterator[str]:
    steps = found.steps
    if fixed := _titles(step for step in steps if step.stored and step.stored.provisioned):
        yield (
            f"{fixed}: from a file on Grafana's disk (provisioning); nothing was changed; replace that file "
            "instead"
        )
    edited = [f"{step.title!r} ({version_of(step.stored)})" for step in steps if step.edited and step.stored]
    if edited and not overwrite:
        yield (
            f"edited or imported by a person since our last push: {', '.join(edited)}; nothing was changed; "
            "--overwrite --dry-run says what would be lost; save a copy under another name, then use "
            "--overwrite"
        )
    may_not_save = (s for s in steps if s.stored and not s.stored.writable and s.verb != "keep")
    if closed := _titles(may_not_save):
        yield f"the token may not save {closed}; nothing was changed; {_EDITOR}"
    if not found.place.writable and any(step.enters(found.place) for step in steps):
        yield (
            f"the token may not save in the folder {found.place.title!r}; nothing was changed; expected a "
            "service account that may edit it"
        )
    kept = _titles(leftover for leftover in found.leftovers if not leftover.removable)
    if prune and kept:
        yield f"the token may not remove {kept}; nothing was changed; {_EDITOR}, or no --prune"


def _titles(of: Iterable[Step | Leftover]) -> str:
    return ", ".join(repr(one.title) for one in of)
