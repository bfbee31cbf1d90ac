"""``python -m bioagents_cli``."""

from __future__ import annotations

import sys

from bioagents_cli.main import main

if __name__ == "__main__":
    sys.exit(main())
