"""The wheel: its contents, and its installs outside the checkout, on each supported Python."""

from __future__ import annotations

import tarfile
import zipfile
from pathlib import Path

import pytest

from support.checkout import PARTS, ROOT, outcome, run

from .conftest import Install


def names(wheel: Path) -> set[str]:
    with zipfile.ZipFile(wheel) as archive:
        return set(archive.namelist())


#: Builds what ships, with a library that is in no extra.
BUILDERS = {"bioagents_boards"}


def code() -> set[str]:
    """Every file of the packages in the checkout, as a wheel names it."""
    return {
        str(path.relative_to(ROOT / folder))
        for folder in PARTS
        for path in (ROOT / folder).glob("bioagents_*/**/*")
        if path.is_file() and not {"__pycache__", *BUILDERS} & set(path.parts)
    }


def test_the_wheel_holds_every_file_of_the_packages(wheel: Path) -> None:
    """Code, Lua scripts and ``py.typed``."""
    assert code() - names(wheel) == set()


def test_the_wheel_holds_the_rules_and_boards(wheel: Path) -> None:
    """Files that are next to the packages in the checkout are inside them in the wheel."""
    rules = {f"bioagents_alerts/rules/{path.name}" for path in (ROOT / "alerts/rules").glob("*.yml")}
    boards = {f"bioagents_dashboards/json/{path.name}" for path in (ROOT / "dashboards/json").glob("*.json")}
    assert rules
    assert boards
    assert (rules | boards | {"bioagents_alerts/alertmanager.yml"}) - names(wheel) == set()


def test_the_wheel_holds_nothing_else(wheel: Path) -> None:
    """Only folders with our prefix, because site-packages is shared with other distributions."""
    assert {name.split("/")[0].partition("-")[0] for name in names(wheel)} == {
        "bioagents_alerts", "bioagents_cli", "bioagents_dashboards", "bioagents_demo", "bioagents_exporter",
        "bioagents_monitor", "bioagents_worker",
    }  # fmt: skip


def test_every_package_is_typed(wheel: Path) -> None:
    """Type checkers of applications use our annotations."""
    assert {f"bioagents_{folder}/py.typed" for folder in PARTS} - names(wheel) == set()


def test_the_sdist_holds_what_the_wheel_is_built_from(built: Path) -> None:
    """It holds licence, readme and changelog; the wheel of these tests was built from it."""
    with tarfile.open(next(built.glob("*.tar.gz"))) as archive:
        held = {name.partition("/")[2] for name in archive.getnames()}
    assert {"LICENSE", "README.md", "CHANGELOG.md", "pyproject.toml"} - held == set()
    assert not [name for name in held if name.startswith("dashboards/preview")]  # a tool of the checkout


def test_the_base_install_brings_what_a_worker_needs_and_no_more(base_install: Path) -> None:
    """Only dramatiq, redis and psutil."""
    program = "from importlib.metadata import distributions as d; print(*{i.name.lower() for i in d()})"
    installed = set(run(str(base_install / "python"), "-c", program, cwd=base_install).split())
    # redis brings async-timeout for Python before 3.11.3.
    assert installed - {"async-timeout"} == {"bioagents-monitor", "dramatiq", "psutil", "redis"}


def test_the_middleware_joins_a_broker_in_the_base_install(base_install: Path) -> None:
    """The four lines of the readme."""
    program = (
        "from dramatiq.brokers.redis import RedisBroker\n"
        "from bioagents_worker import JobMetrics\n"
        "broker = RedisBroker(url='redis://127.0.0.1:1/0')\n"
        "broker.add_middleware(JobMetrics())\n"
    )
    run(str(base_install / "python"), "-c", program, cwd=base_install)


def test_the_command_prints_its_version(base_install: Path, wheel: Path) -> None:
    """The command and the wheel's name have the same version."""
    version = run(str(base_install / "bioagents"), "--version", cwd=base_install).split()[-1]
    assert wheel.name.split("-")[1] == version


def test_the_rules_command_needs_no_extra(base_install: Path, tmp_path: Path) -> None:
    """It writes the committed rules, but for the head line that names the command, and variants of them."""
    bioagents = str(base_install / "bioagents")
    run(bioagents, "rules", "--output", str(tmp_path), cwd=base_install)
    for path in (ROOT / "alerts" / "rules").glob("*.yml"):
        written, committed = ((folder / path.name).read_text() for folder in (tmp_path, path.parent))
        assert written.partition("\n")[2] == committed.partition("\n")[2]
    variant = run(bioagents, "rules", "--prefix", "acme_", "--format", "operator", cwd=base_install)
    assert "kind: PrometheusRule" in variant
    assert "acme_queue_depth" in variant


@pytest.mark.parametrize("command", ["exporter", "demo", "dashboards"])
def test_a_command_without_its_extra_says_what_to_install(base_install: Path, command: str) -> None:
    """One line that names the extra, status 2, no traceback."""
    done = outcome(str(base_install / "bioagents"), command, cwd=base_install)
    assert done.returncode == 2, done
    assert done.stderr.count("\n") == 1
    assert f"bioagents-monitor[{command}]" in done.stderr


#: Imports every module of the packages that are named; warnings are errors here too.
IMPORT_ALL = """
import importlib, pkgutil, sys
for name in sys.argv[1:]:
    for found in pkgutil.walk_packages(importlib.import_module(name).__path__, name + "."):
        importlib.import_module(found.name)
print(*sorted(name for name in sys.modules if name.startswith("bioagents_")))
"""
BASE = ("bioagents_worker", "bioagents_alerts", "bioagents_cli")


def import_all(folder: Path, *packages: str) -> set[str]:
    """The modules of ours that are loaded when all modules of these packages were imported."""
    python = str(folder / "python")
    return set(run(python, "-W", "error", "-c", IMPORT_ALL, *packages, cwd=folder).split())


def modules(wheel: Path, *packages: str) -> set[str]:
    """The names of all modules of these packages in the wheel."""
    files = (Path(name) for name in names(wheel) if name.endswith(".py") and name.startswith(packages))
    return {".".join(path.with_suffix("").parts).removesuffix(".__init__") for path in files}


def test_every_module_of_the_base_install_imports(base_install: Path, wheel: Path) -> None:
    """A worker needs no extra."""
    assert modules(wheel, *BASE) <= import_all(base_install, *BASE)


@pytest.mark.parametrize(
    ("extra", "package"), [("exporter", "bioagents_exporter"), ("dashboards", "bioagents_dashboards")]
)
def test_every_module_imports_with_its_extra(install: Install, wheel: Path, extra: str, package: str) -> None:
    """An extra brings all that its package needs."""
    assert modules(wheel, package) <= import_all(install(extra), package)


def test_dashboards_are_exported_from_the_wheel(install: Install, tmp_path: Path) -> None:
    """Without Grafana's SDK, in the form that is converted most."""
    command = ("dashboards", "export", "--form", "git-sync", "--output", str(tmp_path))
    run(str(install("dashboards") / "bioagents"), *command, cwd=tmp_path)
    assert len(list(tmp_path.glob("*.json"))) == 7


def test_every_module_imports_with_all_extras(install: Install, wheel: Path) -> None:
    """Nothing in the wheel needs a package that no extra brings."""
    packages = sorted({name.partition("/")[0] for name in names(wheel) if name.endswith("/__init__.py")})
    assert modules(wheel, *packages) <= import_all(install("all"), *packages)
