"""The lines that a push and a check print."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from bioagents_dashboards.push.plan import Place, Step, Verb, version_of
from bioagents_dashboards.push.survey import Leftover, Survey

DONE: Final[dict[Verb, str]] = {
    "create": "created", "update": "updated", "adopt": "adopted", "keep": "unchanged",
}  # fmt: skip
_WOULD: Final[dict[Verb, str]] = {
    "create": "would create", "update": "would update", "adopt": "would adopt", "keep": "unchanged",
}  # fmt: skip


def line(verb: str, what: str, where: str, note: str = "") -> str:
    """Columns that a person reads and a script splits."""
    return f"{verb:<12}  {what}  {where}" + (f"  ({note})" if note else "")


def folder(verb: str, place: Place, url: str) -> str:
    """About the folder."""
    return line(verb, f"folder {place.title!r}", f"{url}/dashboards/f/{place.uid}")


def board(verb: str, step: Step, url: str, note: str = "") -> str:
    """About a board of this version."""
    return line(verb, repr(step.title), f"{url}/d/{step.uid}", note)


def leftover(verb: str, found: Leftover, url: str) -> str:
    """About a board of another version."""
    note = "no longer shipped" + ("; push --prune removes it" if verb == "left" else "")
    return line(verb, repr(found.title), f"{url}/d/{found.uid}", note)


def untouched(found: Survey, url: str, *, prune: bool) -> Iterator[str]:
    """What a push left as it was."""
    yield from (board(DONE["keep"], step, url) for step in found.steps if step.verb == "keep")
    yield from (leftover("left", it, url) for it in found.leftovers if not prune)


def plan(found: Survey, url: str, *, prune: bool) -> Iterator[str]:
    """What a push would do, and what would change by it."""
    if found.makes_folder:
        yield folder("would create", found.place, url)
    for step in found.steps:
        yield board(_WOULD[step.verb], step, url, _why(step))
        if step.verb == "update":
            yield from (f"  {change}" for change in step.changes)
    yield from (leftover("would remove" if prune else "left", it, url) for it in found.leftovers)


def verdicts(found: Survey, url: str) -> Iterator[str]:
    """What a check finds."""
    for step in found.steps:
        verdict, note = verdict_on(step)
        yield board(verdict, step, url, note)
    yield from (leftover("left", it, url) for it in found.leftovers)


def verdict_on(step: Step) -> tuple[str, str]:
    """``current``, ``outdated``, ``edited`` or ``missing``, and what there is to say about it."""
    have, count = step.stored, len(step.changes)
    differences = f"{count} difference" + ("" if count == 1 else "s")
    if have is None:
        return "missing", ""
    if have.provisioned:
        return ("outdated" if count else "current"), "from a file" + (f", {differences}" if count else "")
    if step.verb == "keep":
        return "current", ""  # as we saved it; Grafana may have put its JSON into another form since
    if step.edited:
        return "edited", f"{version_of(have)}, {differences}"
    if step.changes:
        return "outdated", differences
    return "current", ""


def _why(step: Step) -> str:
    if step.verb == "update" and not step.changes:
        return "nothing that shows"
    if step.verb != "create":
        return ""
    panels = sum(panel["type"] != "row" for panel in step.board["panels"])
    return f"{panels} panels, {len(step.board['templating']['list'])} variables"
