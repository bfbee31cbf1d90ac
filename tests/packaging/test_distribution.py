"""The wheel, not the checkout: what it holds, and that its base install is enough for a worker."""

from __future__ import annotations

import tarfile
import zipfile
from pathlib import Path

import pytest

from support.checkout import PARTS, ROOT, outcome, run


def names(wheel: Path) -> set[str]:
    with zipfile.ZipFile(wheel) as archive:
        return set(archive.namelist())


def code() -> set[str]:
    """Every file of the packages in the checkout, as a wheel names it."""
    return {
        str(path.relative_to(ROOT / folder))
        for folder in PARTS
        for path in (ROOT / folder).glob("bioagents_*/**/*")
        if path.is_file() and "__pycache__" not in path.parts
    }


def test_the_wheel_holds_every_file_of_the_packages(wheel: Path) -> None:
    """Code, Lua scripts and ``py.typed``: nothing of a package stays behind."""
    assert code() - names(wheel) == set()


def test_the_wheel_holds_the_rules_and_boards(wheel: Path) -> None:
    """What stands beside the packages in the checkout stands inside of them in the wheel."""
    rules = {f"bioagents_alerts/rules/{path.name}" for path in (ROOT / "alerts/rules").glob("*.yml")}
    boards = {f"bioagents_dashboards/json/{path.name}" for path in (ROOT / "dashboards/json").glob("*.json")}
    assert rules
    assert boards
    assert (rules | boards | {"bioagents_alerts/alertmanager.yml"}) - names(wheel) == set()


def test_the_wheel_holds_nothing_else(wheel: Path) -> None:
    """No test, no benchmark, no folder without our prefix: it shares site-packages with others."""
    assert {name.split("/")[0].partition("-")[0] for name in names(wheel)} == {
        "bioagents_alerts", "bioagents_cli", "bioagents_dashboards", "bioagents_demo", "bioagents_exporter",
        "bioagents_monitor", "bioagents_worker",
    }  # fmt: skip


def test_every_package_is_typed(wheel: Path) -> None:
    """Applications check their types against ours."""
    assert {f"bioagents_{folder}/py.typed" for folder in PARTS} - names(wheel) == set()


def test_the_sdist_holds_what_the_wheel_is_built_from(built: Path) -> None:
    """The wheel of these tests was built from this sdist; its licence and readme are there too."""
    with tarfile.open(next(built.glob("*.tar.gz"))) as archive:
        held = {name.partition("/")[2] for name in archive.getnames()}
    assert {"LICENSE", "README.md", "CHANGELOG.md", "pyproject.toml"} - held == set()
    assert not [name for name in held if name.startswith("dashboards/preview")]  # a tool of the checkout


def test_the_base_install_brings_what_a_worker_needs_and_no_more(base_install: Path) -> None:
    """Nothing but dramatiq, redis and psutil, and what these bring themselves."""
    listed = run(str(base_install / "python"), "-m", "pip", "list", "--format=freeze", cwd=base_install)
    installed = {line.partition("==")[0].partition(" ")[0].lower() for line in listed.splitlines()}
    # redis brings async-timeout for Python before 3.11.3.
    others = installed - {"pip", "setuptools", "async-timeout"}
    assert others == {"bioagents-monitor", "dramatiq", "psutil", "redis"}


@pytest.mark.parametrize(
    "module", ["bioagents_worker", "bioagents_demo.reference.actors", "bioagents_cli.main"]
)
def test_the_base_install_imports(base_install: Path, module: str) -> None:
    """A worker imports without any extra; warnings are errors here too."""
    run(str(base_install / "python"), "-W", "error", "-c", f"import {module}", cwd=base_install)


def test_the_middleware_joins_a_broker_in_the_base_install(base_install: Path) -> None:
    """The four lines of the readme."""
    program = (
        "from dramatiq.brokers.redis import RedisBroker\n"
        "from bioagents_worker import JobMetrics\n"
        "broker = RedisBroker(url='redis://127.0.0.1:1/0')\n"
        "broker.add_middleware(JobMetrics())\n"
    )
    run(str(base_install / "python"), "-c", program, cwd=base_install)


def test_the_command_tells_its_version(base_install: Path, wheel: Path) -> None:
    """The version of the wheel's name is the one that the command tells."""
    version = run(str(base_install / "bioagents"), "--version", cwd=base_install).split()[-1]
    assert wheel.name.split("-")[1] == version


@pytest.mark.parametrize("command", ["exporter", "demo", "dashboards"])
def test_a_command_without_its_extra_says_what_to_install(base_install: Path, command: str) -> None:
    """One line that names the extra, status 2, no traceback."""
    done = outcome(str(base_install / "bioagents"), command, cwd=base_install)
    assert done.returncode == 2, done
    assert done.stderr.count("\n") == 1
    assert f"bioagents-monitor[{command}]" in done.stderr
