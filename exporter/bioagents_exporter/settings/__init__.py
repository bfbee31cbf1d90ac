"""Settings: flags, then environment, then a YAML file, then defaults; validated once into a frozen value."""

from bioagents_exporter.settings.errors import Secret, SettingsError, masked
from bioagents_exporter.settings.model import (
    DEFAULT_LISTEN_ADDRESS,
    DEFAULT_PREFIX,
    CollectWorkers,
    Limits,
    QueueLimits,
    Settings,
)

__all__ = [
    "DEFAULT_LISTEN_ADDRESS",
    "DEFAULT_PREFIX",
    "CollectWorkers",
    "Limits",
    "QueueLimits",
    "Secret",
    "Settings",
    "SettingsError",
    "masked",
]
