"""Read everything, decide, then write: what can be refused is refused before the first change."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import dataclass
from typing import Final

from bioagents_cli.errors import UsageError
from bioagents_dashboards.locate import boards_folder
from bioagents_dashboards.push.errors import Conflict, GrafanaError, NoAnswer, NotFound
from bioagents_dashboards.push.grafana import Grafana
from bioagents_dashboards.push.plan import Board, Step, plan, with_source

#: Where new boards go when no folder is named.
DEFAULT_FOLDER: Final = "BioAgents Monitor"

_DONE: Final = {"create": "created", "update": "updated", "keep": "unchanged"}

Say = Callable[[str], None]


@dataclass(frozen=True, slots=True)
class Options:
    """What was asked for."""

    folder: str | None = None  # title or uid; None: the default one, for new boards alone
    source: str | None = None  # uid or name; None: Grafana's default
    dry_run: bool = False
    overwrite: bool = False


def shipped_boards() -> list[Board]:
    """The boards of this version."""
    files = sorted(boards_folder().glob("*.json"))
    if not files:
        raise UsageError(f"no board in {boards_folder()}: the installation is incomplete")
    return [json.loads(path.read_text(encoding="utf-8")) for path in files]


def push(grafana: Grafana, options: Options, say: Say) -> None:
    """Bring the boards in and say what was done; GrafanaError or UsageError with one line."""
    grafana.check()
    title = options.folder or DEFAULT_FOLDER
    folder = _Folder(title, _find(grafana.folders(), title))
    boards = _with_source(grafana, shipped_boards(), options.source)
    stored = {str(board["uid"]): grafana.board(str(board["uid"])) for board in boards}
    move = options.folder is not None
    steps = plan(boards, stored, folder=folder.uid, move=move, overwrite=options.overwrite)
    if options.dry_run:
        _tell(grafana, steps, folder, say)
    else:
        _apply(grafana, steps, folder, options, say)


@dataclass(frozen=True, slots=True)
class _Folder:
    """Where boards go that are nowhere yet, or that are to be moved."""

    title: str
    uid: str | None  # None: it is yet to be made

    def is_to_be_made(self, steps: list[Step]) -> bool:
        return self.uid is None and any(step.folder is None for step in steps)


def _apply(grafana: Grafana, steps: list[Step], folder: _Folder, options: Options, say: Say) -> None:
    made = grafana.create_folder(folder.title) if folder.is_to_be_made(steps) else ""
    saved: list[Step] = []
    try:
        for step in steps:
            _save(grafana, step, made, options)
            saved.append(step)
    except GrafanaError as error:
        raise _explained(grafana, error, made, saved) from error
    if made:
        say(f"created    folder {folder.title!r}")
    for step in steps:
        say(f"{_DONE[step.verb]:<10} {step.title!r}  {grafana.url}/d/{step.uid}")


def _save(grafana: Grafana, step: Step, made: str, options: Options) -> None:
    if step.verb != "keep":
        place = made if step.folder is None else step.folder
        grafana.save(
            step.board, folder=place, version=step.version, message=step.message, overwrite=options.overwrite
        )


def _explained(grafana: Grafana, error: GrafanaError, made: str, saved: list[Step]) -> GrafanaError:
    """The error and what stands now; a folder that we made for nothing goes again."""
    if isinstance(error, NoAnswer):
        return NoAnswer(f"{error}; whether it was saved is not known: run the command again")
    if made and not saved:
        grafana.delete_folder(made)
    done = ", ".join(repr(step.title) for step in saved if step.verb != "keep")
    kind = Conflict if isinstance(error, Conflict) else GrafanaError
    return kind(f"{error}; " + (f"saved before that: {done}" if done else "nothing was changed"))


def _tell(grafana: Grafana, steps: list[Step], folder: _Folder, say: Say) -> None:
    if folder.is_to_be_made(steps):
        say(f"would create    folder {folder.title!r}")
    for step in steps:
        verb = "unchanged" if step.verb == "keep" else f"would {step.verb}"
        say(f"{verb:<15} {step.title!r}  {grafana.url}/d/{step.uid}")


def _find(folders: dict[str, str], name: str) -> str | None:
    """The uid of the folder with this uid or else this title."""
    if name in folders:
        return name
    return next((uid for uid, title in folders.items() if title == name), None)


def _with_source(grafana: Grafana, boards: list[Board], name: str | None) -> list[Board]:
    if name is None:
        return boards
    try:
        source = grafana.source(name)
    except NotFound as error:
        raise GrafanaError(
            f"unknown data source {name!r}: expected the uid or name of one of {grafana.url}"
        ) from error
    if source.kind != "prometheus":
        raise GrafanaError(f"data source {name!r} is of type {source.kind!r}: expected a prometheus one")
    return [with_source(board, source) for board in boards]
