"""What a command line can get wrong.

Exception
└── UsageError    bad input: one line that names it and says what was expected; exit status 2
"""

from __future__ import annotations


class UsageError(Exception):
    """Bad input of whoever called the command."""
