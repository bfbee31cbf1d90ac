"""One sdist and one wheel for all tests of the packaging, and virtual environments with that wheel."""

from __future__ import annotations

import os
import sys
from collections.abc import Callable, Iterator
from functools import cache
from pathlib import Path
from typing import Final

import pytest

from support.checkout import ROOT, outcome, run

#: The versions that the classifiers promise.
PYTHONS: Final = ("3.11", "3.12", "3.13")

Install = Callable[..., Path]


@pytest.fixture(scope="session")
def built(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with the sdist and the wheel that was built from it."""
    folder = tmp_path_factory.mktemp("dist")
    run(sys.executable, "-m", "build", "--no-isolation", "--outdir", str(folder), str(ROOT), cwd=folder)
    return folder


@pytest.fixture(scope="session")
def wheel(built: Path) -> Path:
    """The wheel."""
    return next(built.glob("*.whl"))


@pytest.fixture(scope="session")
def install(tmp_path_factory: pytest.TempPathFactory, wheel: Path) -> Install:
    """``install(extra, python)``: the ``bin`` of an environment outside the checkout, made once for each."""

    @cache
    def make(extra: str = "", python: str = sys.executable) -> Path:
        folder = tmp_path_factory.mktemp("venv")
        run(python, "-m", "venv", "--without-pip", str(folder), cwd=folder)
        interpreter = str(folder / "bin" / "python")
        requirement = f"{wheel}[{extra}]" if extra else str(wheel)
        pip = (sys.executable, "-m", "pip", "--python", interpreter)
        run(*pip, "install", "--quiet", requirement, cwd=folder)
        return folder / "bin"

    return make


@pytest.fixture(scope="session", params=PYTHONS)
def base_install(request: pytest.FixtureRequest, install: Install) -> Path:
    """The base install on each version of Python; one that is not on this machine shows up as skipped."""
    python = find_python(request.param)
    if python is None:
        pytest.skip(f"Python {request.param} is not installed: the wheel was not tested on it")
    return install("", python)


def find_python(version: str) -> str | None:
    """The path of an interpreter of this version that runs, None without one."""
    program = "import sys; print('%d.%d' % sys.version_info[:2], sys.executable)"
    for candidate in _candidates(version):
        done = outcome(candidate, "-c", program, cwd=Path.cwd())
        found, _, path = done.stdout.strip().partition(" ")
        if done.returncode == 0 and found == version:
            return path
    return None


def _candidates(version: str) -> Iterator[str]:
    """This interpreter, ``pythonX.Y`` on the PATH, and the versions of pyenv, whose shims may be off."""
    yield sys.executable
    for folder in os.get_exec_path():
        path = Path(folder, f"python{version}")
        if path.is_file():
            yield str(path)
            yield from map(str, path.parents[1].glob(f"versions/{version}.*/bin/{path.name}"))
