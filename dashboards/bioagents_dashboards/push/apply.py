"""Carry a plan out, board by board; where it breaks off, tell the exact state."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass

from bioagents_dashboards.push import report
from bioagents_dashboards.push.errors import Conflict, GrafanaError, NoAnswer, NotFound
from bioagents_dashboards.push.grafana import Grafana
from bioagents_dashboards.push.plan import Step
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
    for task in tasks:
        try:
            _surely(task)
        except GrafanaError as error:
            raise GrafanaError(f"{error}; {_state(grafana, found, tasks, done, error)}") from error
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


def _surely(task: _Task) -> None:
    """Where an answer does not tell that it was done (another run may do the same), look at Grafana."""
    try:
        task.act()
    except (NoAnswer, Conflict, NotFound) as error:
        try:
            happened = task.happened()
        except GrafanaError:
            raise error from None
        if not happened:
            raise (_NotDone(str(error)) if isinstance(error, NoAnswer) else error) from error


class _NotDone(GrafanaError):  # noqa: N818 - what happened
    """No answer, and Grafana was seen not to have done it."""


def _state(
    grafana: Grafana, found: Survey, tasks: list[_Task], done: list[_Task], error: GrafanaError
) -> str:
    """What stands now that ``error`` ended the run."""
    unknown = tasks[len(done)].name if isinstance(error, NoAnswer) else ""
    rest = [task.name for task in tasks[len(done) + bool(unknown) :]]
    if not unknown and (not done or (found.makes_folder and len(done) == 1 and _undo_folder(grafana, found))):
        return "nothing was changed"
    said = {"done": [task.name for task in done], "not known": [unknown] if unknown else [], "not done": rest}
    parts = [f"{words}: {', '.join(names)}" for words, names in said.items() if names]
    return "; ".join((*parts, "run the command again"))


def _undo_folder(grafana: Grafana, found: Survey) -> bool:
    """A folder that was made for nothing goes again, if Grafana lets us."""
    try:
        grafana.delete_folder(found.place.uid)
    except GrafanaError:
        return False
    return True
