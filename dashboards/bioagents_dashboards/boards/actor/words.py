"""Words that several parts of the board use."""

from __future__ import annotations

from typing import Final

NO_JOB: Final = "no job, or no rules"
NO_ATTEMPT: Final = "no attempt has ended, or the rules are not loaded"
NO_FAILURE: Final = "nothing failed, or the rules are not loaded"
