"""What a push may not do: refused before the first change, naming all that is concerned."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Final

from bioagents_cli.parsing import UsageError
from bioagents_dashboards.push.plan import Step, version_of
from bioagents_dashboards.push.survey import Leftover, Survey

_EDITOR: Final = "expected a service account with the role Editor"


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
