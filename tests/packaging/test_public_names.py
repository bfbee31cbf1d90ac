"""The public names: what an application may import."""

from __future__ import annotations

import importlib

import pytest

PUBLIC = {
    "bioagents_worker": {"ConfigurationError", "JobMetrics", "__version__"},
    "bioagents_worker.wire": {
        "BUCKETS", "COUNTERS", "DROPPED", "DURATION", "EPOCH", "ERROR_CAUSES", "ETA_OPTION",
        "MAX_EXCEPTIONS", "MAX_LISTED_JOBS", "OTHER", "READINGS", "READY_OF_OPTION", "READY_OPTION",
        "REDIS_ID_OPTION", "REQUEUED_OPTION", "SERVER", "SILENT", "SWEPT", "UNKNOWN_ACTOR", "WAIT",
        "WHOLE_FLEET", "WIRE_VERSION", "ActorField", "Count", "Identity", "Keys", "Milliseconds", "Offset",
        "RedisMessageId", "RunningJob", "Seconds", "State", "boots_field", "bucket_field", "counter_field",
        "decode_state", "due_time", "encode_beat", "encode_identity", "errors_field", "failures_field",
        "first_stamp", "hash_tag", "is_alive", "milliseconds", "missing_after", "own_stamp",
        "parse_actor_field", "parse_boots_field", "parse_errors_field", "parse_namespace", "ready_time",
        "ready_when_due", "ready_when_enqueued", "split_beat", "sum_field", "text",
    },
    "bioagents_alerts": {
        "alertmanager_file", "record_names", "rules_folder",
        "write_alertmanager", "write_prometheus", "write_rules",
    },
}  # fmt: skip

#: Packages without a public Python API.
INNER = ("bioagents_cli", "bioagents_dashboards", "bioagents_demo", "bioagents_exporter")


@pytest.mark.parametrize("package", PUBLIC)
def test_public_names_are_locked(package: str) -> None:
    """``__all__`` is this set, and each of its names exists."""
    module = importlib.import_module(package)
    assert set(module.__all__) == PUBLIC[package]
    assert all(hasattr(module, name) for name in module.__all__)


@pytest.mark.parametrize("package", INNER)
def test_other_packages_have_no_public_names(package: str) -> None:
    """A package with ``__all__`` belongs to PUBLIC."""
    assert not hasattr(importlib.import_module(package), "__all__")
