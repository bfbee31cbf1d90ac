"""Settings: flags, then environment, then a YAML file, then defaults; validated once into a frozen value."""

from bioagents_exporter.settings.errors import SettingsError
from bioagents_exporter.settings.limits import Limits, QueueLimits
from bioagents_exporter.settings.model import CollectWorkers, Settings
from bioagents_exporter.settings.secret import Secret, masked

__all__ = ["CollectWorkers", "Limits", "QueueLimits", "Secret", "Settings", "SettingsError", "masked"]
