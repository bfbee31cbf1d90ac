"""``bioagents``: its commands, help texts, and errors."""

from __future__ import annotations

import importlib.metadata
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from bioagents_cli import main
from bioagents_cli.main import COMMANDS, Command
from bioagents_cli.parsing import UsageError
from bioagents_worker import __version__
from support.polling import wait_until
from support.programs import Program

GOLDEN = Path(__file__).parent / "golden"


def run(*arguments: str) -> subprocess.CompletedProcess[str]:
    """Run ``python -m bioagents_cli`` to its end."""
    return subprocess.run(
        [sys.executable, "-m", "bioagents_cli", *arguments],
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )


def with_command(monkeypatch: pytest.MonkeyPatch, command: Command) -> None:
    """Add a command."""
    monkeypatch.setattr(main, "COMMANDS", (*COMMANDS, command))


@pytest.mark.parametrize(
    ("arguments", "golden"),
    [
        ((), "bioagents.txt"),
        (("exporter",), "exporter.txt"),
        (("rules",), "rules.txt"),
        (("dashboards",), "dashboards.txt"),
        (("dashboards", "push"), "dashboards-push.txt"),
        (("dashboards", "check"), "dashboards-check.txt"),
        (("dashboards", "export"), "dashboards-export.txt"),
    ],
)
def test_help_is_the_golden_text(arguments: tuple[str, ...], golden: str) -> None:
    """On standard output, the same on each terminal."""
    finished = run(*arguments, "--help")
    assert (finished.returncode, finished.stderr) == (0, "")
    assert finished.stdout == (GOLDEN / golden).read_text()


def test_every_command_shows_an_example() -> None:
    """In its help, with its own name."""
    for command in COMMANDS:
        finished = run(command.name, "--help")
        assert finished.returncode == 0, finished.stderr
        assert "example" in finished.stdout.lower(), command.name
        assert f"bioagents {command.name}" in finished.stdout


def test_every_command_can_be_loaded() -> None:
    """Each target in the table exists."""
    for command in COMMANDS:
        assert callable(command.load())


def test_version() -> None:
    """``--version`` prints the name and the version."""
    finished = run("--version")
    assert (finished.returncode, finished.stdout) == (0, f"bioagents {__version__}\n")


@pytest.mark.parametrize(
    ("arguments", "line"),
    [
        (
            ("exprter",),
            "bioagents: unknown command 'exprter' (did you mean exporter?): expected demo, exporter",
        ),
        (("-v",), "bioagents: unknown flag '-v'"),
        (("--verson",), "bioagents: unknown flag '--verson' (did you mean --version?)"),
        ((), "bioagents: no command given: expected demo, exporter"),
        (("exporter", "--fleat", "x"), "bioagents exporter: unknown flag --fleat (did you mean --fleet?)"),
    ],
)
def test_bad_input_is_one_line_and_status_2(arguments: tuple[str, ...], line: str) -> None:
    """It is on standard error, names the bad value and suggests a similar one."""
    finished = run(*arguments)
    assert (finished.returncode, finished.stdout) == (2, "")
    assert finished.stderr.startswith(line)
    assert finished.stderr.count("\n") == 1


def test_error_of_several_lines_is_printed_as_one(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """A message of a library may have line breaks."""

    def load(_: Command) -> main.Main:
        raise UsageError("a\n b")

    monkeypatch.setattr(Command, "load", load)
    assert main.main(["exporter"]) == 2
    assert capsys.readouterr().err == "bioagents exporter: a b\n"


def test_missing_package_names_the_extra(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    """The error says what to install."""
    (tmp_path / "needs_more.py").write_text("import not_installed_anywhere\n")
    monkeypatch.syspath_prepend(tmp_path)
    with_command(monkeypatch, Command("more", "", "needs_more:main", "exporter"))
    assert main.main(["more"]) == 2
    error = capsys.readouterr().err
    assert error.startswith("bioagents more: the package not_installed_anywhere is not installed: expected ")
    assert error.endswith("pip install 'bioagents-monitor[exporter]'\n")


def test_missing_module_of_ours_is_not_hidden(monkeypatch: pytest.MonkeyPatch) -> None:
    """No extra would install it, so the error is raised."""
    with_command(monkeypatch, Command("gone", "", "bioagents_cli.gone:main", "exporter"))
    with pytest.raises(ModuleNotFoundError):
        main.main(["gone"])


def test_command_has_its_arguments_and_name_and_returns_the_status(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    """It is called as ``main(argv, prog)``."""
    (tmp_path / "fine.py").write_text(
        "def main(argv, prog):\n    return 7 if (argv, prog) == (['-x'], 'bioagents fine') else 1\n"
    )
    monkeypatch.syspath_prepend(tmp_path)
    with_command(monkeypatch, Command("fine", "", "fine:main"))
    assert main.main(["fine", "-x"]) == 7


def test_control_c_ends_without_traceback(tmp_path: Path) -> None:
    """With status 130, as in shells."""
    (tmp_path / "slow.py").write_text(
        "import time\ndef main(argv, prog):\n    print('ready', flush=True)\n    time.sleep(60)\n"
    )
    code = (
        "import sys; sys.path.insert(0, '.'); from bioagents_cli import main;"
        "main.COMMANDS = (main.Command('slow', '', 'slow:main'),); sys.exit(main.main(['slow']))"
    )
    program = Program([sys.executable, "-c", code], cwd=tmp_path, name="slow")
    try:
        wait_until(lambda: "ready" in program.output(), what="the command")
        program.signal(signal.SIGINT)
        assert program.process.wait(10) == 130
        assert program.output() == "ready\n"
    finally:
        program.kill()


def test_commands_are_imported_only_when_called() -> None:
    """``bioagents --help`` needs the packages of no command."""
    heavy = ("aiohttp", "redis", "yaml", "dramatiq")
    code = f"import sys, bioagents_cli.main; print([name for name in {heavy} if name in sys.modules])"
    finished = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert finished.stdout == "[]\n"


def test_installed_program_is_this_one() -> None:
    """The entry point of the distribution is this function."""
    (point,) = [p for p in importlib.metadata.entry_points(group="console_scripts") if p.name == "bioagents"]
    assert point.load() is main.main
