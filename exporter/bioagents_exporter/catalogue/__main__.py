"""``python -m bioagents_exporter.catalogue > docs/reference/metrics.md``."""

from __future__ import annotations

import sys

from bioagents_exporter.catalogue.reference import page
from bioagents_exporter.settings.model import DEFAULT_PREFIX

if __name__ == "__main__":
    sys.stdout.write(page(DEFAULT_PREFIX))
