"""What a line is called: its fleet, whatever else tells two targets apart, and what it is in the fleet.

Grafana leaves out a label that a series does not have.
"""

from __future__ import annotations

from typing import Final

from bioagents_dashboards.queries.promql import TARGET

FLEET: Final = " ".join(f"{{{{{label}}}}}" for label in TARGET)
BY_QUEUE: Final = FLEET + " {{queue}}"
BY_ACTOR: Final = FLEET + " {{actor}}"
BY_CAUSE: Final = FLEET + " {{queue}} {{actor}} {{exception}}"
BY_HOST: Final = FLEET + " {{host}}"
BY_WORKER: Final = FLEET + " {{host}}:{{pid}}"
BY_COPY: Final = FLEET + " {{instance}}"
