"""Apply a plan board by board; after an error, report exactly what is done and what is not."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass

from bioagents_dashboards.push import report
from bioagents_dashboards.push.grafana import Grafana
from bioagents_dashboards.push.http import Conflict, GrafanaError, NoAnswer, NotFound
from bioagents_dashboards.push.plan import Place, Step
from bioagents_dashboards.push.survey import Leftover, Survey

Say = Callable[[str], None]


@dataclass(frozen=True, slots=True)
class _Task:
    """One change."""

    name: str
    act: Callable[[], None]
    happened: Callable[[], bool]  # whether Grafana is as it is to be after it
    done: str  # the line for people


def carry_out(grafana: Grafana, found: Survey, say: Say, *, prune: bool) -> None:
    """Make the folder, save the boards, remove the leftovers; each is said once it is done."""
    tasks = list(_tasks(grafana, found, prune=prune))
    done: list[_Task] = []
    made_folder = False
    for task in tasks:
        try:
            answered = _surely(task)
        except GrafanaError as error:
            folder = found.place if made_folder else None
            state, undone = _state(grafana, folder, tasks, done, error)
            if undone:
                say(report.folder("removed", found.place, grafana.url))
            raise GrafanaError(f"{error}; {state}") from error
        made_folder = made_folder or (found.makes_folder and not done and answered)
        say(task.done)
        done.append(task)
    for text in report.untouched(found, grafana.url, prune=prune):
        say(text)


def _tasks(grafana: Grafana, found: Survey, *, prune: bool) -> Iterator[_Task]:
    if found.makes_folder:
        yield _folder(grafana, found)
    yield from (_board(grafana, step) for step in found.steps if step.verb != "keep")
    yield from (_removal(grafana, leftover) for leftover in found.leftovers if prune)


def _folder(grafana: Grafana, found: Survey) -> _Task:
    place = found.place
    return _Task(
        f"folder {place.title!r}",
        lambda: grafana.create_folder(place.uid, place.title),
        lambda: grafana.folder(place.uid) is not None,
        report.folder("created", place, grafana.url),
    )


def _board(grafana: Grafana, step: Step) -> _Task:
    def happened() -> bool:
        have = grafana.board(step.uid)
        return have is not None and have.message == step.message and have.version > step.version

    return _Task(
        repr(step.title),
        lambda: grafana.save(step.board, folder=step.folder, version=step.version, message=step.message),
        happened,
        report.board(report.DONE[step.verb], step, grafana.url),
    )


def _removal(grafana: Grafana, leftover: Leftover) -> _Task:
    return _Task(
        f"removal of {leftover.title!r}",
        lambda: grafana.delete(leftover.uid),
        lambda: grafana.board(leftover.uid) is None,
        report.leftover("removed", leftover, grafana.url),
    )


def _surely(task: _Task) -> bool:
    """Run a task; where the answer leaves open whether it was applied, ask Grafana.

    True when it was certainly this run that did it.
    """
    try:
        task.act()
    except (NoAnswer, Conflict, NotFound) as error:
        try:
            happened = task.happened()
        except GrafanaError:
            raise error from None
        if not happened:
            raise (_NotDone(str(error)) if isinstance(error, NoAnswer) else error) from error
        return False
    return True


class _NotDone(GrafanaError):  # noqa: N818 - what happened
    """Grafana did not answer, and a later request showed that it did not apply the change."""


def _state(
    grafana: Grafana, folder: Place | None, tasks: list[_Task], done: list[_Task], error: GrafanaError
) -> tuple[str, bool]:
    """What is done after ``error``, and whether ``folder``, which this run created, was removed again."""
    unknown = tasks[len(done)].name if isinstance(error, NoAnswer) else ""
    rest = [task.name for task in tasks[len(done) + bool(unknown) :]]
    undone = bool(not unknown and folder and len(done) == 1 and _undo_folder(grafana, folder.uid))
    if undone or not (unknown or done):
        return "nothing was changed", undone
    said = {"done": [task.name for task in done], "not known": [unknown] if unknown else [], "not done": rest}
    parts = [f"{words}: {', '.join(names)}" for words, names in said.items() if names]
    return "; ".join((*parts, "run the command again")), False


def _undo_folder(grafana: Grafana, uid: str) -> bool:
    """Remove a folder of this run, if it is empty and the token may do so; whether it is removed."""
    try:
        if not grafana.is_empty(uid):
            return False
        grafana.delete_folder(uid)
    except GrafanaError:
        return False
    return True
