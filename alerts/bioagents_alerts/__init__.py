"""The Prometheus rules, and the Alertmanager configuration as files.

The rules are Python (:mod:`bioagents_alerts.source`), from which ``alerts/rules/*.yml`` is generated. The
base install is enough for them; the functions that write configurations need PyYAML.
"""

from bioagents_alerts.files import (
    alertmanager_file,
    rules_folder,
    write_alertmanager,
    write_prometheus,
    write_rules,
)
from bioagents_alerts.source import record_names

__all__ = [
    "alertmanager_file",
    "record_names",
    "rules_folder",
    "write_alertmanager",
    "write_prometheus",
    "write_rules",
]
