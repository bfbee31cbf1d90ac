"""Memory limits in the layouts of hosts and containers."""

from __future__ import annotations

import os
from pathlib import Path

import psutil

from bioagents_worker._resources import Resources, memory_limit


def layout(tmp_path: Path, cgroup: str, files: dict[str, str]) -> tuple[Path, Path]:
    proc, root = tmp_path / "proc", tmp_path / "cgroup"
    (proc / "self").mkdir(parents=True)
    (proc / "self" / "cgroup").write_text(cgroup)
    root.mkdir()
    for name, text in files.items():
        (root / name).parent.mkdir(parents=True, exist_ok=True)
        (root / name).write_text(text)
    return proc, root


def test_cgroup_v2_takes_the_smallest_of_all_parents(tmp_path: Path) -> None:
    """A limit of a parent holds for its children."""
    files = {"a/b/memory.max": "max\n", "a/memory.max": "1048576\n"}
    assert memory_limit(*layout(tmp_path, "0::/a/b\n", files)) == 1_048_576


def test_cgroup_v1_reads_the_memory_controller(tmp_path: Path) -> None:
    """v1 has a hierarchy for each controller, and a huge number for "no limit"."""
    cgroup = "5:cpu,cpuacct:/x\n4:memory:/job\n"
    files = {
        "memory/job/memory.limit_in_bytes": "2097152\n",
        "memory/memory.limit_in_bytes": "9223372036854771712\n",
    }
    assert memory_limit(*layout(tmp_path, cgroup, files)) == 2_097_152


def test_limit_of_a_container_is_at_the_root(tmp_path: Path) -> None:
    """The path in /proc/self/cgroup is the host's, and does not exist in the container."""
    assert memory_limit(*layout(tmp_path, "0::/kubepods/pod1\n", {"memory.max": "4194304\n"})) == 4_194_304


def test_without_a_limit_it_is_the_hosts_memory(tmp_path: Path) -> None:
    """As on a host without cgroup files."""
    assert memory_limit(tmp_path, tmp_path) == psutil.virtual_memory().total


def test_usage_is_this_process() -> None:
    """Its RSS is that of /proc."""
    rss = Resources().rss()
    pages = int(Path(f"/proc/{os.getpid()}/statm").read_text().split()[1])
    assert abs(rss - pages * os.sysconf("SC_PAGE_SIZE")) < 8 << 20
