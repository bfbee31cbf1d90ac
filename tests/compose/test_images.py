"""The images, as far as they can be checked without Docker Engine."""

from __future__ import annotations

import re
import shutil
import subprocess
import sys
from pathlib import Path
from zipfile import ZipFile

from support.checkout import ROOT, installed, resolved

FOLDER = ROOT / "deploy" / "docker"
DOCKERFILE = FOLDER / "Dockerfile"


def test_hadolint_finds_nothing() -> None:
    """Warnings of all levels are errors here."""
    command = [installed("hadolint"), "--failure-threshold", "style", str(DOCKERFILE)]
    result = subprocess.run(command, capture_output=True, text=True, check=False)
    assert (result.returncode, result.stdout) == (0, "")


def test_targets_exist_and_do_not_run_as_root() -> None:
    """Each target that Compose builds runs as an unprivileged user."""
    stages = re.split(r"^FROM \S+ AS ", DOCKERFILE.read_text(), flags=re.MULTILINE)[1:]
    by_name = {stage.split()[0]: stage for stage in stages}
    built = [s["build"] for s in resolved()["services"].values() if "build" in s]
    assert {build["target"] for build in built} == {"worker", "exporter"}
    for build in built:
        assert Path(build["context"], build["dockerfile"]) == DOCKERFILE
        assert "\nUSER 10001:10001\n" in by_name[build["target"]]


def test_build_context_is_enough_for_the_wheel(tmp_path: Path) -> None:
    """The files that .dockerignore admits build the wheel with boards and rules."""
    lines = (FOLDER / "Dockerfile.dockerignore").read_text().splitlines()
    context = tmp_path / "context"
    context.mkdir()
    left_out = {str(ROOT / line) for line in lines if not line.startswith(("!", "#", "*"))}

    def ignored(folder: str, names: list[str]) -> list[str]:
        return [name for name in names if name == "__pycache__" or f"{folder}/{name}" in left_out]

    for name in [line[1:] for line in lines if line.startswith("!")]:
        if (ROOT / name).is_dir():
            shutil.copytree(ROOT / name, context / name, ignore=ignored)
        else:
            shutil.copy(ROOT / name, context / name)
    assert not (context / "dashboards" / "preview").exists(), "a tool, not part of the wheel"
    command = [
        sys.executable,
        "-m",
        "build",
        "--wheel",
        "--no-isolation",
        "--outdir",
        str(tmp_path),
        str(context),
    ]
    subprocess.run(command, check=True, capture_output=True)
    (wheel,) = tmp_path.glob("*.whl")
    names = ZipFile(wheel).namelist()
    assert "bioagents_dashboards/json/fleet-overview.json" in names
    assert any(name.startswith("bioagents_alerts/rules/") for name in names)
