"""The folder for the boards, under a uid that stays."""

from __future__ import annotations

import hashlib
import re
from dataclasses import dataclass
from typing import Final

from bioagents_cli.parsing import UsageError
from bioagents_dashboards.push.grafana import Folder, Grafana

#: Where new boards go when no folder is named.
DEFAULT_TITLE: Final = "BioAgents Monitor"
DEFAULT_UID: Final = "bioagents-monitor"


@dataclass(frozen=True, slots=True)
class Place:
    """A folder that is there, or is yet to be made."""

    uid: str
    title: str
    exists: bool
    writable: bool = True  # with this token


def find_place(grafana: Grafana, name: str | None) -> Place:
    """The folder with this uid (at any depth) or this title (at the root), else one to be made.

    A folder that we made and a person renamed since is found again by its uid.
    """
    wanted = DEFAULT_TITLE if name is None else name.strip()
    if not wanted:
        raise UsageError("--folder is empty: expected the title or uid of a folder")
    if re.fullmatch(r"[A-Za-z0-9_-]{1,40}", wanted) and (folder := grafana.folder(wanted)):
        return _there(wanted, folder)
    found = [uid for uid, title in grafana.folders().items() if title == wanted]
    if len(found) > 1:
        raise UsageError(
            f"{len(found)} folders have the title {wanted!r}: expected the uid of one of them in --folder"
        )
    uid = found[0] if found else _uid(wanted)
    folder = grafana.folder(uid)
    return _there(uid, folder) if folder else Place(uid, wanted, exists=False)


def _there(uid: str, folder: Folder) -> Place:
    return Place(uid, folder.title, exists=True, writable=folder.writable)


def _uid(title: str) -> str:
    """The same for the same title on every run, so that two runs at once make one folder."""
    if title == DEFAULT_TITLE:
        return DEFAULT_UID
    return f"bioagents-{hashlib.sha256(title.encode()).hexdigest()[:16]}"
