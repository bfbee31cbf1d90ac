"""One wheel, one sdist and one virtual environment for all tests of the packaging."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest

from support.checkout import ROOT, run


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
def base_install(tmp_path_factory: pytest.TempPathFactory, wheel: Path) -> Path:
    """The ``bin`` of a virtual environment with the base install of the wheel, outside of the checkout."""
    folder = tmp_path_factory.mktemp("venv")
    run(sys.executable, "-m", "venv", str(folder), cwd=folder)
    run(str(folder / "bin" / "python"), "-m", "pip", "install", "--quiet", str(wheel), cwd=folder)
    return folder / "bin"
