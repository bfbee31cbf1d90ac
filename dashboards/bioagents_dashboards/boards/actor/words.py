"""Legends and words that several parts of the board use."""

from __future__ import annotations

from typing import Final

BY_ACTOR: Final = "{{fleet}} {{actor}}"

NO_JOB: Final = "no job, or no rules"
NO_ATTEMPT: Final = "no attempt has ended, or the rules are not loaded"
NO_FAILURE: Final = "nothing failed, or the rules are not loaded"
