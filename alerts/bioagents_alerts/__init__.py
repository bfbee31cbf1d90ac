"""The Prometheus rules and the Alertmanager configuration as files, and copies of them for tests and demos.

The rules themselves are plain YAML beside this package (``alerts/rules``); a wheel carries them inside it.
Needs PyYAML (the extras ``exporter`` and ``demo`` bring it).
"""

from bioagents_alerts.locate import alertmanager_file, rules_folder
from bioagents_alerts.scale import scale_durations
from bioagents_alerts.write import write_alertmanager, write_prometheus, write_rules

__all__ = [
    "alertmanager_file",
    "rules_folder",
    "scale_durations",
    "write_alertmanager",
    "write_prometheus",
    "write_rules",
]
