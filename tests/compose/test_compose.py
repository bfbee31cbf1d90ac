"""``docker-compose.monitoring.yml`` as the real Docker Compose reads it."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import pytest

from support.checkout import COMPOSE_FILE, ROOT, compose, resolved

SERVICES = resolved()["services"]
OURS = {"chat", "deep-research", "exporter"}
WORKERS = {"chat", "deep-research"}
EACH = pytest.mark.parametrize("service", SERVICES.values(), ids=SERVICES)


def seconds(duration: str) -> float:
    """Compose writes ``8h10m0s``."""
    units = {"h": 3600, "m": 60, "s": 1}
    return sum(float(number) * units[unit] for number, unit in re.findall(r"([\d.]+)([hms])", duration))


def flag(service: dict[str, Any], name: str) -> str:
    return str(service["command"][service["command"].index(name) + 1])


def test_compose_accepts_the_file() -> None:
    """Without output: no error, no warning about a variable that is not set or an obsolete key."""
    result = compose("--quiet")
    assert (result.returncode, result.stdout, result.stderr) == (0, "", "")


def test_services() -> None:
    """All services of the chain, and no others."""
    assert set(SERVICES) == {*OURS, "redis", "prometheus", "alertmanager", "grafana"}


@EACH
def test_images_are_pinned(service: dict[str, Any]) -> None:
    """A full version in each tag; `latest` would change under a running fleet."""
    assert re.fullmatch(r"[a-z/-]+:v?\d+\.\d+\.\d+[a-z0-9.-]*", service["image"])


#: The last release with security fixes of each line: Lua (CVE-2025-49844) and ACL of Redis, libraries of
#: Prometheus (CVE-2026-56852), Grafana (September 2026); for Alertmanager the one that fixes inhibitions.
PATCHED = {
    "redis": "8.2.10",
    "prom/prometheus": "3.13.2",
    "prom/alertmanager": "0.34.1",
    "grafana/grafana": "12.4.11",
}


def test_images_have_no_known_vulnerability() -> None:
    """No image of others is older than its last release with security fixes that we know of."""
    images = dict(service["image"].split(":") for service in SERVICES.values())
    others = {name: version(tag) for name, tag in images.items() if not name.startswith("bioagents-monitor/")}
    assert {*others} == {*PATCHED}
    assert [name for name, found in others.items() if found < version(PATCHED[name])] == []


def version(tag: str) -> tuple[int, ...]:
    """``v3.13.2`` and ``8.2.10-bookworm`` as numbers."""
    return tuple(int(part) for part in tag.removeprefix("v").partition("-")[0].split("."))


def test_one_service_builds_each_of_our_images() -> None:
    """Two builds of one tag at the same time replace each other; who does not build must not pull either."""
    ours = [(s["image"], "build" in s, s.get("pull_policy")) for name, s in SERVICES.items() if name in OURS]
    assert sorted(image for image, builds, _ in ours if builds) == sorted({image for image, _, _ in ours})
    assert [policy for _, builds, policy in ours if not builds] == ["never"]


@EACH
def test_memory_is_limited(service: dict[str, Any]) -> None:
    """A leak in one container does not take the memory of the others; WorkerMemoryHigh needs it too."""
    assert int(service["mem_limit"]) >= 128 << 20


def test_redis_is_full_before_its_container_is() -> None:
    """RedisMemoryHigh compares with ``maxmemory``; the rest is for the copy that writes the file."""
    redis = SERVICES["redis"]
    (size,) = re.fullmatch(r"(\d+)mb", flag(redis, "--maxmemory")).groups()  # type: ignore[union-attr]
    assert 2 * (int(size) << 20) <= int(redis["mem_limit"])


@EACH
def test_logs_are_rotated(service: dict[str, Any]) -> None:
    """Docker keeps the whole output of a container by default."""
    assert service["logging"] == {"driver": "json-file", "options": {"max-size": "10m", "max-file": "3"}}


@EACH
def test_services_are_restarted(service: dict[str, Any]) -> None:
    """After a crash and after a reboot, unless they were stopped manually."""
    assert service["restart"] == "unless-stopped"


@EACH
def test_services_have_no_privileges(service: dict[str, Any]) -> None:
    """No capabilities, no new privileges, never privileged."""
    assert service["cap_drop"] == ["ALL"]
    assert service["security_opt"] == ["no-new-privileges:true"]
    assert not service.get("privileged")


@EACH
def test_ports_are_on_loopback(service: dict[str, Any]) -> None:
    """No port is open to the network by default."""
    assert all(port["host_ip"] == "127.0.0.1" for port in service.get("ports", []))


@EACH
def test_mounts_exist_and_are_read_only(service: dict[str, Any]) -> None:
    """Docker would create an empty folder for a missing file."""
    for mount in service.get("volumes", []):
        if mount["type"] == "bind":
            assert Path(mount["source"]).exists()
            assert Path(mount["source"]).is_relative_to(ROOT)
            assert mount["read_only"]


def test_health_is_checked() -> None:
    """Every service has a health check but the workers, which send heartbeats."""
    assert {name for name, service in SERVICES.items() if "healthcheck" not in service} == WORKERS


def test_redis_keeps_jobs_and_is_isolated() -> None:
    """AOF, no eviction, no port, an internal network that only workers and exporter share."""
    redis = SERVICES["redis"]
    assert flag(redis, "--appendonly") == "yes"
    assert flag(redis, "--maxmemory-policy") == "noeviction"
    assert "ports" not in redis
    assert set(redis["networks"]) == {"broker"}
    assert resolved()["networks"]["broker"]["internal"]
    connected = {name for name, service in SERVICES.items() if "broker" in service["networks"]}
    assert connected == {"redis", *OURS}


@pytest.mark.parametrize("name", sorted(WORKERS))
def test_workers_can_finish_their_jobs(name: str) -> None:
    """Docker waits longer than Dramatiq's shutdown timeout before it kills a worker."""
    worker = SERVICES[name]
    assert seconds(worker["stop_grace_period"]) > float(flag(worker, "--shutdown-timeout"))
    assert flag(worker, "--queues") == name


def test_deep_research_has_its_eight_hours() -> None:
    """The shutdown timeout is as long as the longest job of the reference fleet."""
    assert float(flag(SERVICES["deep-research"], "--shutdown-timeout")) >= 8 * 3600


@pytest.mark.parametrize("name", sorted(OURS))
def test_our_containers_are_read_only(name: str) -> None:
    """A read-only root file system, /tmp in memory, and an init process that forwards signals."""
    service = SERVICES[name]
    assert service["read_only"]
    assert service["init"]
    assert service["tmpfs"] == ["/tmp"]  # noqa: S108 - of the container


def test_our_services_wait_for_redis() -> None:
    """They start when Redis has loaded its data set."""
    for name in OURS:
        assert SERVICES[name]["depends_on"]["redis"]["condition"] == "service_healthy"


def test_exporter_reads_as_its_own_user() -> None:
    """Not as the worker's user, which may write."""
    assert SERVICES["exporter"]["environment"]["REDIS_URL"].startswith("redis://exporter:")


def test_documented_command_names_the_file() -> None:
    """The page and the file name the same command."""
    command = f"docker compose -f {COMPOSE_FILE.name} up --build --detach"
    assert command in COMPOSE_FILE.read_text()
    assert command in (ROOT / "docs/how-to/docker-compose.md").read_text()
